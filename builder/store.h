/* The store: unpacked layers, images, and what is being made (DESIGN.md §4).
 *
 * A name in it exists only if it is whole. What is being made lives in a folder of its own under
 * tmp/, locked while its process lives; the next process removes what a killed one left there.
 * Two processes that want the same thing do the work once: they lock its key.
 *
 * What somebody has open stays readable when its name goes, so whoever uses a thing opens all of
 * it first, and whoever removes one holds its key and no more. When a thing was last used is the
 * mtime of its file: a layer's or driver's data, an image, a kernel's facts, a kept blob; of a
 * .part, when bytes last came. Where that cannot be written, builds go on.
 */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/report.h"
#include "layers/index.h"

struct store {
	char path[PATH_MAX];
	int dir_fd; /* owned, as are the next two */
	int blobs_fd; /* blobs/sha256 */
	int tmp_fd;
	int64_t lock_timeout_ms; /* -1: wait for ever */
};
#define STORE_NONE (struct store){ .dir_fd = -1, .blobs_fd = -1, .tmp_fd = -1 }

/* Open the store, made if missing, and clear what killed processes left.
 * path: NULL: $VMBAKE_STORE, else /var/lib/vmbake for root and $XDG_CACHE_HOME/vmbake (by default
 *       ~/.cache/vmbake) for others */
MUST_CHECK bool store_open(struct store *out, const char *path, int64_t lock_timeout_ms,
			   struct err *err);
/* A store that is there, for who looks before he makes: nothing is made, cleared or waited for.
 * blobs_fd and tmp_fd are -1 where it has no such folder.   Errors: ERR_NOT_FOUND */
MUST_CHECK bool store_open_as_is(struct store *out, const char *path, struct err *err);
/* The folders of a store that was opened as it is. */
MUST_CHECK bool store_make_folders(struct store *store, struct err *err);
void store_closep(struct store *store);

/* A layer as it is stored, open. */
struct stored_layer {
	struct index index; /* owned */
	int data_fd; /* owned */
};
#define STORED_LAYER_NONE (struct stored_layer){ .data_fd = -1 }
void stored_layer_closep(struct stored_layer *layer);

/* Checks index and length of data, not the bodies.
 * Errors: ERR_NOT_FOUND  none, or one that is being removed
 *         ERR_INTEGRITY, ERR_FORMAT  it is damaged */
MUST_CHECK bool store_open_layer(const struct store *store, const struct digest *diff_id,
				 struct stored_layer *out, struct err *err);
/* For a build: *is_there is false when there is none, or when what is there is damaged (a note says
 * so). What is found counts as used. */
MUST_CHECK bool store_find_layer(struct store *store, const struct digest *diff_id,
				 struct report *report, struct stored_layer *out, bool *is_there,
				 struct err *err);

/* Make a key mine: waits for another process that has it. Held until the fd is closed.
 * kind, name: "layer" or "image" and hex digits, "driver" and a bundle's name */
MUST_CHECK bool store_lock(struct store *store, const char *kind, const char *name, int *lock_fd,
			   struct err *err);
/* Let go of it, and remove its file as nothing of that name is there any more. */
void store_lock_discard(struct store *store, const char *kind, const char *name, int *lock_fd);
/* An empty folder to make something in. */
struct store_draft {
	int dir_fd; /* owned, flocked; -1 when none */
	char name[32]; /* under tmp/ */
	int tmp_fd; /* borrowed from the store */
};
#define STORE_DRAFT_NONE (struct store_draft){ .dir_fd = -1 }
MUST_CHECK bool store_draft_open(struct store *store, struct store_draft *out, struct err *err);
/* Its content becomes that layer, in place of a damaged one. The files in it are already synced;
 * the caller holds the layer's lock. */
MUST_CHECK bool store_draft_keep_layer(struct store *store, struct store_draft *draft,
				       const struct digest *diff_id, struct err *err);
/* The same for any folder: path is relative to the store's; the caller holds its lock. */
MUST_CHECK bool store_draft_keep(struct store *store, struct store_draft *draft, const char *path,
				 struct err *err);
void store_draft_discardp(struct store_draft *draft);

/* Is that how drafts are called? Everything else in tmp/ is not ours. */
bool store_is_draft_name(const char *name);
/* A draft of a process that does not live any more: hold it, so that nobody else clears it. */
MUST_CHECK bool store_draft_seize(struct store *store, const char *name, int *dir_fd);

/* Take a folder out of the store: into a draft, so that its name goes at once; to discard that
 * deletes it. path: relative to the store's; the caller holds its lock.
 * Errors: ERR_NOT_FOUND */
MUST_CHECK bool store_remove(struct store *store, const char *path, struct store_draft *out,
			     struct err *err);

/* The folder kernels/, where drivers/kernel_facts keeps what kernels say of themselves. */
MUST_CHECK bool store_open_kernels(struct store *store, int *dir_fd, struct err *err);

/* Where an image with that key is or will be, relative to dir_fd: "images/HEX.ext4". */
enum { STORE_IMAGE_PATH_BYTES = 100 };
void store_image_path(const struct digest *key, char out[STORE_IMAGE_PATH_BYTES]);
/* store_lock for an image's key and for a layer's. */
MUST_CHECK bool store_lock_image(struct store *store, const struct digest *key, int *lock_fd,
				 struct err *err);
MUST_CHECK bool store_lock_layer(struct store *store, const struct digest *diff_id, int *lock_fd,
				 struct err *err);
