/* Does a kernel's configuration have what a GPU guest needs? Held against docs/kernel-gpu.config,
 * which is embedded. Pure.
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "drivers/finding.h"
#include "kernel.h"

/* A row of the table. */
struct kernel_demand {
	uint16_t machine; /* EM_X86_64 or EM_AARCH64; 0: all */
	enum severity severity; /* of a kernel without it */
	struct view name; /* "CONFIG_PCI" */
	bool is_module_enough; /* "=m" */
	bool is_unwanted; /* "is not set": it must not be built in */
	struct view reason;
};

/* The whole file. */
struct view kernel_config_table(void);

/* The next row. *rest starts as the table; false when there are no more.
 * Errors: none: *is_broken is set for a line that makes no sense, and the walk ends there */
bool kernel_config_next(struct view *rest, struct kernel_demand *out, bool *is_broken);

/* A finding for each option that is not as it should be; one of unknown severity when the kernel
 * does not tell its configuration. CONFIG_MODULES is module_match_kernel's. */
MUST_CHECK bool kernel_config_check(struct finding_list *findings, const struct kernel *kernel,
				    struct err *err);
