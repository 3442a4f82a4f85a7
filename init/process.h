/* Starting the entrypoint as docker would start it. */
#pragma once

#include <sys/types.h>

#include "ending.h"
#include "launch.h"

/* From here on signals wait to be read by supervise. Before process_start. */
MUST_CHECK bool process_block_signals(struct err *err);

/* In a child, before it becomes another program: every signal by default, and none blocked. */
void process_restore_signals(void);

/* Fork; in the child: session, terminal, working dir, limits, capabilities, groups, ids, umask,
 * default signals, exec. When the program cannot be started, *pid is 0, *ending says how a shell
 * would have put it (127: not found, 126: found but not to be run) and the console tells which
 * paths were tried.
 * Errors: ERR_IO  no process could be made */
MUST_CHECK bool process_start(pid_t *pid, struct ending *ending, const struct launch *launch,
			      struct err *err);
