/* The entries of the loader's cache, found as ldconfig finds them: every shared library in the
 * loader's folders, under the name it gives itself. drivers/image/ldcache.h writes them.
 *
 * Reads a few hundred bytes of each library. Differs from ldconfig where that would change the
 * image's own files: no link is made, renewed or removed. A library of the image without a link of
 * its own name is entered by its file's name, where ldconfig would enter the link that it makes.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image_files.h"
#include "ldcache.h"
#include "loader_conf.h"

struct ldconfig_target {
	uint16_t machine; /* of the image: EM_X86_64, EM_AARCH64; libraries of others are no use */
	unsigned glibc_minor; /* 36 of 2.36: before 37 ldconfig tells libc 6 by DT_NEEDED */
};

/* Add the libraries of all folders to cache, in the order in which equals are kept.
 * skipped: skipped[skipped_count], directories to pass over
 * arena:   holds what the entries point to
 * Errors:  ERR_IO  a stored layer that cannot be read
 * Source:  glibc elf/ldconfig.c (search_dir), elf/readelflib.c, sysdeps/x86/readelflib.c */
MUST_CHECK bool ldconfig_collect(struct ldcache *cache, struct arena *arena,
				 const struct image_files *files,
				 const struct loader_folders *folders,
				 const struct ldconfig_target *target, const uint32_t *skipped,
				 size_t skipped_count, struct err *err);
