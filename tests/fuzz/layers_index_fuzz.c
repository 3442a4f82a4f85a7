/* A stored layer's index, with a checksum that fits: behind the door every offset is safe. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/le.h"
#include "layers/body_check.h"
#include "layers/crc.h"
#include "layers/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct view whole, struct view part)
{
	assert(part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_entry(const struct index *index, const struct index_entry *entry)
{
	struct xattr_cursor cursor = index_xattrs(index, entry);
	uint64_t end = 0;
	struct xattr xattr;

	assert(entry->kind > 0 && entry->kind < ENTRY_KIND_END && entry->mtime_ns < 1000000000);
	check_inside(index->strings, index_path(index, entry));
	check_inside(index->strings, index_link(index, entry));
	while (xattr_next(&cursor, &xattr)) {
		check_inside(index->strings, xattr.name);
		check_inside(index->strings, xattr.value);
	}
	for (uint32_t i = 0; i < entry->extent_count; i++) {
		const struct extent *extent = &index->extents[entry->extent_first + i];

		assert(extent->block_count > 0 && extent->block >= end);
		end = extent->block + extent->block_count;
		assert(extent->data_block + extent->block_count <=
		       index->data_bytes / INDEX_BLOCK_BYTES);
	}
	assert(end <= entry->size / INDEX_BLOCK_BYTES + 1);
}

/* Whatever the extents say, it reads inside of data, here zeros, and comes to an end. */
static void check_bodies(const struct index *index)
{
	enum { DATA_BYTES_MAX = 16 * INDEX_BLOCK_BYTES };
	CLEANUP(fd_closep) int data_fd = -1;
	struct err err = { 0 };

	if (index->data_bytes > DATA_BYTES_MAX)
		return;
	data_fd = memfd_create("data", MFD_CLOEXEC);
	assert(data_fd >= 0 && ftruncate(data_fd, (off_t)index->data_bytes) == 0);
	assert(body_check(index, data_fd, NULL, &err) || err.kind == ERR_INTEGRITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *copy = size >= 4 ? malloc(size) : NULL;
	struct index index;
	struct err err = { 0 };

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	le32_put(copy + size - 4, crc32c_add(0, copy, size - 4));
	if (!index_parse(&index, (struct view){ copy, size }, &err)) {
		assert(err.kind == ERR_INTEGRITY);
		return 0;
	}
	for (uint64_t i = 0; i < index.entry_count; i++)
		check_entry(&index, &index.entries[i]);
	check_bodies(&index);
	return 0;
}
