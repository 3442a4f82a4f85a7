/* What the loader reads of a library, as a copy that outlives the bytes; see elf_dynamic.h. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

struct elf_need {
	struct view file; /* "libc.so.6" */
	struct view version; /* "GLIBC_2.34" */
};

struct elf_facts {
	bool is_dynamic; /* the loader has to do with it; the rest means something */
	bool is_64;
	uint16_t machine;
	struct view soname, rpath, runpath;
	const struct view *needed; /* needed[needed_count], in order */
	size_t needed_count;
	const struct elf_need *versions; /* versions[version_count], those that are not weak */
	size_t version_count;
	const struct view *defined; /* defined[defined_count], versions */
	size_t defined_count;
};

/* What is no ELF file, or a broken one, is not dynamic: no loader takes it.
 * arena: holds all of it */
MUST_CHECK bool elf_facts_read(struct elf_facts *out, struct arena *arena, struct view bytes,
			       struct err *err);
