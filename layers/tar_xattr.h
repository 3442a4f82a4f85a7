/* The xattrs among PAX records: SCHILY.xattr.NAME with the value as it is, LIBARCHIVE.xattr.NAME
 * with the name URL-encoded and the value in base64. libarchive writes both, so each counts once.
 * An xattr may have an empty value; it stays.
 * Source: star(5), "SCHILY.xattr"; libarchive tar(5), "LIBARCHIVE.xattr"
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "index.h"

struct tar_found_xattr; /* tar_xattr.c's own */

/* Those of one entry. */
struct tar_xattrs {
	struct xattr *sorted; /* owned; sorted[count], ascending by name, each once */
	size_t count;
	struct tar_found_xattr *found; /* owned; found[found_count], as they stand */
	size_t found_count, capacity; /* of both arrays */
	size_t bytes; /* of names and values */
};

void tar_xattr_freep(struct tar_xattrs *xattrs);
void tar_xattr_clear(struct tar_xattrs *xattrs);

/* Is that the key of an xattr? */
bool tar_xattr_is_key(struct view key);

/* Keep the record if it is an xattr. key: len bytes inside a text that may be changed: encoded
 * names and values are decoded where they stand.
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED past cap bytes in all */
MUST_CHECK bool tar_xattr_take(struct tar_xattrs *xattrs, char *key, size_t len, struct view value,
			       size_t cap, struct err *err);

/* All records are in: fill sorted. */
void tar_xattr_finish(struct tar_xattrs *xattrs);
