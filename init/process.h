/* The entrypoint: started as docker would start it, then waited for, by a PID 1 that forwards
 * signals and reaps every orphan. */
#pragma once

#include <sys/types.h>

#include "boot_config.h"
#include "command.h"
#include "ending.h"

/* From here on signals wait to be read by process_wait. Before process_start. */
MUST_CHECK bool process_block_signals(struct err *err);

/* Fork; in the child: session, terminal, working dir, groups, ids, umask, default signals, exec.
 * When the program cannot be started, *pid is 0, *ending says how a shell would have put it (127:
 * not found, 126: found but not to be run) and the console tells which paths were tried.
 * Errors: ERR_IO  no process could be made */
MUST_CHECK bool process_start(pid_t *pid, struct ending *ending, const struct command *command,
			      const struct boot_config *config, struct err *err);

/* Until the entrypoint has ended. */
MUST_CHECK bool process_wait(struct ending *out, pid_t pid, struct err *err);
