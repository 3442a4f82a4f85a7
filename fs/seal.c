#include "seal.h"

#include "base/le.h"
#include "block.h"
#include "layers/crc.h"

enum {
	UUID_BYTES = 16,
	INODE_LOW_AT = 124, /* the two halves of an inode's checksum */
	INODE_HIGH_AT = 130,
	NAMES_AT = BLOCK_BYTES - 12, /* the tail: what ends the names, then the checksum */
	INDEX_AT = BLOCK_BYTES - 8, /* the tail: four bytes of zero, then the checksum */
	ROOT_COUNT_AT = 34, /* how many entries an index block has … */
	NODE_COUNT_AT = 10,
	EXTENTS_AT = BLOCK_BYTES - 4,
	XATTRS_AT = 16,
};

struct seal seal_of(const uint8_t *uuid)
{
	return (struct seal){ crc32c_add(0, uuid, UUID_BYTES) };
}

static uint32_t start_of(const struct seal *seal, uint32_t number)
{
	uint8_t owner[8] = { 0 }; /* number and generation */

	le32_put(owner, number);
	return crc32c_add(seal->crc, owner, sizeof(owner));
}

/* ext4 leaves out the inversion at the end. */
static void put_crc(uint8_t *to, uint32_t crc)
{
	le32_put(to, ~crc);
}

void seal_inode(const struct seal *seal, uint32_t number, uint8_t *inode)
{
	uint32_t crc;

	le16_put(inode + INODE_LOW_AT, 0);
	le16_put(inode + INODE_HIGH_AT, 0);
	crc = ~crc32c_add(start_of(seal, number), inode, INODE_BYTES);
	le16_put(inode + INODE_LOW_AT, (uint16_t)crc);
	le16_put(inode + INODE_HIGH_AT, (uint16_t)(crc >> 16));
}

void seal_names(const struct seal *seal, uint32_t number, uint8_t *block)
{
	put_crc(block + NAMES_AT + 8, crc32c_add(start_of(seal, number), block, NAMES_AT));
}

/* Only the entries that are in use count, then the tail, its own checksum as zero. */
void seal_index(const struct seal *seal, uint32_t number, uint8_t *block, bool is_root)
{
	unsigned count_at = is_root ? ROOT_COUNT_AT : NODE_COUNT_AT;
	size_t used = count_at - 2 + le16_get(block + count_at) * 8u;
	uint32_t crc = crc32c_add(start_of(seal, number), block, used);

	put_crc(block + INDEX_AT + 4, crc32c_add_zeros(crc, BLOCK_BYTES - INDEX_AT));
}

void seal_extents(const struct seal *seal, uint32_t number, uint8_t *block)
{
	put_crc(block + EXTENTS_AT, crc32c_add(start_of(seal, number), block, EXTENTS_AT));
}

void seal_xattrs(const struct seal *seal, uint64_t at, uint8_t *block)
{
	uint8_t place[8];

	le64_put(place, at);
	le32_put(block + XATTRS_AT, 0);
	put_crc(block + XATTRS_AT, crc32c_add(crc32c_add(seal->crc, place, sizeof(place)), block,
					     BLOCK_BYTES));
}
