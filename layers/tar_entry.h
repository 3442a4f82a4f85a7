/* One entry of an archive: what its header block and all that stood in front of it say together.
 * What the entry means to an image is not decided here.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "index.h"
#include "tar_sparse.h"

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

/* tar.c's own, as is the next: the reader's header block is an entry's, and all that stands in
 * front of it has come.
 * Errors: those of tar_next, with the entry's name in front */
MUST_CHECK bool tar_entry_read(struct tar_reader *reader, struct tar_entry *out, struct err *err);
/* Is what has come of global records in order? No entry may follow that would tell. */
MUST_CHECK bool tar_entry_check_global(struct tar_reader *reader, struct err *err);
