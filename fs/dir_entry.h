/* The sizes of a directory's entries, for all that count with them.
 * Source: Linux fs/ext4/ext4.h, struct ext4_dir_entry_2 and ext4_dir_entry_tail. */
#pragma once

#include <stddef.h>

#include "block.h"

enum {
	DIR_HEAD_BYTES = 8, /* of an entry, without its name */
	DIR_TAIL_BYTES = 12, /* a fake entry that holds the block's checksum */
	DIR_ROOM_BYTES = BLOCK_BYTES - DIR_TAIL_BYTES,
};

static inline size_t dir_entry_bytes(size_t name_len)
{
	return (DIR_HEAD_BYTES + name_len + 3) & ~(size_t)3;
}
