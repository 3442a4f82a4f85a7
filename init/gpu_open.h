/* The first open of each GPU, which starts it: firmware, memory, seconds of it. The descriptors
 * stay open in PID 1 for as long as the machine runs, so that the GPU is never stopped in between
 * (what nvidia-persistenced is for elsewhere). */
#pragma once

#include "gpu_nodes.h"

/* Open the first gpu_count nodes, in parallel, in PID 1 itself (an opener that is killed breaks the
 * firmware request).
 * Errors: ERR_BUSY  at least one did not answer in time
 *         ERR_IO    one does not open */
MUST_CHECK bool gpu_open_all(const struct gpu_nodes *nodes, uint32_t timeout_seconds,
			     struct err *err);
