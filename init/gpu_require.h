/* Does the image want the GPUs that this machine has? What could not be decided when it was baked
 * (NVIDIA_REQUIRE_* that speaks of arch or brand) is judged here, for each GPU by itself. */
#pragma once

#include "gpu_scan.h"
#include "init/contract/boot_config.h"

/* unknown_count: requirements that stay undecided, because the driver's table has no such GPU;
 *                each is told on the console
 * Errors: ERR_MISMATCH  a GPU that a requirement refuses, or a requirement that makes no sense */
MUST_CHECK bool gpu_require(size_t *unknown_count, const struct boot_gpu *boot,
			    const struct gpu_scan *scan, struct err *err);
