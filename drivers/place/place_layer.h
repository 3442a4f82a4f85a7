/* A layer in the making, seen against the image it goes onto: paths are resolved through the
 * image's symlinks, missing folders are made once, and nothing of the image is replaced unless it
 * is a driver's. Part of place.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "drivers/image/image_files.h"
#include "layers/synthetic.h"

struct place_layer {
	struct synthetic synthetic; /* owned */
	struct image_files files;   /* the image without this layer */
	struct arena *arena;	    /* borrowed; holds paths */
	const char **paths;	    /* hash set of what is in the layer: paths[slot_count], owned */
	size_t path_count, slot_count;
};
#define PLACE_LAYER_NONE \
	(struct place_layer) \
	{ \
		.synthetic = SYNTHETIC_NONE \
	}
void place_layer_freep(struct place_layer *layer);

/* An absolute path with its folder's symlinks resolved; the last name is not followed. */
MUST_CHECK bool place_layer_resolve(struct place_layer *layer, const char *path, const char **out,
				    struct err *err);

/* Each takes a resolved path and makes its folders.
 * *is_new false: this layer has that path already, and nothing was added
 * Errors: ERR_MISMATCH  the image has something there that is no driver's */
MUST_CHECK bool place_layer_add_stored(struct place_layer *layer, const char *path, uint32_t mode,
				       const struct index_entry *entry, bool *is_new,
				       struct err *err);
MUST_CHECK bool place_layer_add_symlink(struct place_layer *layer, const char *path,
					const char *target, bool *is_new, struct err *err);
/* Replaces what is there: for files that are made anew from the image's own. */
MUST_CHECK bool place_layer_add_made(struct place_layer *layer, const char *path,
				     struct view content, struct err *err);
MUST_CHECK bool place_layer_add_whiteout(struct place_layer *layer, const char *path,
					 struct err *err);
