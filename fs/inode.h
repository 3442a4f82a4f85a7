/* One inode's 256 bytes. Pure. Source: Linux fs/ext4/ext4.h, struct ext4_inode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "extents.h"
#include "xattrs.h"

enum {
	INODE_HAS_INDEX = 0x1000, /* EXT4_INDEX_FL */
	INODE_HAS_EXTENTS = 0x80000, /* EXT4_EXTENTS_FL */
	INODE_LINKS_MAX = 65000, /* EXT4_LINK_MAX */
};

struct inode {
	uint32_t mode; /* with the type */
	uint32_t uid, gid;
	uint32_t link_count; /* over 65,000 of a directory is written as 1: dir_nlink */
	uint64_t size;
	uint64_t block_count; /* of 4,096 bytes, all that belongs to it */
	int64_t mtime_seconds; /* within inode_clamp_time; atime is the same */
	uint32_t mtime_ns;
	int64_t image_time; /* ctime and crtime */
	uint32_t flags;
	uint8_t root[EXTENT_ROOT_BYTES]; /* i_block: extents, a short symlink, or a device */
	uint64_t xattr_block; /* 0: none */
	const uint8_t *xattrs; /* XATTR_INODE_BYTES, or NULL */
};

/* out: INODE_BYTES, without the checksum */
void inode_encode(uint8_t *out, const struct inode *inode);

/* Bring a time into what images hold, 1901 to 2446 without 2310 to 2378; true if it was outside.
 * ext4 has no such gap, but e2fsck takes times from 2310-04-04 to 2378-04-22 for those that an old
 * kernel wrote wrongly, and moves them before 1970; they become the gap's start.
 * Source: e2fsprogs e2fsck/pass1.c, check_inode_extra_negative_epoch. */
bool inode_clamp_time(int64_t *seconds, uint32_t *ns);

/* i_block of a device: 8-bit numbers in the old form, larger ones in the new. */
void inode_encode_device(uint8_t *root, uint32_t major, uint32_t minor);
