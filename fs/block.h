/* The one block size of our images, and the sizes that follow from it. */
#pragma once

#include "layers/index.h"

enum {
	BLOCK_BYTES = 4096,
	SECTORS_PER_BLOCK = BLOCK_BYTES / 512,
	INODE_BYTES = 256,
	INODES_PER_BLOCK = BLOCK_BYTES / INODE_BYTES,
	BLOCKS_PER_GROUP = 32768, /* one bitmap block's worth */
};
_Static_assert((int)BLOCK_BYTES == (int)INDEX_BLOCK_BYTES,
	       "extents of layers become extents of images");

/* An image's identity, a SHA-256, gives the UUID up to here and the hash seed from here on. */
enum { IDENTITY_SEED_AT = 16 };

/* Inode numbers that ext4 gives a meaning. */
enum {
	INODE_ROOT = 2,
	INODE_RESIZE = 7,
	INODE_JOURNAL = 8,
	INODE_LOST_FOUND = 11, /* the first that is not reserved */
};
