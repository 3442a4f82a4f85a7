/* What the loader reads of a library or program: its own name, what it needs, and from which
 * versions of it; its interpreter. Of ELF32 and ELF64, little-endian, by program headers alone,
 * as the loader does it (sections may be stripped).
 *
 * Every offset is checked when the file is opened, so that behind it no view can point outside.
 * Pure: no I/O, no allocation; everything is borrowed from the bytes handed in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct elf_dynamic {
	struct view bytes;
	bool is_64;
	uint16_t type, machine; /* ET_DYN, ET_EXEC; EM_X86_64, … */
	uint32_t flags; /* e_flags, which tell 32-bit ABIs apart */
	struct view interpreter; /* PT_INTERP without its NUL; empty when it has none */
	bool is_dynamic; /* has PT_DYNAMIC: the rest means something */
	struct view soname, rpath, runpath; /* empty when there is none */
	struct view strings, dynamic; /* DT_STRTAB; the segment */
	uint64_t verneed_offset, verneed_count, verdef_offset, verdef_count; /* in bytes */
	struct view osabi_note; /* .note.ABI-tag's descriptor, by PT_NOTE; empty when none */
};

/* Errors: ERR_FORMAT       not ELF, or a table, string or offset that lies outside the bytes
 *         ERR_UNSUPPORTED  big-endian
 * Source: gABI chapters 4 and 5, LSB "Symbol Versioning" */
MUST_CHECK bool elf_dynamic_open(struct elf_dynamic *out, struct view bytes, struct err *err);

/* The next DT_NEEDED. *cursor starts as 0; false when there are no more. */
bool elf_dynamic_next_needed(const struct elf_dynamic *elf, size_t *cursor, struct view *name);

/* The next version that is needed ("GLIBC_2.34" of "libc.so.6"). *cursor starts as { 0 }. */
struct elf_version_cursor {
	uint64_t file_offset, version_offset; /* 0: at the start */
	uint64_t file_number, version_number;
};
bool elf_dynamic_next_version_needed(const struct elf_dynamic *elf,
				     struct elf_version_cursor *cursor, struct view *file,
				     struct view *version, bool *is_weak);
/* The next version that is defined here. */
bool elf_dynamic_next_version_defined(const struct elf_dynamic *elf,
				      struct elf_version_cursor *cursor, struct view *version);
