/* The driver bundles of the store: drivers/NAME/{vmbake-driver.json,data,index}.
 *
 * As with layers, a name exists only if it is whole. A bundle's name holds the digest of its
 * manifest, so the same import gives the same name, and the second is a success that changes
 * nothing.
 */
#pragma once

#include "base/folder.h"
#include "drivers/bundle/stored_bundle.h"
#include "store.h"

/* The folder drivers/, for stored_bundle_open. */
MUST_CHECK bool driver_store_open(struct store *store, int *dir_fd, struct err *err);

MUST_CHECK bool driver_store_list(struct store *store, struct folder_names *out, struct err *err);

/* The one bundle whose name is, or starts with, what the user gave: a version, or as much of the
 * name as makes it one of a kind.
 * Errors: ERR_NOT_FOUND  none
 *         ERR_USAGE      several, which are named */
MUST_CHECK bool driver_store_find(struct store *store, const char *given,
				  char out[BUNDLE_NAME_BYTES], struct err *err);

/* The draft becomes that bundle, unless it is there and whole; either way it is there then. */
MUST_CHECK bool driver_store_keep(struct store *store, struct store_draft *draft, const char *name,
				  bool *was_there, struct err *err);

/* Errors: ERR_NOT_FOUND */
MUST_CHECK bool driver_store_remove(struct store *store, const char *name, struct err *err);
