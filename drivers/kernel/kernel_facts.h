/* What was found out about a kernel file, kept so that it need not be unpacked again: unpacking
 * and reading 50 MB for each build is most of what a check would cost.
 *
 * One file a kernel, named by a digest over all that decides it, in a folder of the store: magic,
 * version, counts, exports, strings, CRC-32C; little-endian. What is read back is checked, and made
 * again when it is damaged.
 */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "kernel.h"

/* As kernel_open, by way of the folder.
 * out:     starts as KERNEL_NONE; to be freed also after a failure
 * dir_fd:  of the folder; -1: there is none, nothing is kept
 * report:  hears of facts that are damaged or cannot be kept, which is no failure
 * Errors:  as kernel_open */
MUST_CHECK bool kernel_facts_open(struct kernel *out, int dir_fd, const struct kernel_files *files,
				  struct report *report, struct err *err);

/* The file's bytes. What lies beside the kernel (config-RELEASE) is not in it. */
MUST_CHECK bool kernel_facts_print(struct bytes *out, const struct kernel *kernel,
				   struct err *err);
/* out: starts as KERNEL_NONE; owns a copy of the bytes
 * Errors: ERR_INTEGRITY  anything about them is off */
MUST_CHECK bool kernel_facts_parse(struct kernel *out, struct view bytes, struct err *err);
