/* The tar format, read once front to back: headers become entries, bodies are handed on in place.
 *
 * Our own because layer tars must come out exactly (DESIGN.md §8 lists what libarchive loses). Go's
 * archive/tar, which wrote most layers there are, is the reference: v7, ustar, GNU (long names,
 * sparse, base-256), PAX (local, global, GNU sparse 0.0, 0.1, 1.0), star. Knows nothing of
 * whiteouts, of what a path means, or of files: names come out as bytes, as they stand.
 * Foreign bytes: every length is checked, every size capped.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "index.h"
#include "input.h"

/* Caps against hostile archives; TAR_CAPS_DEFAULT has sensible ones. */
struct tar_caps {
	size_t header_bytes; /* one PAX header or GNU long name: 1 MiB, as Go's reader */
	size_t xattr_bytes; /* names and values of one entry, each spelling: 256 KiB, which fit into
			     * one however they are spelled; ext4 holds far less */
	size_t sparse_segments; /* of one entry: 1,048,576 */
	uint64_t file_bytes; /* logical size of one file: 16 TiB */
};
#define TAR_CAPS_DEFAULT                                                                           \
	{                                                                                          \
		.header_bytes = 1 << 20, .xattr_bytes = 256 << 10, .sparse_segments = 1 << 20,     \
		.file_bytes = UINT64_C(16) << 40,                                                  \
	}

/* Stored data of a sparse file: data bytes that belong at offset. Ascending, not overlapping. */
struct tar_segment {
	uint64_t offset, len;
};

/* All views are borrowed until the next tar_next. */
struct tar_entry {
	enum entry_kind kind; /* FILE, DIR, SYMLINK, HARDLINK, CHAR, BLOCK or FIFO */
	struct view path, link; /* raw; no NUL inside */
	uint32_t mode; /* 07777 */
	uint32_t uid, gid;
	int64_t mtime_seconds;
	uint32_t mtime_ns;
	uint32_t rdev_major, rdev_minor;
	uint64_t size; /* logical: a sparse file's holes counted */
	uint64_t stored_bytes; /* of body that tar_body will hand out */
	const struct xattr *xattrs; /* xattrs[xattr_count]: SCHILY and LIBARCHIVE ones, each name
				     * once, unfiltered */
	size_t xattr_count;
	const struct tar_segment *segments; /* segments[segment_count], sums to stored_bytes */
	size_t segment_count;
	bool is_sparse; /* else the body is size bytes from offset 0 and segments is empty */
};

struct tar_reader;
MUST_CHECK bool tar_open(struct tar_reader **out, struct input *input, const struct tar_caps *caps,
			 struct err *err);
void tar_freep(struct tar_reader **reader);

/* The next entry; *is_end instead when the archive ends (two zero blocks, one, or plain end of
 * stream on a block boundary). What is left of the body before is skipped. Entries of unknown type
 * are skipped or taken as files as POSIX says (pax, "typeflag"); volume headers and the like are
 * skipped.
 * Errors: ERR_FORMAT       a broken header, named by entry where it has a name; a truncation
 *         ERR_UNSUPPORTED  past a cap, an id over 2^32-1, a device number that Linux cannot hold,
 *                          a multi-volume archive */
MUST_CHECK bool tar_next(struct tar_reader *reader, struct tar_entry *out, bool *is_end,
			 struct err *err);

/* The next piece of the current entry's stored body, in place; empty when there is no more.
 * Borrowed until the next call. */
MUST_CHECK bool tar_body(struct tar_reader *reader, struct view *piece, struct err *err);
