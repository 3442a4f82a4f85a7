/* What ldconfig wants to know of a library in an image, and the kernel of a program, read from a
 * few pieces of it: a driver's libraries have hundreds of MB that nobody needs for that. Foreign
 * bytes.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image_files.h"

struct library_head {
	bool is_elf; /* little-endian: the next four mean something */
	bool is_64;
	uint16_t machine;
	uint32_t elf_flags;
	const char *interpreter; /* PT_INTERP, in arena; NULL when it has none */
	bool is_library;  /* ET_DYN with a dynamic segment and its strings: the rest means something
			   */
	bool needs_libc6; /* a libc.so.6 or libm.so.6, or an interpreter: made for libc 6 */
	const char *soname; /* in arena; NULL when it has none */
	unsigned isa_level; /* of x86, by PT_GNU_PROPERTY; 0: none asked for */
};

/* What cannot be read as a library is none; only a failing host is an error.
 * inode: a regular file  */
MUST_CHECK bool library_head_read(struct library_head *out, const struct image_files *files,
				  uint32_t inode, struct arena *arena, struct err *err);
