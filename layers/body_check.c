#include "body_check.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "crc.h"

enum { WINDOW_BYTES = 1 << 20 };

/* A piece of data in memory. */
struct window {
	int fd;
	uint64_t data_bytes; /* of the file */
	uint64_t start; /* of the piece */
	size_t len;
	struct report *report;
	uint8_t bytes[WINDOW_BYTES];
};

/* What is there from offset on, at least one byte of it; the index is known to stay inside data. */
MUST_CHECK static bool window_at(struct window *window, uint64_t offset, struct view *out,
				 struct err *err)
{
	uint64_t left = window->data_bytes - offset;

	if (offset < window->start || offset - window->start >= window->len) {
		window->len = 0;
		size_t len = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;

		if (!file_pread(window->fd, window->bytes, len, offset, "data", err))
			return false;
		window->start = offset;
		window->len = len;
		report_did(window->report, REPORT_CHECK, len);
	}
	size_t skipped = (size_t)(offset - window->start);

	*out = (struct view){ (const char *)window->bytes + skipped, window->len - skipped };
	return true;
}

/* len bytes of data from offset on. */
MUST_CHECK static bool add_range(struct window *window, uint64_t offset, uint64_t len,
				 uint32_t *crc, struct err *err)
{
	while (len > 0) {
		struct view piece;

		if (!window_at(window, offset, &piece, err))
			return false;
		size_t count = piece.len < len ? piece.len : (size_t)len;

		*crc = crc32c_add(*crc, piece.ptr, count);
		offset += count;
		len -= count;
	}
	return true;
}

/* The checksum of a body as it lies there, holes as zeros. */
MUST_CHECK static bool sum_body(struct window *window, const struct index *index,
				const struct index_entry *entry, uint32_t *out, struct err *err)
{
	uint64_t done = 0;
	uint32_t crc = 0;

	for (uint32_t i = 0; i < entry->extent_count; i++) {
		const struct extent *extent = &index->extents[entry->extent_first + i];
		uint64_t start = extent->block * INDEX_BLOCK_BYTES, left = entry->size - start;
		uint64_t len = extent->block_count * INDEX_BLOCK_BYTES;

		len = len < left ? len : left;
		crc = crc32c_add_zeros(crc, start - done);
		if (!add_range(window, extent->data_block * INDEX_BLOCK_BYTES, len, &crc, err))
			return false;
		done = start + len;
	}
	*out = crc32c_add_zeros(crc, entry->size - done);
	return true;
}

bool body_check(const struct index *index, int data_fd, struct report *report, struct err *err)
{
	CLEANUP(freep) struct window *window = malloc(sizeof(*window));
	const struct index_entry *first = NULL;
	uint64_t damaged = 0;

	if (!window)
		return err_memory(err, "a piece of data");
	window->fd = data_fd;
	window->data_bytes = index->data_bytes;
	window->start = window->len = 0;
	window->report = report;
	for (uint64_t i = 0; i < index->entry_count; i++) {
		const struct index_entry *entry = &index->entries[i];
		uint32_t crc = 0;

		if (entry->kind != ENTRY_FILE)
			continue;
		if (!sum_body(window, index, entry, &crc, err))
			return false;
		if (crc == entry->body_crc32c)
			continue;
		first = first ? first : entry;
		damaged++;
	}
	if (!first)
		return true;
	struct view path = index_path(index, first);
	int shown = path.len < 300 ? (int)path.len : 300;

	if (damaged == 1)
		return err_set(err, ERR_INTEGRITY, "the body of %.*s is damaged", shown, path.ptr);
	return err_set(err, ERR_INTEGRITY, "%llu bodies are damaged, the first of %.*s",
		       (unsigned long long)damaged, shown, path.ptr);
}
