/* A tree and its layers' data become an ext4 image: the whole of fs/ behind one call.
 *
 * fs sees a tree, never a tar or a registry. The same tree and options give the same bytes,
 * whatever the thread count, the host's file system or what stood in the file before.
 */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/report.h"
#include "layers/tree.h"

enum { IMAGE_BLOCK_BYTES = 4096 };

struct image_options {
	uint64_t size_bytes; /* of the whole image; 0: what the tree needs plus free space */
	uint64_t free_bytes; /* wanted free space, when size_bytes is 0 … */
	unsigned free_percent; /* … or this share of what the tree needs, if that is more */
	int64_t time_seconds; /* 1 to 2^32-1: ctime, crtime, superblock times, made folders */
	struct digest identity; /* UUID and hash seed are derived from it */
	unsigned jobs; /* threads that copy, at least 1 */
	char label[17]; /* volume name, may be "" */
	uint64_t inode_count; /* of the whole image, at least; 0: as many as spare_inodes says */
	uint64_t journal_bytes; /* 0: as mke2fs would */
	bool has_no_journal;
	/* Shared between machines that only read: no journal, no spare inodes, no free space beyond
	 * size_bytes or free_bytes, a feature that keeps kernels from mounting it for writing. */
	bool is_read_only;
	bool is_read_next; /* by a hash tree: what is copied is left in the page cache */
};

enum copy_method {
	COPY_NOTHING, /* there was no body to copy */
	COPY_REFLINK,
	COPY_FILE_RANGE,
	COPY_READ_WRITE,
	COPY_METHOD_COUNT,
};

struct image_result {
	uint64_t size_bytes, used_bytes, free_bytes;
	uint64_t inode_count, free_inode_count;
	uint64_t data_bytes; /* of bodies, holes not counted */
	uint64_t copied_bytes; /* of those, moved rather than cloned */
	enum copy_method method; /* that carried most of them */
	uint64_t clamped_mtime_count; /* that inode_clamp_time moved */
};

/* Write the image.
 * fd:       a regular file or a block device, open for reading and writing; what was in it is lost,
 *           and unspecified on failure. Not synced: the caller commits it.
 * data_fds: data_fds[layer_count], the data file of each layer number in the tree; -1 for a layer
 *           without bodies
 * report:   REPORT_WRITE counts the bodies' bytes; a note when an mtime had to be clamped
 * Errors: ERR_SPACE        size_bytes or inode_count is too small ("… needs at least N …"), the
 *                          host is full
 *         ERR_UNSUPPORTED  what ext4 cannot hold, with the path named: an xattr that is too big,
 *                          more than 65,000 links to a file, a size over 16 TiB; a journal under
 *                          4 MiB or over 40,000 MiB
 *         ERR_IO */
MUST_CHECK bool image_write(int fd, const struct tree *tree, const int *data_fds,
			    uint32_t layer_count, const struct image_options *options,
			    struct report *report, struct image_result *out, struct err *err);

/* What a finished image says of itself. */
struct image_facts {
	uint64_t size_bytes, free_bytes;
	uint64_t inode_count, free_inode_count;
	uint8_t uuid[16];
	char label[17];
	int64_t time_seconds; /* s_mkfs_time */
	bool is_read_only; /* kernels do not mount it for writing */
};

struct image_reader; /* a finished image, open for reading; no mount, nothing is changed */
/* Errors: ERR_NOT_FOUND, ERR_FORMAT (not an ext4 file system) */
MUST_CHECK bool image_reader_open(struct image_reader **out, const char *path, struct err *err);
void image_reader_facts(const struct image_reader *reader, struct image_facts *out);
/* A regular file's content, at most out's cap; symlinks are not followed.
 * Errors: ERR_NOT_FOUND, ERR_UNSUPPORTED (over the cap), ERR_FORMAT (a broken file system) */
MUST_CHECK bool image_reader_slurp(struct image_reader *reader, const char *path,
				   struct bytes *out, struct err *err);
void image_reader_freep(struct image_reader **reader);
