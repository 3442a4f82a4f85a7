/* A file's extents as ext4 stores them: up to four inside the inode, more in a tree of blocks.
 * Pure. Source: Linux fs/ext4/ext4_extents.h; kernel documentation "ext4/ifork". */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	EXTENT_BLOCKS_MAX = 32768, /* of one initialised extent */
	EXTENT_ROOT_BYTES = 60, /* i_block */
	EXTENT_ROOT_MAX = 4, /* entries in it */
	EXTENT_NODE_MAX = 340, /* entries in a block, with room for its checksum */
};

/* Blocks of a file that lie one behind the other in the image. */
struct file_extent {
	uint32_t block; /* in the file */
	uint32_t count; /* 1 to EXTENT_BLOCKS_MAX */
	uint64_t physical; /* in the image */
};

/* How many blocks the tree over that many extents takes, besides the inode: 0 for up to four.
 * node_max: entries in a block; EXTENT_NODE_MAX but in tests of deep trees */
uint64_t extents_node_count(uint64_t extent_count, unsigned node_max);

/* The root in the inode, and the tree's blocks without their checksums.
 * root:       EXTENT_ROOT_BYTES
 * nodes:      extents_node_count() blocks of 4,096 bytes, zeroed: leaves first, then their
 *             parents, and so on up
 * node_block: where nodes[0] lies in the image; the others follow */
void extents_encode(uint8_t *root, uint8_t *nodes, uint64_t node_block,
		    const struct file_extent *extents, uint64_t extent_count, unsigned node_max);
