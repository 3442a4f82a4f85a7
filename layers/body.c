#include "body.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/le.h"
#include "crc.h"
#include "data_file.h"

enum {
	BLOCK = INDEX_BLOCK_BYTES,
	EXTENTS_PER_BODY_MAX = 65536, /* past it zeros are stored: a bound against hostile bodies */
};

struct body_writer {
	struct data_file *file; /* owned; the body's growing block is in its room */
	size_t partial_len; /* bytes in the growing block */
	uint64_t position; /* in the body */
	uint32_t crc;
	struct bytes extents; /* struct extent[] of the current body */
};

bool body_writer_new(struct body_writer **out, int fd, size_t buffer_bytes, struct err *err)
{
	CLEANUP(body_writer_freep) struct body_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return err_memory(err, "a layer's data");
	writer->extents = bytes_capped((size_t)UINT32_MAX * sizeof(struct extent));
	if (!data_file_new(&writer->file, fd, buffer_bytes, err))
		return false;
	*out = ptr_take(&writer);
	return true;
}

void body_writer_freep(struct body_writer **writer)
{
	if (!*writer)
		return;
	data_file_freep(&(*writer)->file);
	bytes_freep(&(*writer)->extents);
	free(*writer);
	*writer = NULL;
}

static bool is_zero(const char *block)
{
	return le64_get(block) == 0 && memcmp(block, block + 8, BLOCK - 8) == 0;
}

static size_t extent_count(const struct body_writer *writer)
{
	return writer->extents.len / sizeof(struct extent);
}

/* That many blocks of the body come to lie at the end of the file. */
MUST_CHECK static bool note_blocks(struct body_writer *writer, uint64_t block, uint64_t count,
				   struct err *err)
{
	uint64_t data_block = data_file_blocks(writer->file);
	struct extent fresh = { block, data_block, count };

	if (extent_count(writer) > 0) {
		struct extent *last = (struct extent *)(void *)writer->extents.data +
				      extent_count(writer) - 1;

		if (last->block + last->block_count == block &&
		    last->data_block + last->block_count == data_block) {
			last->block_count += count;
			return true;
		}
	}
	return bytes_append(&writer->extents, &fresh, sizeof(fresh), err);
}

/* A run of whole blocks without a zero one. */
MUST_CHECK static bool put_run(struct body_writer *writer, const char *data, size_t len,
			       uint64_t block, struct err *err)
{
	if (len == 0)
		return true;
	return note_blocks(writer, block, len / BLOCK, err) &&
	       data_file_add(writer->file, data, len, err);
}

static bool keeps_zeros(const struct body_writer *writer)
{
	return extent_count(writer) >= EXTENTS_PER_BODY_MAX;
}

/* Whole blocks straight from the caller's memory; the position is on a block boundary. */
MUST_CHECK static bool put_blocks(struct body_writer *writer, const char *data, size_t len,
				  struct err *err)
{
	uint64_t first = writer->position / BLOCK;
	size_t run = 0, offset = 0;

	for (; offset < len; offset += BLOCK) {
		if (keeps_zeros(writer) || !is_zero(data + offset))
			continue;
		if (!put_run(writer, data + run, offset - run, first + run / BLOCK, err))
			return false;
		run = offset + BLOCK;
	}
	writer->position += len;
	return put_run(writer, data + run, len - run, first + run / BLOCK, err);
}

/* The growing block is full, or the body ends in it: keep it or take it back. */
MUST_CHECK static bool close_partial(struct body_writer *writer, struct err *err)
{
	uint64_t block = (writer->position - 1) / BLOCK;
	char *start = data_file_room(writer->file);

	memset(start + writer->partial_len, 0, BLOCK - writer->partial_len);
	writer->partial_len = 0;
	if (is_zero(start) && !keeps_zeros(writer))
		return true;
	return note_blocks(writer, block, 1, err) && data_file_add_built(writer->file, err);
}

/* Add to the growing block. */
MUST_CHECK static bool put_partial(struct body_writer *writer, const char *data, size_t len,
				   struct err *err)
{
	memcpy(data_file_room(writer->file) + writer->partial_len, data, len);
	writer->partial_len += len;
	writer->position += len;
	return writer->partial_len < BLOCK || close_partial(writer, err);
}

void body_begin(struct body_writer *writer)
{
	writer->position = 0;
	writer->crc = 0;
	bytes_clear(&writer->extents);
}

bool body_write(struct body_writer *writer, struct view bytes, struct err *err)
{
	writer->crc = crc32c_add(writer->crc, bytes.ptr, bytes.len);
	while (bytes.len > 0) {
		size_t len = bytes.len / BLOCK * BLOCK;

		if (writer->partial_len > 0 || len == 0) {
			len = BLOCK - writer->partial_len;
			len = len < bytes.len ? len : bytes.len;
			if (!put_partial(writer, bytes.ptr, len, err))
				return false;
		} else if (!put_blocks(writer, bytes.ptr, len, err)) {
			return false;
		}
		bytes = view_from(bytes, len);
	}
	return true;
}

bool body_seek(struct body_writer *writer, uint64_t offset, struct err *err)
{
	static const char zeros[BLOCK];
	uint64_t gap = offset - writer->position;

	writer->crc = crc32c_add_zeros(writer->crc, gap);
	if (writer->partial_len > 0) {
		uint64_t fill = BLOCK - writer->partial_len;

		fill = fill < gap ? fill : gap;
		if (!put_partial(writer, zeros, (size_t)fill, err))
			return false;
		gap -= fill;
	}
	writer->position += gap / BLOCK * BLOCK;
	return gap % BLOCK == 0 || put_partial(writer, zeros, gap % BLOCK, err);
}

bool body_end(struct body_writer *writer, uint64_t size, const struct extent **extents,
	      size_t *count, uint32_t *crc32c, struct err *err)
{
	if (!body_seek(writer, size, err) ||
	    (writer->partial_len > 0 && !close_partial(writer, err)))
		return false;
	*extents = (const struct extent *)(const void *)writer->extents.data;
	*count = extent_count(writer);
	*crc32c = writer->crc;
	return true;
}

bool body_writer_finish(struct body_writer *writer, uint64_t *data_bytes, struct err *err)
{
	if (!data_file_finish(writer->file, err))
		return false;
	*data_bytes = data_file_blocks(writer->file) * BLOCK;
	return true;
}
