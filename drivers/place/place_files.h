/* Which files and modules of a bundle go into an image, and where: the layer over the bundle's
 * data, and the record of it. Part of place.
 */
#pragma once

#include "drivers/image/image_probe.h"
#include "place.h"
#include "place_layer.h"

struct place_files {
	struct place_layer *layer;
	const struct image_probe *probe;
	const struct place_request *request;
	struct arena *arena;
	bool has_lib32; /* out: 32-bit libraries were placed */
};

/* Add all to the layer; manifest and gpu become what was placed. */
MUST_CHECK bool place_files_add(struct place_files *files, struct bundle *manifest,
				struct boot_gpu *gpu, struct err *err);
