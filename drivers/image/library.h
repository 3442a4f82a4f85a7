/* What the image's loader goes by in a library or program of the image: its names, what it needs
 * and from which versions, what versions it has; and all that were looked at, each read once.
 *
 * Foreign bytes: numbers and lengths are capped; a file that no loader would take has a fault.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image_files.h"

enum {
	LIBRARIES_MAX = 4096,	     /* looked at in one image; a desktop's closure is 300 */
	LIBRARY_VERSIONS_MAX = 4096, /* of each table; libstdc++ has 60 */
};

struct library_version {
	const char *file; /* "libc.so.6": of whom it is needed; NULL for what is defined */
	const char *name; /* "GLIBC_2.34" */
	uint32_t hash;	  /* as the file says: ld.so compares these first */
	bool is_weak;	  /* its absence is no error */
};

/* All strings are in the table's arena; NULL: there is none. */
struct library {
	const char *fault; /* why no loader takes it; the rest means nothing then */
	bool is_64;
	uint16_t machine, type; /* EM_X86_64, …; ET_DYN, ET_EXEC */
	const char *interpreter;
	const char *soname, *rpath, *runpath;
	const char **needed; /* needed[needed_count], in its order */
	size_t needed_count;
	struct library_version *versions_needed; /* versions_needed[versions_needed_count] */
	size_t versions_needed_count;
	struct library_version *versions_defined; /* with the base one, which is the file's name */
	size_t versions_defined_count; /* 0: it has no versions, and loads with a need for any */
};

struct library_table {
	const struct image_files *files; /* borrowed */
	const struct library **by_inode; /* by_inode[inode], NULL: not yet read; owned */
	size_t count;
	size_t path_count;  /* that were looked for: the loaders' own */
	struct arena arena; /* owned */
};
MUST_CHECK bool library_table_new(struct library_table *out, const struct image_files *files,
				  struct err *err);
void library_table_freep(struct library_table *table);

/* The library in a file, or what is wrong with it; borrowed until the table is freed.
 * inode:  any, also of what is no file: that is a fault
 * Errors: ERR_UNSUPPORTED  over LIBRARIES_MAX, or names of over 64 MiB
 *         ERR_IO           a stored layer that cannot be read
 * Source: gABI chapter 5, LSB "Symbol Versioning" */
MUST_CHECK bool library_table_get(struct library_table *table, uint32_t inode,
				  const struct library **out, struct err *err);
