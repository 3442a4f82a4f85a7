/* Will this kernel load this module? Asked before there is a machine, as the kernel itself asks.
 *
 * Compares vermagic, the checksum of every symbol that the module was built against, every symbol
 * that it leaves open, and its signature with what the kernel's file says. Pure: no I/O.
 */
#pragma once

#include "base/err.h"
#include "drivers/finding.h"
#include "exports.h"
#include "kernel.h"

/* Add what is wrong to findings; nothing when all fits. To be called in order of loading.
 * module: the file's bytes, decompressed; borrowed
 * loaded: what the modules loaded before export, sorted
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED  not a module that can be read */
MUST_CHECK bool module_match(struct finding_list *findings, const struct kernel *kernel,
			     const struct export_table *loaded, struct view module,
			     struct err *err);

/* Can this kernel load modules at all? One finding when not, or when nothing tells. */
MUST_CHECK bool module_match_kernel(struct finding_list *findings, const struct kernel *kernel,
				    struct err *err);
