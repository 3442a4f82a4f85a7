/* Large directories' index: names in the order of their hashes, cut into leaf blocks, and the
 * blocks that say which leaf holds which hashes.
 *
 * Pure. Block 0 is the root, then come the nodes of the second level if there is one, then the
 * leaves. Leaves are filled to four fifths, as e2fsck -D does, so that a machine can add files
 * without splitting each block that it touches; only a directory that the index could not hold so
 * is filled to the brim. Hashes that are equal may lie in two leaves: the second one's entry then
 * has its lowest bit set, which tells the kernel to look on.
 * Source: Linux fs/ext4/namei.c, struct dx_root, dx_node, ext4_htree_next_block.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "layers/tree.h"
#include "name_hash.h"

enum {
	HTREE_ROOT_MAX = 507, /* entries behind "." and "..", with room for the checksum */
	HTREE_NODE_MAX = 510,
	HTREE_LEAVES_MAX = HTREE_ROOT_MAX * HTREE_NODE_MAX, /* without the feature large_dir */
};

struct htree_leaf {
	uint32_t first; /* its first name, in names */
	uint32_t hash; /* as the index has it */
};

struct htree {
	uint32_t *names; /* names[name_count], the tree's numbers by hash; owned */
	struct htree_leaf *leaves; /* leaves[leaf_count]; owned */
	uint32_t name_count, leaf_count;
	uint32_t node_count; /* 0: the root leads to the leaves */
};

/* dir_inode:       of the tree
 * adds_lost_found: one name more than the tree has; its number in names is TREE_NONE
 * Errors: ERR_UNSUPPORTED  more names than two levels can hold */
MUST_CHECK bool htree_make(struct htree *out, const struct tree *tree, uint32_t dir_inode,
			   bool adds_lost_found, const struct hash_seed *seed, struct err *err);
void htree_freep(struct htree *htree);

uint32_t htree_block_count(const struct htree *htree);

/* The root's part of block 0, behind "." and ".." (24 bytes), without its checksum. */
void htree_fill_root(const struct htree *htree, uint8_t *block);
/* A block of the second level. number: below node_count; block: zeroed, without its checksum */
void htree_fill_node(const struct htree *htree, uint32_t number, uint8_t *block);

/* A leaf's names are names[first] up to names[end - 1]. */
uint32_t htree_leaf_end(const struct htree *htree, uint32_t leaf);
