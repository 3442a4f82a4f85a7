/* Pieces of an ELF file in an image, read as they are asked for: a driver's libraries have hundreds
 * of MB of which their loader looks at a few KB.
 *
 * Foreign bytes: what does not lie in the file is told as not being there; only a failing host is
 * an error. Owns nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "drivers/elf/elf_program.h"
#include "image_files.h"

enum {
	LIBRARY_SEGMENTS_MAX = 256,	      /* glibc's own have 13 */
	LIBRARY_DYNAMIC_BYTES_MAX = 16 << 10, /* 1,000 entries: libraries need some dozen others */
	LIBRARY_PIECE_BYTES = 4096,	      /* a string longer than that has no end */
};

/* The bytes around the place that was read last, so that neighbours cost no read. */
struct library_piece {
	uint64_t offset;
	size_t len;
	char bytes[LIBRARY_PIECE_BYTES];
};

struct library_reader {
	const struct image_files *files; /* borrowed */
	uint32_t inode;
	uint64_t size;
	struct elf_header header;
	struct elf_segment segments[LIBRARY_SEGMENTS_MAX]; /* segments[header.segment_count] */
	char dynamic[LIBRARY_DYNAMIC_BYTES_MAX]; /* dynamic[dynamic_len], once it is read */
	size_t dynamic_len;
	uint64_t strings; /* file offset of the dynamic strings */
	struct library_piece strings_piece, tables_piece;
};

/* Read header and program headers.
 * inode:  a regular file
 * fault:  set to a sentence (kind other than ERR_NONE) where it is no ELF file; nothing else of the
 *         reader is to be used then */
MUST_CHECK bool library_reader_open(struct library_reader *reader, const struct image_files *files,
				    uint32_t inode, struct err *fault, struct err *err);

/* The first segment of that type, or NULL. */
const struct elf_segment *library_reader_segment(const struct library_reader *reader,
						 uint32_t type);

/* As many bytes from offset as there are, at most len; *got 0 past the end. */
MUST_CHECK bool library_reader_some(const struct library_reader *reader, uint64_t offset, void *out,
				    size_t len, size_t *got, struct err *err);

/* Read the dynamic segment; *is_there false when it has none, or none with strings. */
MUST_CHECK bool library_reader_dynamic(struct library_reader *reader, bool *is_there,
				       struct err *err);

/* The next dynamic entry of that tag from *cursor on, which starts as 0. */
bool library_reader_value(const struct library_reader *reader, int64_t tag, size_t *cursor,
			  uint64_t *value);

/* The file offset of an address; the address itself where no segment has it, as ldconfig does. */
uint64_t library_reader_offset(const struct library_reader *reader, uint64_t address);

/* A dynamic string, by its offset among them; ptr NULL when it does not end in time. Borrowed until
 * the next call. */
MUST_CHECK bool library_reader_string(struct library_reader *reader, uint64_t offset,
				      struct view *out, struct err *err);

/* len bytes of a table, at most LIBRARY_PIECE_BYTES; NULL when they are not all in the file.
 * Borrowed until the next call. */
MUST_CHECK bool library_reader_table(struct library_reader *reader, uint64_t offset, size_t len,
				     const char **out, struct err *err);
