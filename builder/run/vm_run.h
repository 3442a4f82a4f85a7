/* One machine from its start to its end: its console copied, its report heard, requests to stop
 * passed on, and the VMM killed when a stop takes too long.
 */
#pragma once

#include "console.h"
#include "guest_link.h"
#include "vmm.h"

struct vm_run_request {
	const struct machine *machine;
	const struct words *words; /* of the VMM */
	uint32_t grace_seconds; /* that the guest gives its entrypoint to stop */
	uint64_t timeout_seconds; /* 0: none */
	int output_fd; /* where the console goes; not written to when closed by its reader */
	int input_fd; /* a terminal whose keys go to the guest, or -1 */
};

struct vm_run_result {
	struct console console;
	struct guest_link link; /* what was heard */
	int status; /* of the VMM, as waitpid gives it */
	int stop_signal; /* that we were asked to stop with; 0: none */
	bool was_timed_out;
	bool was_killed; /* the VMM, by us */
	bool stood_still; /* the guest's kernel, after a panic; killed as well */
	char complaint[256]; /* the VMM's last line on standard error */
};
#define VM_RUN_RESULT_NONE (struct vm_run_result){ .link = GUEST_LINK_NONE }
void vm_run_result_freep(struct vm_run_result *result);

/* SIGINT, SIGTERM, SIGHUP and SIGCHLD have to be blocked; they are taken from signal_fd. The first
 * asks the guest to stop, a second one kills it. No child is left, whatever the result.
 * out:    starts as VM_RUN_RESULT_NONE
 * Errors: ERR_NOT_FOUND, ERR_IO  the VMM could not be started, the console not be written */
MUST_CHECK bool vm_run(struct vm_run_result *out, const struct vm_run_request *request,
		       int signal_fd, struct err *err);

/* How we are to end, by how it did. Pure. *status: our exit code; *reason: why it is not the
 * entrypoint's, or what became of it; "" when there is nothing to say
 * Errors: ERR_MISMATCH  the guest's kernel panicked
 *         ERR_IO        the VMM ended before its guest */
enum { VM_RUN_REASON_BYTES = 640 };
enum { STATUS_TIMED_OUT = 124, STATUS_SIGNALED = 128 };
MUST_CHECK bool vm_run_outcome(const struct vm_run_result *result, const struct machine *machine,
			       const struct exit_record *record, int *status,
			       char reason[VM_RUN_REASON_BYTES], struct err *err);
