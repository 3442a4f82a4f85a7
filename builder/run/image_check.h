/* The image before it is started: is it one of ours, and does it fit the kernel that it is to be
 * booted with. Reads it without mounting, as inspect does.
 */
#pragma once

#include "base/err.h"
#include "drivers/kernel/kernel.h"

struct run_image {
	bool is_read_only; /* made to be only read: it cannot be mounted for writing */
	uint16_t cpu; /* EM_X86_64, EM_AARCH64; EM_NONE: it does not say */
	char release[KERNEL_RELEASE_BYTES]; /* the kernel that its driver is for; "": it has none */
};

/* Errors: ERR_NOT_FOUND, ERR_FORMAT  no such file, no ext4
 *         ERR_UNSUPPORTED            not made by vmbake, or by a newer one */
MUST_CHECK bool run_image_read(struct run_image *out, const char *path, struct err *err);

/* Pure. Errors: ERR_MISMATCH  with the rule's id in front */
MUST_CHECK bool run_image_fits(const struct run_image *image, const struct kernel *kernel,
			       bool has_initrd, struct err *err);
