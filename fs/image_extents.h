/* Where a file of a finished image lies: its extent tree, read by hand, since libext2fs's own walk
 * can be led through the same blocks for ever. Part of image_tree. */
#pragma once

#include <ext2fs/ext2fs.h>

#include "base/bytes.h"
#include "base/err.h"
#include "layers/index.h"

enum { IMAGE_EXTENT_STEPS_MAX = 32 << 20 }; /* of all files of an image */

/* Append the inode's struct extents, ascending; what is unwritten reads as a hole and is left out.
 * steps:  how many entries may still be looked at; counted down
 * inode:  of that number
 * Errors: ERR_FORMAT       a tree that makes no sense, or leads out of the file system
 *         ERR_UNSUPPORTED  an inode with blocks and without extents */
MUST_CHECK bool image_extents_read(struct bytes *out, uint64_t *steps, ext2_filsys fs,
				   ext2_ino_t number, const struct ext2_inode_large *inode,
				   struct err *err);
