/* PAX extended headers: the records that vmbake needs, and the xattrs in them.
 *
 * Global records are put in front of an entry's own and parsed with them, so that the later one
 * wins and an empty value brings back what the header block says, as POSIX wants it.
 * Source: POSIX pax, "pax Extended Header"; GNU tar manual, "Storing Sparse Files"; star(5)
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "tar_sparse.h"
#include "tar_xattr.h"

enum tar_key {
	TAR_PATH,
	TAR_LINK,
	TAR_SIZE,
	TAR_UID,
	TAR_GID,
	TAR_MTIME,
	TAR_RDEV_MAJOR,
	TAR_RDEV_MINOR,
	TAR_SPARSE_MAJOR,
	TAR_SPARSE_MINOR,
	TAR_SPARSE_NAME,
	TAR_SPARSE_SIZE,
	TAR_SPARSE_REALSIZE,
	TAR_SPARSE_COUNT,
	TAR_SPARSE_MAP,
	TAR_KEY_COUNT,
};

struct tar_pax {
	struct view values[TAR_KEY_COUNT]; /* len 0: the records do not say */
	struct tar_xattrs xattrs; /* owned */
};

void tar_pax_freep(struct tar_pax *pax);
void tar_pax_clear(struct tar_pax *pax);

/* text:   len bytes of records; views into it are kept, and xattrs are decoded in place
 * map:    takes the segments of PAX sparse 0.0
 * cap:    most bytes of names and values of xattrs
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED past a cap */
MUST_CHECK bool tar_pax_parse(struct tar_pax *pax, char *text, size_t len, struct tar_map *map,
			      size_t cap, struct err *err);

/* Drop the records that nobody needs, as "comment", from a text that is kept for many entries. What
 * is left says the same; of a broken text what is broken is left too. Returns its length. */
size_t tar_pax_drop_unneeded(char *text, size_t len);

/* "-5.25" is 6 seconds before 1970 and 750,000,000 ns. Digits past the ninth are dropped.
 * False when it is no time. */
MUST_CHECK bool tar_pax_time(struct view text, int64_t *seconds, uint32_t *ns);
