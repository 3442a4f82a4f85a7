/* The folders that a glibc loader looks into without being told, read from the loader's own bytes:
 * every distribution compiles in its own ("/lib/x86_64-linux-gnu/", "/usr/lib64/", …).
 *
 * ld.so has them in one array, one string behind the other, each with a slash at its end. Pure: no
 * I/O. Foreign bytes: number and length are capped.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

enum { LOADER_BUILT_IN_MAX = 64, LOADER_BUILT_IN_BYTES_MAX = 1024 /* one folder */ };

/* file:    ld.so's bytes
 * folders: folders[count], in its order, without the slash at the end; in arena. count 0: none seen
 * Source:  glibc elf/Makefile (trusted-dirs.h), elf/dl-load.c (system_dirs) */
MUST_CHECK bool loader_built_in_read(struct view file, struct arena *arena, const char ***folders,
				     size_t *count, struct err *err);
