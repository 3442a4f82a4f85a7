#include "image_extents.h"

#include <ext2fs/ext3_extents.h>

#include "base/cleanup.h"
#include "block.h"

enum {
	DEPTH_MAX = 5, /* EXT4_MAX_EXTENT_DEPTH */
	ROOT_ENTRIES_MAX = (60 - 12) / 12, /* in an inode */
	NODE_ENTRIES_MAX = (BLOCK_BYTES - 12) / 12,
	UNWRITTEN_FROM = 32768, /* lengths over it are of blocks that read as zeros */
};

/* A node of the tree, on the way down. */
struct node {
	_Alignas(uint64_t) char block[BLOCK_BYTES];
	uint32_t next, count; /* entries taken, and in all */
};

struct walk_down {
	struct bytes *out;
	ext2_filsys fs;
	ext2_ino_t number;
	uint64_t size_blocks; /* of the file, rounded up */
	uint64_t next_block; /* nothing before it may come any more: ends every walk */
	struct node *nodes; /* nodes[DEPTH_MAX + 1], owned; the inode's own first */
	uint32_t depth; /* of the tree */
	uint64_t *steps;
};

MUST_CHECK static bool broken(struct err *err)
{
	return err_set(err, ERR_FORMAT, "a broken file system: extents that make no sense");
}

static bool is_header_right(const struct ext3_extent_header *header, uint32_t depth, uint32_t max)
{
	return header->eh_magic == EXT3_EXT_MAGIC && header->eh_depth == depth &&
	       header->eh_entries <= header->eh_max && header->eh_max <= max;
}

MUST_CHECK static bool add_extent(struct walk_down *walk, const struct ext3_extent *entry,
				  struct err *err)
{
	bool is_unwritten = entry->ee_len > UNWRITTEN_FROM;
	uint64_t len = is_unwritten ? entry->ee_len - UNWRITTEN_FROM : entry->ee_len;
	uint64_t start = (uint64_t)entry->ee_start_hi << 32 | entry->ee_start;
	struct extent extent = { entry->ee_block, start, len };

	if (len == 0 || entry->ee_block < walk->next_block || start == 0 ||
	    start + len > ext2fs_blocks_count(walk->fs->super))
		return broken(err);
	walk->next_block = entry->ee_block + len;
	/* Blocks behind the end may be there, made beforehand; nobody can read them. */
	if (extent.block >= walk->size_blocks || is_unwritten)
		return true;
	if (extent.block_count > walk->size_blocks - extent.block)
		extent.block_count = walk->size_blocks - extent.block;
	return bytes_append(walk->out, &extent, sizeof(extent), err);
}

/* The node below an entry. An index that starts before what came last is broken; so each node
 * that is entered brings the walk on, or ends it. */
MUST_CHECK static bool enter_node(struct walk_down *walk, uint32_t level,
				  const struct ext3_extent_idx *entry, struct err *err)
{
	uint64_t block = (uint64_t)entry->ei_leaf_hi << 32 | entry->ei_leaf;
	struct node *node = &walk->nodes[level];
	struct ext3_extent_header *header = (void *)node->block;

	if (block == 0 || block >= ext2fs_blocks_count(walk->fs->super) ||
	    entry->ei_block < walk->next_block ||
	    io_channel_read_blk64(walk->fs->io, block, 1, node->block) != 0 ||
	    !is_header_right(header, walk->depth - level, NODE_ENTRIES_MAX) ||
	    header->eh_entries == 0 ||
	    !ext2fs_extent_block_csum_verify(walk->fs, walk->number, header))
		return broken(err);
	node->next = 0;
	node->count = header->eh_entries;
	return true;
}

MUST_CHECK static bool walk_nodes(struct walk_down *walk, struct err *err)
{
	uint32_t level = 0;

	for (;;) {
		struct node *node = &walk->nodes[level];
		const char *entry = node->block + 12 + (size_t)node->next * 12;

		if (node->next == node->count) {
			if (level == 0)
				return true;
			level--;
			continue;
		}
		node->next++;
		if ((*walk->steps)-- == 0)
			return err_set(err, ERR_UNSUPPORTED, "more extents than an image may have");
		if (level == walk->depth) {
			if (!add_extent(walk, (const void *)entry, err))
				return false;
		} else if (!enter_node(walk, ++level, (const void *)entry, err)) {
			return false;
		}
	}
}

bool image_extents_read(struct bytes *out, uint64_t *steps, ext2_filsys fs, ext2_ino_t number,
			const struct ext2_inode_large *inode, struct err *err)
{
	CLEANUP(freep) struct node *nodes = NULL;
	struct node root = { 0 };
	struct walk_down walk = {
		.out = out,
		.fs = fs,
		.number = number,
		.size_blocks = EXT2_I_SIZE(inode) / BLOCK_BYTES +
			       (EXT2_I_SIZE(inode) % BLOCK_BYTES != 0),
		.nodes = &root,
		.steps = steps,
	};
	const struct ext3_extent_header *header = (const void *)root.block;

	if (!(inode->i_flags & EXT4_EXTENTS_FL))
		return inode->i_blocks == 0 ||
		       err_set(err, ERR_UNSUPPORTED, "a file that is not stored in extents");
	memcpy(root.block, inode->i_block, sizeof(inode->i_block));
	if (header->eh_depth > DEPTH_MAX ||
	    !is_header_right(header, header->eh_depth, ROOT_ENTRIES_MAX))
		return broken(err);
	walk.depth = header->eh_depth;
	root.count = header->eh_entries;
	if (walk.depth > 0) {
		nodes = calloc(walk.depth + 1, sizeof(*nodes));
		if (!nodes)
			return err_memory(err, "a file's extents");
		nodes[0] = root;
		walk.nodes = nodes;
	}
	return walk_nodes(&walk, err);
}
