#include "body_map.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/map_guard.h"

void body_map_closep(struct body_map *map)
{
	if (map->mapped_bytes > 0) {
		map_guard_remove(map->bytes.ptr);
		munmap((void *)(uintptr_t)map->bytes.ptr, map->mapped_bytes);
	}
	*map = (struct body_map){ 0 };
}

/* Is [extent] inside of both the body and its data? */
static bool fits(const struct extent *extent, uint64_t body_bytes, uint64_t data_bytes)
{
	uint64_t end = 0, data_end = 0;

	return !__builtin_add_overflow(extent->block, extent->block_count, &end) &&
	       !__builtin_add_overflow(extent->data_block, extent->block_count, &data_end) &&
	       end <= body_bytes / INDEX_BLOCK_BYTES && data_end <= data_bytes / INDEX_BLOCK_BYTES;
}

MUST_CHECK static bool map_extents(char *base, int data_fd, const struct extent *extents,
				   size_t extent_count, uint64_t mapped_bytes, struct err *err)
{
	struct stat status;

	if (fstat(data_fd, &status) < 0)
		return err_os(err, "stat a stored layer's data");
	for (size_t i = 0; i < extent_count; i++) {
		const struct extent *extent = &extents[i];

		if (!fits(extent, mapped_bytes, (uint64_t)status.st_size))
			return err_set(err, ERR_INTEGRITY, "a body that lies outside of its data");
		if (mmap(base + extent->block * INDEX_BLOCK_BYTES,
			 extent->block_count * INDEX_BLOCK_BYTES, PROT_READ,
			 MAP_SHARED | MAP_FIXED, data_fd,
			 (off_t)(extent->data_block * INDEX_BLOCK_BYTES)) == MAP_FAILED)
			return err_os(err, "map a stored layer's data");
	}
	return true;
}

bool body_map_open(struct body_map *out, int data_fd, const struct extent *extents,
		   size_t extent_count, uint64_t size, struct err *err)
{
	uint64_t blocks = size / INDEX_BLOCK_BYTES + (size % INDEX_BLOCK_BYTES != 0);
	size_t bytes = (size_t)(blocks * INDEX_BLOCK_BYTES);

	if (size == 0) {
		*out = (struct body_map){ .bytes = { "", 0 } };
		return true;
	}
	/* Zeros all over, then the extents on top of them. */
	void *base = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			  0);

	if (base == MAP_FAILED)
		return err_os(err, "map %llu bytes", (unsigned long long)size);
	struct body_map map = { { base, (size_t)size }, bytes };

	if (!map_guard_add(base, bytes, data_fd, err)) {
		munmap(base, bytes);
		return false;
	}
	if (!map_extents(base, data_fd, extents, extent_count, bytes, err)) {
		body_map_closep(&map);
		return false;
	}
	*out = map;
	return true;
}

bool body_map_file(struct body_map *out, const struct tree *tree, const int *data_fds,
		   uint32_t inode, struct err *err)
{
	const struct tree_inode *node = tree_inode(tree, inode);

	return body_map_open(out, data_fds[node->layer],
			     node->index->extents + node->entry->extent_first,
			     node->entry->extent_count, node->entry->size, err);
}
