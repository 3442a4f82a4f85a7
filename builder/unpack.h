/* Every layer of an image into the store: fetched and unpacked side by side, each once, whoever
 * else wants it at the same time. */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "layers/pack.h"
#include "oci/image.h"
#include "store.h"

struct unpack_options {
	unsigned jobs; /* layers at a time, at least 1 */
	bool keep_blobs;
	struct memory *memory; /* shared with images that are unpacked at the same time, made for
				* the layers of all; NULL: this one is alone */
	struct pack_caps caps; /* of the image as a whole: layers together may not pass them */
};

/* out: out[image->layer_count], each STORED_LAYER_NONE before; opened on success, the caller
 *      closes them in any case
 * fetched_count: layers that were not in the store before
 * Errors: those of blob_open and layer_pack, with the layer's number and digest in front */
MUST_CHECK bool unpack_layers(struct store *store, struct image_source *source,
			      const struct image *image, const struct unpack_options *options,
			      struct report *report, struct stored_layer *out,
			      size_t *fetched_count, struct err *err);
