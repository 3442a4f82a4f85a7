/* What a guest kernel file says of itself: release, exported symbols, configuration.
 *
 * Takes vmlinux (ELF), x86 bzImage, arm64 Image and EFI zboot images, and any of them compressed.
 * The file itself is the source of truth; Module.symvers and a config file are for what it does
 * not hold. Foreign bytes. Runs nothing.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "exports.h"

enum { KERNEL_RELEASE_BYTES = 65 }; /* utsname's, with the NUL */

struct kernel {
	char release[KERNEL_RELEASE_BYTES]; /* "6.1.0-56-cloud-amd64" */
	struct view vermagic; /* what modules must have, in full; empty when it is not found */
	uint16_t machine; /* EM_X86_64 or EM_AARCH64 */
	struct export_table exports; /* sorted; empty when nothing tells them */
	struct bytes config; /* text; empty when nothing tells it */
	bool has_config_beside; /* it is that of config-RELEASE beside the kernel */
	struct bytes image, symvers; /* owned: what the exports' names point into */
};
#define KERNEL_NONE                                                            \
	(struct kernel){ .config = bytes_capped(4u << 20),                     \
			 .image = bytes_capped(512u << 20),                    \
			 .symvers = bytes_capped(64u << 20) }

struct kernel_files {
	const char *kernel;
	const char *config; /* NULL: the kernel's own, else config-RELEASE beside the kernel */
	const char *symvers; /* Module.symvers; NULL: none. Used where the kernel has no tables */
};

/* out:    starts as KERNEL_NONE; to be freed also after a failure
 * Errors: ERR_NOT_FOUND, ERR_IO
 *         ERR_FORMAT       not a kernel, or a broken one
 *         ERR_UNSUPPORTED  compressed in a way that cannot be read (lzo), another architecture */
MUST_CHECK bool kernel_open(struct kernel *out, const struct kernel_files *files, struct err *err);
void kernel_freep(struct kernel *kernel);

/* The config from where distributions put it, config-RELEASE beside the kernel file, for a kernel
 * that has none yet. None there is fine. */
MUST_CHECK bool kernel_read_config_beside(struct kernel *kernel, const char *kernel_path,
					  struct err *err);

enum kernel_option { OPTION_UNKNOWN, OPTION_OFF, OPTION_MODULE, OPTION_ON };

/* name: with its prefix, "CONFIG_MODULES". A value other than y, m and n is OPTION_ON.
 * OPTION_UNKNOWN only when there is no configuration at all: what it does not name is off. */
enum kernel_option kernel_option(const struct kernel *kernel, const char *name);
