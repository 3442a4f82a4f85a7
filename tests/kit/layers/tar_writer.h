/* Writes tars byte by byte, so that headers no library would make can be made.
 *
 * A header is a block that starts out right and is then bent field by field; it is summed when it
 * is added. Knows the format from POSIX and GNU's manual, not from layers/tar_header.h, so that
 * the reader is not tested against itself. Running out of memory ends the program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { WRITER_BLOCK_BYTES = 512 };

enum writer_format { WRITER_V7, WRITER_USTAR, WRITER_GNU, WRITER_STAR };

enum writer_field {
	FIELD_NAME,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_SIZE,
	FIELD_MTIME,
	FIELD_CHECKSUM,
	FIELD_TYPE,
	FIELD_LINK,
	FIELD_MAGIC,
	FIELD_DEVMAJOR,
	FIELD_DEVMINOR,
	FIELD_PREFIX,
	FIELD_STAR_PREFIX,
	FIELD_STAR_TRAILER,
	FIELD_GNU_ATIME,
	FIELD_GNU_SPARSE, /* four times offset and length, 12 bytes each */
	FIELD_GNU_IS_EXTENDED,
	FIELD_GNU_REAL_SIZE,
};

struct writer_header {
	char block[WRITER_BLOCK_BYTES];
};

/* mode 0755 for directories, else 0644; ids and mtime 0; name cut off at 100 bytes. */
struct writer_header writer_header(enum writer_format format, char type, const char *name,
				   uint64_t size);
/* The rest of the field is NUL. */
void writer_text(struct writer_header *header, enum writer_field field, const char *text);
void writer_bytes(struct writer_header *header, enum writer_field field, const void *data,
		  size_t len);
/* Zero-padded octal and a NUL; as base-256 where it does not fit or is negative. */
void writer_number(struct writer_header *header, enum writer_field field, int64_t number);
void writer_base256(struct writer_header *header, enum writer_field field, int64_t number);

enum writer_sum { SUM_UNSIGNED, SUM_SIGNED, SUM_WRONG };
void writer_add(struct bytes *out, struct writer_header header, enum writer_sum sum);

/* A body and its padding; body NULL: zeros. */
void writer_add_body(struct bytes *out, const void *body, size_t len);
/* "LEN KEY=VALUE\n" */
void writer_record(struct bytes *text, const char *key, const void *value, size_t len);
/* A header of type 'x' or 'g' with these records, or of type 'L' or 'K' with a name. */
void writer_add_text(struct bytes *out, enum writer_format format, char type, const void *text,
		     size_t len);
void writer_add_zeros(struct bytes *out, size_t block_count);
/* A whole file in one call: ustar header, body, padding. */
void writer_add_file(struct bytes *out, const char *name, const char *body);
