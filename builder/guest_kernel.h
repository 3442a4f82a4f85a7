/* The guest's kernel, by way of the store: what it says of itself is kept, so that it is unpacked
 * once. */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "drivers/kernel/kernel.h"
#include "options.h"
#include "store.h"

/* out:    starts as KERNEL_NONE; to be freed also after a failure
 * Errors: those of kernel_open */
MUST_CHECK bool guest_kernel_open(struct kernel *out, struct store *store,
				  const struct kernel_files *files, struct report *report,
				  struct err *err);

/* The one that --kernel names, with --kernel-config. Who cannot write a store can read a kernel all
 * the same; it takes a moment longer. */
MUST_CHECK bool guest_kernel_open_named(struct kernel *out, const struct options *options,
					struct report *report, struct err *err);
