/* The parts of an ELF file that a loader goes by, of ELF32 and ELF64 alike: header, program
 * headers, dynamic entries, each turned into one shape.
 *
 * For callers that have a whole file as for those that read a few pieces of a big one; nothing here
 * follows an offset. Pure: no I/O, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct elf_header {
	bool is_64;
	uint16_t type, machine;	  /* ET_DYN, ET_EXEC; EM_X86_64, … */
	uint32_t flags;		  /* e_flags */
	uint64_t segments_offset; /* of the program headers */
	size_t segment_count;	  /* 0 to 65,534 */
	size_t segment_bytes;	  /* of one program header */
	size_t dynamic_bytes;	  /* of one entry of the dynamic segment */
};

enum {
	ELF_HEADER_BYTES_MAX = 64,  /* of the ELF header itself */
	ELF_SEGMENT_BYTES_MAX = 56, /* of a program header */
};

struct elf_segment {
	uint32_t type;		     /* PT_LOAD, … */
	uint64_t offset, file_bytes; /* in the file */
	uint64_t address;
};

struct elf_dynamic_entry {
	int64_t tag; /* DT_NEEDED, … */
	uint64_t value;
};

/* head:   the file's first bytes: ELF_HEADER_BYTES_MAX, or all of a shorter one
 * Errors: ERR_FORMAT       not ELF, cut off, or program headers of a size that is none
 *         ERR_UNSUPPORTED  big-endian
 * Source: gABI chapter 4, "ELF Header" */
MUST_CHECK bool elf_header_read(struct elf_header *out, struct view head, struct err *err);

/* at: segment_bytes, or dynamic_bytes, of the file */
struct elf_segment elf_segment_read(const struct elf_header *header, const char *at);
struct elf_dynamic_entry elf_dynamic_entry_read(const struct elf_header *header, const char *at);

/* The file offset of a virtual address, by a PT_LOAD segment. False when it is not in there. */
bool elf_segment_translate(const struct elf_segment *segment, uint64_t address, uint64_t *offset);
