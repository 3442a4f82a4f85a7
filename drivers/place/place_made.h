/* The layer of what is made for a driver in an image: the loader's cache and settings, links where
 * the image's environment expects a driver. Part of place.
 */
#pragma once

#include "compat.h"
#include "drivers/image/image_probe.h"
#include "place.h"

struct place_made {
	const struct image_files *files; /* with the driver's layer merged */
	const struct image_probe *probe;
	const struct compat *compat;
	const struct place_request *request;
	bool has_lib32; /* 32-bit libraries were placed */
	struct arena *arena;
};

MUST_CHECK bool place_made_layer(struct synthetic_layer *out, const struct place_made *made,
				 struct err *err);
