#include <stdio.h>
#include <sys/wait.h>

#include "vm_run.h"

static int status_of(const struct ending *ending)
{
	return ending->was_signaled ? STATUS_SIGNALED + ending->code : ending->code;
}

MUST_CHECK static bool lost(const struct vm_run_result *result, const struct machine *machine,
			    struct err *err)
{
	const char *hint = machine->initrd ? "" :
			   "; a kernel finds its root without --initrd when virtio and ext4 are "
			   "built in";
	bool was_signaled = WIFSIGNALED(result->status);

	if (result->console.failure[0])
		return err_set(err, ERR_MISMATCH, "the guest could not begin: %s",
			       result->console.failure);
	if (result->console.panic[0])
		return err_set(err, ERR_MISMATCH, "the guest's kernel panicked: %s%s",
			       result->console.panic, hint);
	return err_set(err, ERR_IO, "%s ended with %s %d before its guest did%s%s%s",
		       vmm_program(machine->vmm, machine->cpu), was_signaled ? "signal" :
									       "exit code",
		       was_signaled ? WTERMSIG(result->status) : WEXITSTATUS(result->status),
		       result->complaint[0] ? ": " : "", result->complaint,
		       machine->vmm == VMM_QEMU && machine->has_kvm ?
			       "; --accel tcg does without KVM" : "");
}

/* What the guest told of a failure: that of the GPU in its own words, with what to look at. */
static void explain(char reason[VM_RUN_REASON_BYTES], const struct vm_run_result *result,
		    const struct exit_record *record)
{
	const char *failure = record	      ? record->failure :
			      result->console.failure[0] ? result->console.failure :
							   NULL;
	const struct exit_gpu *gpu = record ? &record->gpu : NULL;

	if (failure)
		snprintf(reason, VM_RUN_REASON_BYTES, "the entrypoint was not started: %s%s%s",
			 failure, gpu && gpu->hint ? "; " : "", gpu && gpu->hint ? gpu->hint : "");
	else if (gpu && gpu->symptom)
		snprintf(reason, VM_RUN_REASON_BYTES, "%s%s%s", gpu->symptom,
			 gpu->hint ? "; " : "", gpu->hint ? gpu->hint : "");
	else if (record && record->had_oom_kill)
		snprintf(reason, VM_RUN_REASON_BYTES, "the guest ran out of memory");
}

bool vm_run_outcome(const struct vm_run_result *result, const struct machine *machine,
		    const struct exit_record *record, int *status,
		    char reason[VM_RUN_REASON_BYTES], struct err *err)
{
	const struct ending *ending = record		     ? &record->ending :
				      result->console.has_ending ? &result->console.ending :
								   NULL;

	reason[0] = '\0';
	if (result->was_timed_out) {
		snprintf(reason, VM_RUN_REASON_BYTES, "stopped, as --timeout says%s",
			 ending ? "" : "; it had to be killed");
		*status = STATUS_TIMED_OUT;
		return true;
	}
	if (ending) {
		*status = status_of(ending);
		explain(reason, result, record);
		return true;
	}
	if (result->stop_signal != 0) {
		snprintf(reason, VM_RUN_REASON_BYTES, "stopped before the guest told its end");
		*status = STATUS_SIGNALED + result->stop_signal;
		return true;
	}
	return lost(result, machine, err);
}
