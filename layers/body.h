/* The bodies in a layer's data file: from block boundary to block boundary, their all-zero blocks
 * left out, their CRC-32C made while the bytes are hot.
 *
 * One body at a time: body_begin, then body_seek and body_write in ascending order, then body_end.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "index.h"

struct body_writer;

enum { BODY_BUFFER_BYTES = 1 << 20 }; /* where memory is not short */

/* fd, buffer_bytes: as data_file_new takes them */
MUST_CHECK bool body_writer_new(struct body_writer **out, int fd, size_t buffer_bytes,
				struct err *err);
void body_writer_freep(struct body_writer **writer);

void body_begin(struct body_writer *writer);
MUST_CHECK bool body_write(struct body_writer *writer, struct view bytes, struct err *err);
/* What lies between here and offset is zeros; offset is not before the end of what was written. */
MUST_CHECK bool body_seek(struct body_writer *writer, uint64_t offset, struct err *err);
/* The body is size bytes long, zeros at its end included.
 * extents: borrowed until the next body_begin */
MUST_CHECK bool body_end(struct body_writer *writer, uint64_t size, const struct extent **extents,
			 size_t *extent_count, uint32_t *crc32c, struct err *err);

/* Write out what is still in memory; *data_bytes is the file's length, a multiple of 4,096. */
MUST_CHECK bool body_writer_finish(struct body_writer *writer, uint64_t *data_bytes,
				   struct err *err);
