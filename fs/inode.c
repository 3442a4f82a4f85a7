#include "inode.h"

#include "base/le.h"

enum {
	EXTRA_BYTES = 32, /* from offset 128: all fields that the kernel knows */
};

/* Offsets of struct ext4_inode. */
enum {
	AT_MODE = 0,
	AT_UID = 2,
	AT_SIZE = 4,
	AT_ATIME = 8,
	AT_CTIME = 12,
	AT_MTIME = 16,
	AT_GID = 24,
	AT_LINKS = 26,
	AT_SECTORS = 28,
	AT_FLAGS = 32,
	AT_BLOCK = 40,
	AT_FILE_ACL = 104,
	AT_SIZE_HIGH = 108,
	AT_SECTORS_HIGH = 116,
	AT_FILE_ACL_HIGH = 118,
	AT_UID_HIGH = 120,
	AT_GID_HIGH = 122,
	AT_EXTRA_BYTES = 128,
	AT_CTIME_EXTRA = 132,
	AT_MTIME_EXTRA = 136,
	AT_ATIME_EXTRA = 140,
	AT_CRTIME = 144,
	AT_CRTIME_EXTRA = 148,
	AT_XATTRS = 160,
};

/* 32 signed bits of seconds, then 2 bits that count how often they wrapped, and nanoseconds. */
static void put_time(uint8_t *out, unsigned at, unsigned at_extra, int64_t seconds, uint32_t ns)
{
	uint32_t epoch = (uint32_t)((seconds - (int32_t)seconds) >> 32) & 3;

	le32_put(out + at, (uint32_t)seconds);
	le32_put(out + at_extra, ns << 2 | epoch);
}

bool inode_clamp_time(int64_t *seconds, uint32_t *ns)
{
	const int64_t first = INT32_MIN, gap_end = (int64_t)3 << 32;
	const int64_t gap = gap_end + INT32_MIN, last = gap_end + INT32_MAX;

	if (*seconds >= first && *seconds <= last && !(*seconds >= gap && *seconds < gap_end))
		return false;
	*ns = *seconds < first ? 0 : 999999999;
	*seconds = *seconds < first ? first : *seconds > last ? last : gap - 1;
	return true;
}

void inode_encode_device(uint8_t *root, uint32_t major, uint32_t minor)
{
	memset(root, 0, EXTENT_ROOT_BYTES);
	if (major < 256 && minor < 256)
		le32_put(root, major << 8 | minor);
	else
		le32_put(root + 4, (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12);
}

void inode_encode(uint8_t *out, const struct inode *inode)
{
	uint64_t sectors = inode->block_count * SECTORS_PER_BLOCK;
	uint32_t link_count = inode->link_count <= INODE_LINKS_MAX ? inode->link_count : 1;

	memset(out, 0, INODE_BYTES);
	le16_put(out + AT_MODE, (uint16_t)inode->mode);
	le16_put(out + AT_UID, (uint16_t)inode->uid);
	le16_put(out + AT_UID_HIGH, (uint16_t)(inode->uid >> 16));
	le16_put(out + AT_GID, (uint16_t)inode->gid);
	le16_put(out + AT_GID_HIGH, (uint16_t)(inode->gid >> 16));
	le32_put(out + AT_SIZE, (uint32_t)inode->size);
	le32_put(out + AT_SIZE_HIGH, (uint32_t)(inode->size >> 32));
	le16_put(out + AT_LINKS, (uint16_t)link_count);
	le32_put(out + AT_SECTORS, (uint32_t)sectors);
	le16_put(out + AT_SECTORS_HIGH, (uint16_t)(sectors >> 32));
	le32_put(out + AT_FLAGS, inode->flags);
	memcpy(out + AT_BLOCK, inode->root, EXTENT_ROOT_BYTES);
	le32_put(out + AT_FILE_ACL, (uint32_t)inode->xattr_block);
	le16_put(out + AT_FILE_ACL_HIGH, (uint16_t)(inode->xattr_block >> 32));
	le16_put(out + AT_EXTRA_BYTES, EXTRA_BYTES);
	put_time(out, AT_MTIME, AT_MTIME_EXTRA, inode->mtime_seconds, inode->mtime_ns);
	put_time(out, AT_ATIME, AT_ATIME_EXTRA, inode->mtime_seconds, inode->mtime_ns);
	put_time(out, AT_CTIME, AT_CTIME_EXTRA, inode->image_time, 0);
	put_time(out, AT_CRTIME, AT_CRTIME_EXTRA, inode->image_time, 0);
	if (inode->xattrs)
		memcpy(out + AT_XATTRS, inode->xattrs, XATTR_INODE_BYTES);
}
