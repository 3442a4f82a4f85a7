/* The loader's cache, /etc/ld.so.cache: where ld.so finds a library by its name without looking
 * into folders. Read as any glibc wrote it, written as glibc 2.32 and later do.
 *
 * Written here because ldconfig would have to run from or on the image. Pure: no I/O. Foreign
 * bytes: every offset is checked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"

enum {
	LDCACHE_X86_64 = 0x303, /* flags of an entry: libc6 and the architecture */
	LDCACHE_AARCH64 = 0xa03,
	LDCACHE_I386 = 0x3,
	LDCACHE_LOADER_I386 = 0x1, /* ld-linux.so.2 alone */
};

struct ldcache_entry {
	struct view name; /* SONAME: what a program asks for */
	struct view path; /* absolute */
	struct view hwcaps; /* folder below glibc-hwcaps ("x86-64-v3"), or empty */
	uint32_t flags;
	uint32_t osversion; /* least kernel, of caches before 2.36; else 0 */
	uint64_t hwcap; /* bits of caches before 2.33; for hwcaps entries: isa level << 32 */
};

struct ldcache {
	struct ldcache_entry *entries; /* entries[count]; owned, their views are borrowed */
	size_t count, capacity;
};
void ldcache_freep(struct ldcache *cache);

/* Add a cache's entries, in its order.
 * bytes:  the file; borrowed, must outlive the entries. Empty: no entries
 * Errors: ERR_FORMAT       not a cache, or one with an offset that leads outside of it
 *         ERR_UNSUPPORTED  a cache of before glibc 2.2, or big-endian */
MUST_CHECK bool ldcache_read(struct ldcache *out, struct view bytes, struct err *err);

/* Add one entry. Among equals (same name, flags and hwcaps) the one added first wins. */
MUST_CHECK bool ldcache_add(struct ldcache *cache, const struct ldcache_entry *entry,
			    struct err *err);

/* Sort the entries as ld.so searches them and append the file to out.
 * Errors: ERR_UNSUPPORTED  past out's cap, or past 4 GiB
 * Source: glibc elf/cache.c (compare), sysdeps/generic/dl-cache.h */
MUST_CHECK bool ldcache_write(struct bytes *out, struct ldcache *cache, struct err *err);

/* The order of names in a cache, before it is turned round: numbers count as numbers, and come
 * after all else. <0, 0, >0. */
int ldcache_compare_names(struct view a, struct view b);
