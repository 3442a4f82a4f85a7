/* The xattrs among PAX records: SCHILY.xattr.NAME with the value as it is, LIBARCHIVE.xattr.NAME
 * with the name URL-encoded and the value in base64. libarchive writes both, so each counts once.
 * Source: star(5), "SCHILY.xattr"; libarchive tar(5), "LIBARCHIVE.xattr"
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "tar_pax.h"

/* Keep the record if it is an xattr. key: len bytes inside a text that may be changed: encoded
 * names and values are decoded where they stand.
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED past cap bytes in all */
MUST_CHECK bool tar_xattr_take(struct tar_pax *pax, char *key, size_t len, struct view value,
			       size_t cap, struct err *err);

/* All records are in: fill pax->xattrs. */
void tar_xattr_finish(struct tar_pax *pax);
