#include "run_command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/json.h"
#include "builder/run/raw_terminal.h"
#include "builder/run/vm_run.h"
#include "run_job.h"
#include "show.h"

static void print_note(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "vmbake: %s\n", text);
}

static void put_common(struct json_t *object, const struct options *options,
		       const struct machine *machine)
{
	json_put_text(object, "file", options->operands.items[0]);
	json_put_text(object, "vmm", vmm_name(machine->vmm));
	json_put_bool(object, "kvm", machine->has_kvm);
}

/* The configuration is what matters of Firecracker, the command line of the others. */
MUST_CHECK static bool print_as_json(const struct run_job *job, const struct options *options,
				     struct err *err)
{
	CLEANUP(json_freep) struct json_t *object = json_new_object();
	CLEANUP(bytes_freep) struct bytes arguments = bytes_capped(1 << 20);
	struct json_t *config = NULL;

	put_common(object, options, &job->machine);
	if (!vmm_kernel_arguments(&arguments, &job->machine, err))
		return false;
	json_put_text(object, "kernelArguments", arguments.data);
	if (job->words.count > 0)
		json_put(object, "command", words_json(&job->words));
	if (job->machine.vmm == VMM_FIRECRACKER) {
		if (!vmm_firecracker_config(&config, &job->machine, err))
			return false;
		json_put(object, "config", config);
	}
	return show_json(ptr_take(&object), err);
}

MUST_CHECK static bool print_machine(const struct run_job *job, const struct options *options,
				     struct err *err)
{
	CLEANUP(json_freep) struct json_t *config = NULL;
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(16 << 20);

	if (options->json)
		return print_as_json(job, options, err);
	if (job->machine.vmm == VMM_FIRECRACKER ?
		    !vmm_firecracker_config(&config, &job->machine, err) ||
			    !json_print(&text, config, JSON_INDENTED, err) :
		    !words_quote(&text, &job->words, err))
		return false;
	printf("%s\n", text.data);
	return show_flush(err);
}

/* From here on they come by signalfd: nothing that we made is left when one of them does. */
MUST_CHECK static bool catch_signals(int *out, struct err *err)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	*out = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return *out >= 0 || err_os(err, "wait for signals");
}

MUST_CHECK static bool show_result(const struct vm_run_result *result,
				   const struct options *options, const struct machine *machine,
				   int status, const char *reason, struct view report,
				   struct err *err)
{
	struct json_t *object = json_new_object(), *heard = NULL;
	struct err ignored = { 0 };

	put_common(object, options, machine);
	json_put_size(object, "status", (uint64_t)status);
	json_put_text(object, "reason", reason[0] ? reason : NULL);
	json_put_bool(object, "timedOut", result->was_timed_out);
	json_put_bool(object, "killed", result->was_killed);
	if (report.ptr && json_parse(&heard, report, &ignored))
		json_put(object, "report", heard);
	else
		json_put_text(object, "report", NULL);
	return show_json(object, err);
}

MUST_CHECK static bool end_run(const struct vm_run_result *result, const struct options *options,
			       const struct machine *machine, int *status, struct err *err)
{
	CLEANUP(exit_record_freep) struct exit_record record = { 0 };
	char reason[VM_RUN_REASON_BYTES];
	struct view report = { 0 };
	bool has_report = guest_link_report(&result->link, &record, &report);
	int code = 0;

	if (!vm_run_outcome(result, machine, has_report ? &record : NULL, &code, reason, err))
		return false;
	if (reason[0])
		print_note(NULL, reason);
	if (options->json &&
	    !show_result(result, options, machine, code, reason, report, err))
		return false;
	*status = code;
	return true;
}

/* With --json the result alone is on standard output. */
MUST_CHECK static bool start_machine(const struct run_job *job, const struct options *options,
				     int signal_fd, int *status, struct err *err)
{
	CLEANUP(vm_run_result_freep) struct vm_run_result result = VM_RUN_RESULT_NONE;
	CLEANUP(raw_terminal_closep) struct raw_terminal terminal = RAW_TERMINAL_NONE;
	const struct vm_run_request request = {
		.machine = &job->machine,
		.words = &job->words,
		.grace_seconds = job->grace_seconds,
		.timeout_seconds = options->machine.timeout_seconds,
		.output_fd = options->json ? STDERR_FILENO : STDOUT_FILENO,
		.input_fd = job->machine.has_terminal ? STDIN_FILENO : -1,
	};

	if (job->machine.has_terminal && !raw_terminal_open(&terminal, STDIN_FILENO, err))
		return false;
	if (!vm_run(&result, &request, signal_fd, err))
		return false;
	raw_terminal_closep(&terminal);
	return end_run(&result, options, &job->machine, status, err);
}

bool run_command(const struct options *options, int *status, struct err *err)
{
	CLEANUP(run_job_freep) struct run_job *job = run_job_new();
	CLEANUP(fd_closep) int signal_fd = -1;
	struct report report = { .note = print_note };

	if (!job)
		return err_memory(err, "a machine");
	if (!run_job_make(job, options, &report, err))
		return false;
	if (options->machine.only_prints)
		return run_job_place(job, options, err) && print_machine(job, options, err);
	return catch_signals(&signal_fd, err) && run_job_place(job, options, err) &&
	       start_machine(job, options, signal_fd, status, err);
}
