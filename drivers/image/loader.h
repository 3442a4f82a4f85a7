/* The image's own loader, for ELF files of one machine: which C library it belongs to, and where
 * it finds a library by the name that another asks for.
 *
 * It looks as ld.so of glibc does, or as musl's: rpaths, the cache, the folders built into the
 * loader. Not looked at: LD_LIBRARY_PATH, which setuid programs and `env -i` do not have, and
 * rpaths relative to a working directory that nobody knows. Symlinks stay inside the image.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ldcache.h"
#include "library.h"

enum {
	LOADER_PATHS_MAX = 1000 * 1000, /* looked for; 30 libraries of a driver take 1,000 */
};

enum loader_libc { LOADER_NO_LIBC, LOADER_GLIBC, LOADER_MUSL };

struct loader_machine; /* a row of loader.c's table */

struct loader {
	struct library_table *table; /* borrowed; its arena holds the strings here */
	const struct ldcache *cache; /* borrowed; in the file's order */
	bool is_64;
	uint16_t machine;
	const struct loader_machine *row; /* NULL: of a machine without any loader that we know */
	enum loader_libc libc;
	const char *libc_path; /* "/lib/x86_64-linux-gnu/libc.so.6", "/lib/ld-musl-x86_64.so.1" */
	const struct library *libc_library; /* glibc's; NULL otherwise */
	const char **folders; /* folders[folder_count], in its order: built in, or musl's */
	size_t folder_count;
	struct view lib; /* what $LIB stands for: "lib/x86_64-linux-gnu" */
};

/* Find the loader for such files; an image without one has libc LOADER_NO_LIBC.
 * Errors: ERR_IO, and those of library_table_get */
MUST_CHECK bool loader_open(struct loader *out, struct library_table *table,
			    const struct ldcache *cache, bool is_64, uint16_t machine,
			    struct err *err);

/* A library or program as it was loaded. */
struct loaded {
	const struct library *library;
	const char *path;		/* as the loader opened it: what $ORIGIN comes from */
	const struct loaded *loaded_by; /* the first that asked; NULL: a program, or dlopen */
	const char *asked_name;		/* NULL: as before */
};

enum loader_answer {
	LOADER_FOUND,
	LOADER_MISSING, /* nowhere */
	LOADER_REFUSES, /* what it finds first is no library: that ends the search */
	LOADER_ITSELF,	/* glibc: ld.so, which is there already; musl: a name that means musl */
};

struct loader_found {
	enum loader_answer answer;
	char path[PATH_MAX];	       /* FOUND, REFUSES: as the loader opened it */
	const struct library *library; /* FOUND */
	const char *reason;	       /* REFUSES: "not an ELF file" */
};

/* name: a DT_NEEDED of by; by NULL: asked for by a program without an rpath
 * Errors: ERR_UNSUPPORTED  over LOADER_PATHS_MAX paths in all; those of library_table_get
 * Source: glibc elf/dl-load.c (_dl_map_object, open_verify), elf/dl-cache.c,
 *         musl ldso/dynlink.c (load_library) */
MUST_CHECK bool loader_find(const struct loader *loader, const char *name, const struct loaded *by,
			    struct loader_found *out, struct err *err);

/* "x86-64", "32-bit x86", …, "foreign". */
const char *loader_machine_name(const struct loader *loader);
