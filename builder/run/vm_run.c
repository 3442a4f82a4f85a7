#include "vm_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "vm_process.h"

enum {
	CHUNK_BYTES = 4096, /* a pipe that polls as writable takes as much at once */
	CONNECT_PAUSE_MS = 20,
	DRAIN_MS = 1000, /* for what the VMM left in its terminal */
	STOP_MARGIN_MS = 5000, /* beside the guest's own grace: to boot so far, and to end */
	STILL_MS = 5000,
	KEY_STOP = 0x1d, /* Ctrl-], as in telnet and virsh */
};

/* Bytes on their way to a descriptor that is not always ready. */
struct pending {
	char data[CHUNK_BYTES + 1];
	size_t len, sent;
};

/* All that one run is. */
struct run {
	const struct vm_run_request *request;
	struct vm_run_result *result;
	struct vm_process process;
	int signal_fd;
	int input_fd; /* -1 once it has ended */
	bool is_output_terminal;
	struct pending output, input;
	int64_t timeout_at_ms, kill_at_ms, still_at_ms, drained_at_ms; /* INT64_MAX: never */
};

enum { FD_SIGNALS, FD_CONSOLE, FD_OUTPUT, FD_ERRORS, FD_LINK, FD_INPUT, FD_COUNT };

void vm_run_result_freep(struct vm_run_result *result)
{
	guest_link_closep(&result->link);
}

static bool is_pending(const struct pending *pending)
{
	return pending->sent < pending->len;
}

/* Errors: as write; what is not taken now stays pending. */
MUST_CHECK static bool send_pending(struct pending *pending, int fd, const char *name,
				    struct err *err)
{
	ssize_t len = write(fd, pending->data + pending->sent, pending->len - pending->sent);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR || err_os(err, "write to %s", name);
	pending->sent += (size_t)len;
	return true;
}

static void kill_vmm(struct run *run)
{
	if (run->process.pid <= 0)
		return;
	kill(run->process.pid, SIGKILL);
	run->result->was_killed = true;
	run->kill_at_ms = INT64_MAX;
}

/* The first time a request, then an order. */
static void stop(struct run *run)
{
	if (run->kill_at_ms != INT64_MAX) {
		kill_vmm(run);
		return;
	}
	guest_link_stop(&run->result->link);
	run->kill_at_ms = clock_now_ms() + (int64_t)run->request->grace_seconds * 1000 +
			  STOP_MARGIN_MS;
}

MUST_CHECK static bool take_signal(struct run *run, struct err *err)
{
	struct signalfd_siginfo info;
	size_t len = 0;

	if (!file_read_some(run->signal_fd, &info, sizeof(info), &len, "signals", err))
		return false;
	if (len != sizeof(info) || info.ssi_signo == SIGCHLD)
		return true;
	run->result->stop_signal = (int)info.ssi_signo;
	stop(run);
	return true;
}

/* A terminal whose other end is closed reads as EIO. */
static void take_console(struct run *run)
{
	struct pending *output = &run->output;
	struct console *console = &run->result->console;
	ssize_t len = read(run->process.console_fd, output->data, CHUNK_BYTES);

	if (len <= 0) {
		if (len == 0 || (errno != EAGAIN && errno != EINTR))
			fd_closep(&run->process.console_fd);
		return;
	}
	output->sent = 0;
	output->len = (size_t)len;
	console_take(console, (struct view){ output->data, output->len });
	run->still_at_ms = console->stands_still ? clock_now_ms() + STILL_MS : INT64_MAX;
	if (!run->is_output_terminal)
		output->len = console_plain(console, output->data, output->len);
}

static void keep_complaint(struct vm_run_result *result, struct view text)
{
	while (text.len > 0) {
		struct view line = view_trim(view_cut(&text, '\n'));

		if (line.len == 0)
			continue;
		if (line.len >= sizeof(result->complaint))
			line.len = sizeof(result->complaint) - 1;
		memcpy(result->complaint, line.ptr, line.len);
		result->complaint[line.len] = '\0';
	}
}

MUST_CHECK static bool take_errors(struct run *run, struct err *err)
{
	char chunk[CHUNK_BYTES];
	ssize_t len = read(run->process.errors_fd, chunk, sizeof(chunk));

	if (len < 0)
		return errno == EAGAIN || errno == EINTR || err_os(err, "read a pipe");
	if (len == 0)
		fd_closep(&run->process.errors_fd);
	keep_complaint(run->result, (struct view){ chunk, (size_t)len });
	return file_write(STDERR_FILENO, chunk, (size_t)len, "standard error", err);
}

static void take_input(struct run *run)
{
	struct pending *input = &run->input;
	ssize_t len = read(run->input_fd, input->data, CHUNK_BYTES);

	if (len <= 0) {
		if (len == 0 || (errno != EAGAIN && errno != EINTR))
			run->input_fd = -1;
		return;
	}
	input->len = (size_t)len;
	input->sent = 0;
	if (memchr(input->data, KEY_STOP, input->len)) {
		input->len = 0;
		run->result->stop_signal = SIGINT;
		stop(run);
	}
}

static int64_t earliest(const struct run *run)
{
	int64_t at = run->timeout_at_ms < run->kill_at_ms ? run->timeout_at_ms : run->kill_at_ms;

	at = run->still_at_ms < at ? run->still_at_ms : at;
	return run->drained_at_ms < at ? run->drained_at_ms : at;
}

static int poll_timeout_ms(const struct run *run)
{
	int64_t at = earliest(run), left = at == INT64_MAX ? -1 : at - clock_now_ms();

	if (at != INT64_MAX && left < 0)
		left = 0;
	if (guest_link_is_coming(&run->result->link) &&
	    (left < 0 || left > CONNECT_PAUSE_MS))
		left = CONNECT_PAUSE_MS;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* A negative descriptor is passed over by poll. */
static void poll_set(const struct run *run, struct pollfd fds[FD_COUNT])
{
	bool has_output = is_pending(&run->output), has_input = is_pending(&run->input);
	short wanted = (short)((has_output ? 0 : POLLIN) | (has_input ? POLLOUT : 0));

	fds[FD_SIGNALS] = (struct pollfd){ .fd = run->signal_fd, .events = POLLIN };
	fds[FD_CONSOLE] = (struct pollfd){ .fd = wanted ? run->process.console_fd : -1,
					   .events = wanted };
	fds[FD_OUTPUT] = (struct pollfd){ .fd = has_output ? run->request->output_fd : -1,
					  .events = POLLOUT };
	fds[FD_ERRORS] = (struct pollfd){ .fd = run->process.errors_fd, .events = POLLIN };
	fds[FD_LINK] = (struct pollfd){ .fd = guest_link_fd(&run->result->link),
					.events = POLLIN };
	fds[FD_INPUT] = (struct pollfd){ .fd = has_input ? -1 : run->input_fd, .events = POLLIN };
}

MUST_CHECK static bool take_events(struct run *run, const struct pollfd fds[FD_COUNT],
				   struct err *err)
{
	struct err gone;

	if (fds[FD_OUTPUT].revents &&
	    !send_pending(&run->output, run->request->output_fd, "standard output", err))
		return false;
	if ((fds[FD_CONSOLE].revents & POLLOUT) &&
	    !send_pending(&run->input, run->process.console_fd, "the guest", &gone))
		run->input.sent = run->input.len;
	if ((fds[FD_CONSOLE].revents & (POLLIN | POLLHUP | POLLERR)) && !is_pending(&run->output))
		take_console(run);
	if (fds[FD_ERRORS].revents && !take_errors(run, err))
		return false;
	if (fds[FD_INPUT].revents)
		take_input(run);
	guest_link_work(&run->result->link);
	return !fds[FD_SIGNALS].revents || take_signal(run, err);
}

static void take_time(struct run *run)
{
	int64_t now = clock_now_ms();

	if (now >= run->timeout_at_ms) {
		run->timeout_at_ms = INT64_MAX;
		run->result->was_timed_out = true;
		if (run->kill_at_ms == INT64_MAX)
			stop(run);
	}
	if (now >= run->kill_at_ms)
		kill_vmm(run);
	if (now >= run->still_at_ms) {
		run->still_at_ms = INT64_MAX;
		if (run->request->machine->vmm == VMM_CLOUD_HYPERVISOR) {
			run->result->stood_still = true;
			kill_vmm(run);
		}
	}
	if (now >= run->drained_at_ms && is_pending(&run->output)) {
		run->drained_at_ms = now + DRAIN_MS; /* whoever reads us takes their time */
	} else if (now >= run->drained_at_ms) {
		fd_closep(&run->process.console_fd);
		fd_closep(&run->process.errors_fd);
	}
}

static void reap(struct run *run)
{
	int status = -1;

	vm_process_reap(&run->process, &status);
	if (status < 0)
		return;
	run->result->status = status;
	run->kill_at_ms = run->timeout_at_ms = run->still_at_ms = INT64_MAX;
	run->drained_at_ms = clock_now_ms() + DRAIN_MS;
}

/* It ran, or its terminal still has something, or that is still on its way out. */
static bool goes_on(const struct run *run)
{
	return run->process.pid > 0 || run->process.console_fd >= 0 ||
	       run->process.errors_fd >= 0 || is_pending(&run->output);
}

MUST_CHECK static bool watch(struct run *run, struct err *err)
{
	while (goes_on(run)) {
		struct pollfd fds[FD_COUNT];

		poll_set(run, fds);
		if (poll(fds, FD_COUNT, poll_timeout_ms(run)) < 0) {
			if (errno != EINTR)
				return err_os(err, "wait for events");
			continue;
		}
		if (!take_events(run, fds, err))
			return false;
		reap(run);
		take_time(run);
	}
	guest_link_work(&run->result->link);
	return true;
}

static void run_freep(struct run *run)
{
	vm_process_endp(&run->process);
}

bool vm_run(struct vm_run_result *out, const struct vm_run_request *request, int signal_fd,
	    struct err *err)
{
	CLEANUP(freep) char **argv = words_argv(request->words);
	CLEANUP(run_freep) struct run run = {
		.request = request,
		.result = out,
		.process = VM_PROCESS_NONE,
		.signal_fd = signal_fd,
		.input_fd = request->input_fd,
		.is_output_terminal = isatty(request->output_fd),
		.timeout_at_ms = INT64_MAX,
		.kill_at_ms = INT64_MAX,
		.still_at_ms = INT64_MAX,
		.drained_at_ms = INT64_MAX,
	};

	if (!argv)
		return err_memory(err, "a command line");
	if (!guest_link_open(&out->link, request->machine, err) ||
	    !vm_process_start(&run.process, argv, err))
		return false;
	if (request->timeout_seconds > 0)
		run.timeout_at_ms = clock_now_ms() + (int64_t)request->timeout_seconds * 1000;
	return watch(&run, err);
}
