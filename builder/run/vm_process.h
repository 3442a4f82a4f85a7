/* The VMM as a child: on a pseudo terminal of its own, so that the terminal's signals are not its
 * own, and gone when we are gone.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct vm_process {
	pid_t pid; /* 0: there is none, or it was reaped */
	int console_fd; /* its terminal: standard input and output; -1: closed */
	int errors_fd; /* its standard error; -1: closed */
};
#define VM_PROCESS_NONE (struct vm_process){ .console_fd = -1, .errors_fd = -1 }
/* Kills and reaps what still runs. */
void vm_process_endp(struct vm_process *process);

/* argv[0] is looked for in PATH. Both descriptors are non-blocking.
 * Errors: ERR_NOT_FOUND, ERR_IO  it could not be started */
MUST_CHECK bool vm_process_start(struct vm_process *out, char *const *argv, struct err *err);

/* Reap it, if it has ended: then pid is 0. status: as waitpid gives it; -1 while it runs */
void vm_process_reap(struct vm_process *process, int *status);
