/* What PID 1 does while the entrypoint runs: reap every orphan, forward signals, and on a request
 * to stop send the image's stop signal, then SIGKILL when its time is over. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "ending.h"
#include "stop.h"

/* A daemon that should live as long as the entrypoint does. */
struct companion {
	const char *name;
	pid_t pid; /* 0: none */
	bool has_ended;
};

struct supervision {
	pid_t pid; /* of the entrypoint */
	struct companion *companion; /* borrowed; its end is told on the console, and noted */
	unsigned stop_signal;
	uint32_t grace_seconds;
	struct stop_inputs *inputs; /* borrowed */
};

/* Until the entrypoint has ended. Signals are blocked (process_block_signals). */
MUST_CHECK bool supervise(struct ending *out, const struct supervision *supervision,
			  struct err *err);
