/* An image on its way to being one tree: resolved, its layers in the store, merged; and layers of
 * vmbake's own on top.
 *
 * What build bakes, and what a driver in an image is imported from.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/report.h"
#include "layers/tree.h"
#include "oci/image.h"
#include "options.h"
#include "store.h"

struct memory;

enum { OWN_LAYERS_MAX = 3 }; /* driver, what is made for it, guest */

struct image_root {
	struct image_source *source; /* owned, as is all below */
	struct image image;
	struct stored_layer *layers; /* layers[stored_count]: the image's; NULL before unpack */
	size_t stored_count;
	uint64_t entries_max; /* of the image */
	struct tree *tree; /* of all layers so far */
	int *data_fds; /* data_fds[layer_count], the data of each; borrowed from the layers */
	uint32_t layer_count; /* of the tree: the image's, then our own */
	size_t fetched_layers; /* that the store did not have */
};
void image_root_freep(struct image_root *root);

/* Find the image that text names, for --platform. After that root->image is known.
 * Errors: those of reference_parse, image_source_open and image_resolve */
MUST_CHECK bool image_root_resolve(struct image_root *out, const struct options *options,
				   const char *text, struct report *report, struct err *err);

/* Its layers into the store, and open.
 * memory: as in unpack_options
 * Errors: those of unpack_layers */
MUST_CHECK bool image_root_unpack(struct image_root *root, struct store *store,
				  const struct options *options, struct memory *memory,
				  struct report *report, struct err *err);

/* One tree of all layers.  Errors: those of merge_layer, with the layer's number in front */
MUST_CHECK bool image_root_merge(struct image_root *root, struct err *err);

/* One more layer on top; index and data_fd must outlive the root. */
MUST_CHECK bool image_root_add(struct image_root *root, const struct index *index, int data_fd,
			       struct err *err);

/* What goes into oci/ from the command line; for every command that reads an image. */
MUST_CHECK bool image_root_open_source(struct image_source **out, const struct options *options,
				       const char *text, struct reference *reference,
				       struct report *report, struct err *err);
/* --platform, or this machine's. */
MUST_CHECK bool image_root_platform(struct platform *out, const struct options *options,
				    struct err *err);
