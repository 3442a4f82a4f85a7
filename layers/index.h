/* The index of a stored layer: all about its entries except the file bodies (DESIGN.md §4).
 *
 * On disk and in memory it is the same bytes, little-endian, mapped and read in place: a header,
 * entries in tar order, extents, strings, and the CRC-32C of all before it. Opening one checks
 * magic, version, lengths, checksum and every offset inside, so that behind it all views are safe.
 * struct index_builder makes one; whether it came from a tar or is synthetic, nobody can tell.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/view.h"

enum {
	INDEX_BLOCK_BYTES = 4096, /* unit of extents, as in data and in the image */
};

enum entry_kind {
	ENTRY_FILE = 1,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK, /* link: the target's clean path */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_WHITEOUT, /* path: the name to remove, without ".wh." */
	ENTRY_OPAQUE, /* path: the folder to empty */
	ENTRY_KIND_END,
};

/* A run of a body's blocks that lie one behind the other in data. What no extent covers is a hole:
 * zeros. Ascending by block, never overlapping. */
struct extent {
	uint64_t block; /* in the body, in blocks of 4,096 bytes */
	uint64_t data_block; /* in the layer's data file */
	uint64_t block_count; /* at least 1 */
};

/* One entry as it is stored; 88 bytes, native little-endian. Offsets are into the strings. */
struct index_entry {
	uint64_t size; /* bytes of a file; 0 for all else */
	int64_t mtime_seconds; /* since 1970, may be negative */
	uint64_t extent_first; /* in the index's extents */
	uint32_t extent_count;
	uint32_t mtime_ns; /* 0 to 999,999,999, counts forward from mtime_seconds */
	uint32_t uid, gid;
	uint32_t mode; /* 07777, without the type */
	uint32_t rdev_major, rdev_minor;
	uint32_t path_offset, path_len; /* clean: layers/path.h; "" is the root */
	uint32_t link_offset, link_len; /* symlink or hardlink target, raw or clean */
	uint32_t xattrs_offset, xattrs_len; /* see struct xattr_cursor */
	uint32_t body_crc32c; /* of all size bytes, holes as zeros */
	uint8_t kind; /* enum entry_kind */
	uint8_t reserved[7]; /* 0 */
};
_Static_assert(sizeof(struct index_entry) == 88, "a change here is a new INDEX_VERSION");

struct index {
	const struct index_entry *entries; /* entries[entry_count], in tar order */
	uint64_t entry_count;
	const struct extent *extents; /* extents[extent_count] */
	uint64_t extent_count;
	struct view strings;
	uint64_t data_bytes; /* length of the data file, a multiple of 4,096 */
	uint64_t body_bytes; /* sum of the entries' sizes */
	struct digest diff_id; /* zeros for a synthetic layer */
	struct file_map map; /* owned; empty when the bytes are someone else's */
};

static inline struct view index_path(const struct index *index, const struct index_entry *entry)
{
	return (struct view){ index->strings.ptr + entry->path_offset, entry->path_len };
}

static inline struct view index_link(const struct index *index, const struct index_entry *entry)
{
	return (struct view){ index->strings.ptr + entry->link_offset, entry->link_len };
}

/* The xattrs of an entry, ascending by name, each name once. Values are bytes. */
struct xattr {
	struct view name; /* with its prefix: "user.x", "security.capability" */
	struct view value;
};
struct xattr_cursor {
	struct view rest;
};
struct xattr_cursor index_xattrs(const struct index *index, const struct index_entry *entry);
bool xattr_next(struct xattr_cursor *cursor, struct xattr *out); /* false: no more */

/* Read an index in place. Errors: ERR_INTEGRITY when anything about it is off */
MUST_CHECK bool index_parse(struct index *out, struct view bytes, struct err *err);
MUST_CHECK bool index_open(struct index *out, int dir_fd, const char *path, struct err *err);
void index_closep(struct index *index);
/* How many entries an index says it has, for showing: nothing of it is checked but magic and
 * version. */
MUST_CHECK bool index_peek(uint64_t *entry_count, int dir_fd, const char *path);

/* What is known of an entry when it is added; views are copied. */
struct entry {
	enum entry_kind kind;
	struct view path; /* clean */
	struct view link;
	uint32_t mode, uid, gid;
	uint32_t rdev_major, rdev_minor;
	int64_t mtime_seconds;
	uint32_t mtime_ns;
	uint64_t size;
	uint32_t body_crc32c;
	const struct xattr *xattrs; /* xattrs[xattr_count], in any order, each name once */
	size_t xattr_count;
	const struct extent *extents; /* extents[extent_count], ascending by block */
	size_t extent_count;
};

struct index_builder;
MUST_CHECK bool index_builder_new(struct index_builder **out, struct err *err);
/* Errors: ERR_UNSUPPORTED when a count or the strings grow past what an index can hold */
MUST_CHECK bool index_builder_add(struct index_builder *builder, const struct entry *entry,
				  struct err *err);
/* So far: of all paths, links and xattrs, and how many extents. */
uint64_t index_builder_string_bytes(const struct index_builder *builder);
uint64_t index_builder_extents(const struct index_builder *builder);
/* The finished index, into memory or into a file; the builder is not to be used further.
 * data_bytes: length of the data file; diff_id: NULL for a synthetic layer */
MUST_CHECK bool index_builder_finish(struct index_builder *builder, uint64_t data_bytes,
				     const struct digest *diff_id, struct bytes *out,
				     struct err *err);
MUST_CHECK bool index_builder_write(struct index_builder *builder, uint64_t data_bytes,
				    const struct digest *diff_id, int fd, struct err *err);
void index_builder_freep(struct index_builder **builder);
