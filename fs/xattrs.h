/* Xattrs as ext4 stores them: in the room that the inode leaves, the rest in one block. Pure.
 * Source: Linux fs/ext4/xattr.h and acl.h; kernel documentation "ext4/attributes". */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "layers/index.h"

enum { XATTR_INODE_BYTES = 96 }; /* behind the 32 extra bytes of a 256-byte inode */

struct encoded_xattrs {
	bool in_inode, in_block; /* is there anything in … */
	uint8_t inode[XATTR_INODE_BYTES]; /* zeroed where unused */
	uint8_t block[INDEX_BLOCK_BYTES]; /* without its checksum */
};

/* Errors: ERR_UNSUPPORTED  more than the inode and a block hold, a name that ext4 has no place for
 *         ERR_FORMAT       a POSIX ACL that is none */
MUST_CHECK bool xattrs_encode(struct encoded_xattrs *out, const struct index *index,
			      const struct index_entry *entry, struct err *err);
