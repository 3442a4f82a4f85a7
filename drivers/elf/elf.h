/* ELF64 little-endian objects (kernel modules, vmlinux, shared libraries), read in place.
 *
 * elf_open checks every section's bounds and name once, so that behind it no view can point
 * outside. Pure: no I/O, no allocation; everything is borrowed from the bytes handed in.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct elf {
	struct view bytes;
	uint16_t type, machine; /* ET_REL, EM_X86_64, … of <elf.h> */
	uint64_t section_offset;
	uint64_t section_count; /* 0 when the file has no section table */
	struct view names;
};

struct elf_section {
	struct view name;
	struct view content; /* empty for SHT_NOBITS, whose size is in size */
	uint64_t size, flags, address, entry_size;
	uint32_t type, link, info;
};

/* Errors: ERR_FORMAT       not ELF, or a table or section that lies outside the bytes
 *         ERR_UNSUPPORTED  32-bit or big-endian
 * Source: gABI chapter 4, "Sections"; its escapes for 65,280 sections and more are honoured */
MUST_CHECK bool elf_open(struct elf *out, struct view bytes, struct err *err);

/* Section number index, below section_count. */
struct elf_section elf_section_at(const struct elf *elf, uint64_t index);

/* The first section of that name; false when there is none. */
bool elf_find(const struct elf *elf, const char *name, struct elf_section *out);
