/* What an image is, as far as a driver's files are concerned: which C library its programs use and
 * where that one's loader looks for libraries.
 *
 * Judged by the image's own ELF interpreter and its libc.so.6, never by the distribution's name.
 * Nothing of the image is executed. Foreign bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image_files.h"
#include "init/contract/boot_config.h"
#include "loader_conf.h"

enum image_libc {
	IMAGE_LIBC_NONE, /* no dynamic loader: only static programs run */
	IMAGE_LIBC_GLIBC,
	IMAGE_LIBC_MUSL,
};

struct image_probe {
	enum image_libc libc;
	uint16_t machine;	       /* EM_X86_64, EM_AARCH64: as asked for */
	const char *interpreter;       /* as programs name it; NULL without a libc */
	struct text_list built_in;     /* folders that the loader has built in, as it has them */
	struct loader_folders folders; /* those of the cache; of glibc only */

	/* Absolute, without symlinks; what does not exist yet is to be made. */
	const char *libdir, *libdir32, *bindir;
	bool libdir_is_searched; /* without ld.so.conf or a cache */
	unsigned glibc_minor;	 /* 36 of 2.36; 0: not known */
	bool has_cache;		 /* /etc/ld.so.cache */
	struct arena arena;	 /* owned */
};
void image_probe_freep(struct image_probe *probe);

/* program: the entrypoint's first word, absolute, or NULL: asked for its interpreter when the image
 *          has no /bin/sh
 * machine: of the image's platform
 * Errors:  ERR_FORMAT  an ld.so.conf over a cap
 *          ERR_IO */
MUST_CHECK bool image_probe(struct image_probe *out, const struct image_files *files,
			    uint16_t machine, const char *program, struct err *err);
