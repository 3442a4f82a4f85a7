/* The tar reader: what it hands out keeps the promises of layers/tar.h, whatever it was given.
 *
 * The first byte says how: bit 0, sum every block, since hardly a mutation survives a checksum;
 * the rest, in pieces of how many bytes the stream comes (0: in one). */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "layers/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 512, SUM_AT = 148, BUFFER = 4096 };

static void sum_blocks(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		unsigned sum = 0;
		char text[8] = "       ";

		memset(data + at + SUM_AT, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += data[at + i];
		if (sum == 8 * ' ')
			memset(data + at + SUM_AT, 0, 8); /* a zero block stays one */
		else if (snprintf(text, sizeof(text), "%06o", sum) == 6)
			memcpy(data + at + SUM_AT, text, 7);
	}
}

static struct queue *queue_of(const uint8_t *data, size_t size, size_t piece)
{
	struct queue *queue = NULL;
	struct err err;

	if (!queue_new(&queue, size / piece + 1, BUFFER, &err))
		abort();
	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		memcpy(queue_fill(queue), data + at, len);
		queue_push(queue, len);
	}
	queue_end(queue, NULL);
	return queue;
}

static void check_entry(const struct tar_entry *entry)
{
	uint64_t end = 0, sum = 0;

	assert(entry->kind >= ENTRY_FILE && entry->kind <= ENTRY_FIFO);
	assert(entry->path.len == 0 || !memchr(entry->path.ptr, '\0', entry->path.len));
	assert(entry->link.len == 0 || !memchr(entry->link.ptr, '\0', entry->link.len));
	assert(entry->mode <= 07777 && entry->mtime_ns < 1000000000);
	assert(entry->kind == ENTRY_FILE || entry->size + entry->stored_bytes == 0);
	assert(entry->is_sparse || entry->size == entry->stored_bytes);
	for (size_t i = 0; i < entry->segment_count; i++) {
		assert(entry->segments[i].offset >= end && entry->segments[i].len > 0);
		end = entry->segments[i].offset + entry->segments[i].len;
		sum += entry->segments[i].len;
	}
	assert(end <= entry->size && (!entry->is_sparse || sum == entry->stored_bytes));
	for (size_t i = 1; i < entry->xattr_count; i++)
		assert(!view_same(entry->xattrs[i - 1].name, entry->xattrs[i].name));
}

static bool read_body(struct tar_reader *reader, uint64_t stored_bytes, struct err *err)
{
	struct view piece = { 0 };
	uint64_t total = 0;

	do {
		if (!tar_body(reader, &piece, err))
			return false;
		total += piece.len;
	} while (piece.len > 0);
	assert(total == stored_bytes);
	return true;
}

static void read_all(struct input *input)
{
	CLEANUP(tar_freep) struct tar_reader *reader = NULL;
	struct tar_caps caps = TAR_CAPS_DEFAULT;
	struct tar_entry entry = { 0 };
	struct err err = { 0 };
	bool is_end = false;

	caps.sparse_segments = 1000;
	if (!tar_open(&reader, input, &caps, &err))
		abort();
	for (unsigned i = 0; tar_next(reader, &entry, &is_end, &err) && !is_end; i++) {
		check_entry(&entry);
		if (i % 2 == 0 && !read_body(reader, entry.stored_bytes, &err))
			break;
	}
	assert(is_end || ((err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED) && err.msg[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) uint8_t *copy = NULL;
	CLEANUP(queue_freep) struct queue *queue = NULL;

	if (size < 1)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		sum_blocks(copy, size - 1);
	struct input input = { .ptr = copy, .len = size - 1 };

	if (data[0] > 1) {
		queue = queue_of(copy, size - 1, data[0] >> 1);
		input = (struct input){ .queue = queue };
	}
	read_all(&input);
	return 0;
}
