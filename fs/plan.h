/* Where everything will lie: inode numbers, directory sizes, blocks. Decides, writes nothing.
 *
 * Pure: from a tree and a list of free runs. In two steps, because how large the file system has to
 * be follows from the first and the free runs follow from that: plan_count says what is needed,
 * plan_place says where it goes. Everything follows the tree's numbers, which follow the layers'
 * order, so that neighbours in a stored layer's data are neighbours in the image.
 */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "extents.h"
#include "htree.h"
#include "layers/tree.h"
#include "space.h"

/* What the plan knows of an inode of the tree. */
struct plan_inode {
	uint32_t number; /* in the image; 0: dead */
	uint32_t extent_count;
	uint64_t extent_first; /* in plan.extents */
	uint64_t node_block; /* first block of its extent tree, when extents_node_count > 0 */
	uint64_t xattr_block; /* 0: none */
	uint32_t dir_blocks; /* directories: length in blocks */
	uint32_t subdir_count; /* directories: names of directories in it */
	uint32_t htree; /* directories: in plan.htrees, counted from 1; 0: without an index */
	bool has_xattr_block;
	uint8_t kind; /* enum entry_kind */
};

/* Bodies' blocks to copy: neighbours on both sides are one. */
struct copy {
	uint32_t layer;
	uint64_t data_block; /* in that layer's data */
	uint64_t image_block;
	uint64_t block_count;
};

struct plan {
	const struct tree *tree; /* borrowed */
	struct plan_inode *inodes; /* inodes[tree_inode_max + 1], by the tree's numbers; owned */
	struct hash_seed hash_seed; /* of all indexes */
	struct htree *htrees; /* htrees[htree_count], by the tree's numbers of inodes; owned */
	struct file_extent *extents; /* owned */
	struct copy *copies; /* copies[copy_count], ascending in the image per layer run; owned */
	uint64_t htree_count, htree_capacity;
	uint64_t extent_count, extent_capacity;
	uint64_t copy_count, copy_capacity;
	uint32_t inode_last; /* the highest number in use */
	bool makes_lost_found; /* the tree has none: number 11 and LOST_FOUND_BLOCKS are ours */
	uint64_t lost_found_block; /* the first of them */
	uint64_t head_blocks; /* directories, long symlinks, xattr blocks, lost+found */
	uint64_t body_blocks;
};

enum { LOST_FOUND_BLOCKS = 4 }; /* 16 KiB, as mke2fs: e2fsck can move files in without growing it */

/* A directory's index; NULL when it has none. */
static inline const struct htree *plan_htree(const struct plan *plan, uint32_t inode)
{
	uint32_t number = plan->inodes[inode].htree;

	return number == 0 ? NULL : &plan->htrees[number - 1];
}

/* Whether lost+found is to be among this directory's names. */
static inline bool plan_adds_lost_found(const struct plan *plan, uint32_t inode)
{
	return inode == TREE_ROOT && plan->makes_lost_found;
}

/* Errors: ERR_UNSUPPORTED  a file over 16 TiB, xattrs that do not fit, more names in a directory
 *                          than an index holds; each with its path
 *         ERR_FORMAT       an ACL that is none */
MUST_CHECK bool plan_count(struct plan *out, const struct tree *tree,
			   const struct digest *identity, struct err *err);
void plan_freep(struct plan *plan);

/* Lay everything out: directories, symlinks and xattr blocks first, then bodies, then extent
 * trees. *has_room is false, and the plan to be placed again, when the space does not suffice. */
MUST_CHECK bool plan_place(struct plan *plan, struct space *space, bool *has_room,
			   struct err *err);

/* The path of an inode, for sentences: one of its names, from the root; cut to the room there is.
 */
void plan_path(const struct tree *tree, uint32_t inode, char *out, size_t out_bytes);
