/* The file system around the content: geometry, journal, bitmaps, superblocks, checksums. The one
 * place that includes libext2fs, besides gather.c, which does its writing, and what reads finished
 * images: reader.c, image_tree.c, image_extents.c and ext2_errors.c.
 *
 * libext2fs decides where group structures lie and keeps the accounts; inodes, directories, extents
 * and xattrs are encoded by us and written through it in long runs. It changes a geometry that does
 * not suit it without a word, so what counts is what ext4_shape says afterwards.
 */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "seal.h"
#include "space.h"
#include "span.h"

struct ext4;

struct ext4_request {
	uint64_t block_count;
	uint64_t inode_count; /* at least so many */
	int64_t time_seconds;
	struct digest identity;
	const char *label;
	bool is_read_only; /* never to be mounted for writing, nor grown */
};

struct ext4_shape {
	uint64_t block_count; /* may be less than requested: a last group too small is dropped */
	uint64_t free_blocks; /* after the group structures */
	uint64_t inode_count;
	uint32_t inodes_per_group;
	uint64_t group_min_blocks; /* a last group smaller than this is dropped */
};

/* Make one in memory; the file is opened but not written before ext4_add_reserved.
 * *is_possible is false when no file system of that shape exists (too small for its own
 * structures); then nothing is made.
 * Errors: ERR_UNSUPPORTED  more blocks than ext4 images here may have
 *         ERR_IO */
MUST_CHECK bool ext4_new(struct ext4 **out, int fd, const struct ext4_request *request,
			 bool *is_possible, struct err *err);
void ext4_freep(struct ext4 **ext4); /* forgets what is not written */

struct ext4_shape ext4_shape(const struct ext4 *ext4);

/* Journal length that mke2fs would give a file system of that size. */
uint64_t ext4_journal_blocks(uint64_t block_count);

/* Journal lengths that ext4 takes. */
enum { JOURNAL_BLOCKS_MIN = 1024, JOURNAL_BLOCKS_MAX = 10240000 };

/* Add the journal, in one piece from goal on (0 blocks: none), and the inode that makes growing
 * possible. */
MUST_CHECK bool ext4_add_reserved(struct ext4 *ext4, uint64_t journal_blocks, uint64_t goal,
				  struct err *err);

/* All free runs, ascending; owned by the caller. */
MUST_CHECK bool ext4_free_runs(struct ext4 *ext4, struct run **out, size_t *count,
			       struct err *err);

/* Account for blocks and inodes that are in use. */
void ext4_use_blocks(struct ext4 *ext4, struct run run);
void ext4_use_inode(struct ext4 *ext4, uint32_t number, bool is_dir);

/* Where an inode lies, in bytes from the image's start. */
uint64_t ext4_inode_offset(const struct ext4 *ext4, uint32_t number);
/* An inode that ext4_add_reserved made, INODE_BYTES with its checksum; zeros where it made none. */
MUST_CHECK bool ext4_read_inode(struct ext4 *ext4, uint32_t number, uint8_t *out, struct err *err);

/* What all its checksums start from. */
struct seal ext4_seal(const struct ext4 *ext4);

/* Give bitmaps, group descriptors and superblocks to what writes the image, and close. */
MUST_CHECK bool ext4_finish(struct ext4 **ext4, struct span *span, struct err *err);
