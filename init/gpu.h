/* GPUs, from the bus to an open descriptor: look for them, load the baked driver, check it, make
 * its nodes, start every GPU. Whatever goes wrong becomes a verdict with a code. */
#pragma once

#include <sys/types.h>

#include "gpu_verdict.h"
#include "init/contract/boot_config.h"
#include "init/contract/settings.h"

struct gpu_request {
	const struct boot_gpu *boot; /* what was baked */
	const struct settings *settings; /* policy, scan, timeout */
	struct view cmdline; /* module parameters, blacklist */
	int root_fd; /* where sys/ and proc/ are */
	bool ignores_requirements; /* of the image */
};

/* With policy optional a failure is told on the console, and the call succeeds.
 * out:  written in any case
 * Errors: ERR_MISMATCH  policy required, and the GPUs are not ready; the sentence says why */
MUST_CHECK bool gpu_make_ready(struct gpu_verdict *out, const struct gpu_request *request,
			       struct err *err);

/* With NVSwitches, and GPUs that are ready: start the fabric manager, if one was baked, and wait
 * until it is ready. Loopback has to be up. *pid: 0 when there is nothing to start
 * Errors: as gpu_make_ready */
MUST_CHECK bool gpu_start_fabric(pid_t *pid, struct gpu_verdict *verdict,
				 const struct gpu_request *request, struct err *err);

/* When the entrypoint has ended: what it made the driver log, told on the console.
 * log_fd: from kernel_log_mark before it started */
void gpu_review(struct gpu_verdict *verdict, int log_fd);

/* It has ended, which it should not: GPUs that were ready are no more. */
void gpu_lose_fabric(struct gpu_verdict *verdict);
