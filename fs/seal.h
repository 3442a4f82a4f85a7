/* Checksums of metadata: CRC-32C over the file system's UUID, over whose it is, and over the bytes.
 *
 * Pure. Ours rather than libext2fs's, which reads the inode from the image for each block of it.
 * Inodes have generation 0 in all images. All blocks have 4,096 bytes, inodes INODE_BYTES.
 * Source: kernel documentation "ext4/checksums".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What all checksums of an image start from. */
struct seal {
	uint32_t crc; /* of the UUID */
};

struct seal seal_of(const uint8_t *uuid); /* uuid: 16 bytes */

/* number: of the inode that it is, or that it belongs to */
void seal_inode(const struct seal *seal, uint32_t number, uint8_t *inode);
void seal_names(const struct seal *seal, uint32_t number, uint8_t *block); /* of a directory */
void seal_index(const struct seal *seal, uint32_t number, uint8_t *block, bool is_root);
void seal_extents(const struct seal *seal, uint32_t number, uint8_t *block);
/* at: where it lies in the image, in blocks */
void seal_xattrs(const struct seal *seal, uint64_t at, uint8_t *block);
