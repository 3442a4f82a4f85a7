/* A bundle as it lies in the store, open: manifest, index and data, found to fit together. */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "bundle.h"
#include "layers/index.h"

struct stored_bundle {
	char name[BUNDLE_NAME_BYTES]; /* of its folder */
	struct bundle bundle; /* owned, as are the next two */
	struct index index;
	int data_fd;
	struct digest manifest_digest;
};
#define STORED_BUNDLE_NONE (struct stored_bundle){ .data_fd = -1 }
void stored_bundle_closep(struct stored_bundle *stored);

/* dir_fd: the store's folder drivers/
 * Errors: ERR_NOT_FOUND  no such bundle
 *         ERR_INTEGRITY  its manifest is not the one its name was made of, its index not the one
 *                        the manifest names, data of another length, a file of the manifest that
 *                        the index lacks or has in another size
 *         ERR_FORMAT, ERR_UNSUPPORTED, ERR_IO */
MUST_CHECK bool stored_bundle_open(struct stored_bundle *out, int dir_fd, const char *name,
				   struct err *err);

/* The entry of that path, or NULL: entries of a bundle's index are sorted by path. */
const struct index_entry *stored_bundle_find(const struct stored_bundle *stored, const char *path);
