/* Symlinks: up to 59 bytes inside the inode, longer ones in a block. */
#pragma once

#include "layers/tree.h"

enum { SYMLINK_INODE_MAX = 59 }; /* i_block has 60 bytes, one is the NUL */

static inline bool symlink_is_long(const struct tree_inode *inode)
{
	return inode->entry && inode->entry->kind == ENTRY_SYMLINK &&
	       inode->entry->link_len > SYMLINK_INODE_MAX;
}
