/* GPUs, from the bus to an open descriptor: look for them, load the baked driver, check it, make
 * its nodes, start every GPU. Whatever goes wrong becomes a verdict with a code. */
#pragma once

#include "boot_config.h"
#include "gpu_verdict.h"
#include "settings.h"

struct gpu_request {
	const struct boot_gpu *boot; /* what was baked */
	const struct settings *settings; /* policy, scan, timeout */
	struct view cmdline; /* module parameters, blacklist */
	int root_fd; /* where sys/ and proc/ are */
};

/* With policy optional a failure is told on the console, and the call succeeds.
 * out:  written in any case
 * Errors: ERR_MISMATCH  policy required, and the GPUs are not ready; the sentence says why */
MUST_CHECK bool gpu_make_ready(struct gpu_verdict *out, const struct gpu_request *request,
			       struct err *err);
