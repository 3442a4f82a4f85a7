#include "content.h"

#include <string.h>

#include "base/file.h"
#include "tree_walk.h"

MUST_CHECK static bool read_extent(int data_fd, const struct extent *extent, uint64_t offset,
				   char *out, size_t len, struct err *err)
{
	uint64_t start = extent->block * INDEX_BLOCK_BYTES;
	uint64_t end = start + extent->block_count * INDEX_BLOCK_BYTES;
	uint64_t from = start > offset ? start : offset;
	uint64_t to = end < offset + len ? end : offset + len;

	if (from >= to)
		return true;
	return file_pread(data_fd, out + (from - offset), (size_t)(to - from),
			  extent->data_block * INDEX_BLOCK_BYTES + (from - start),
			  "a stored layer's data", err);
}

bool content_read(const struct tree *tree, const int *data_fds, uint32_t inode, uint64_t offset,
		  void *out, size_t len, struct err *err)
{
	const struct tree_inode *node = tree_inode(tree, inode);
	const struct extent *extents = node->index->extents + node->entry->extent_first;

	if (offset > node->entry->size || len > node->entry->size - offset)
		return err_set(err, ERR_FORMAT, "a file of %llu bytes ends too early",
			       (unsigned long long)node->entry->size);
	memset(out, 0, len);
	for (uint32_t i = 0; i < node->entry->extent_count; i++)
		if (!read_extent(data_fds[node->layer], &extents[i], offset, out, len, err))
			return false;
	return true;
}

bool content_slurp(const struct tree *tree, const int *data_fds, const char *path,
		   struct bytes *out, struct err *err)
{
	uint32_t inode = TREE_NONE;
	char *room = NULL;

	if (!tree_walk(tree, view_of(path), true, &inode, err))
		return err_wrap(err, "%s", path);
	const struct tree_inode *node = inode == TREE_NONE ? NULL : tree_inode(tree, inode);

	if (!node || !node->entry || node->entry->kind != ENTRY_FILE)
		return err_set(err, ERR_NOT_FOUND, "the image has no file %s", path);
	if (!bytes_grow(out, node->entry->size, &room, err))
		return err_wrap(err, "%s", path);
	return content_read(tree, data_fds, inode, 0, room, node->entry->size, err);
}
