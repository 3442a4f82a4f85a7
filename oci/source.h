/* Inside of oci/: what stands behind struct image_source. */
#pragma once

#include "image.h"
#include "layout.h"
#include "registry.h"

/* Exactly one of registry and layout is there. */
struct image_source {
	struct reference reference;
	struct source_options options;
	char text[REFERENCE_TEXT_BYTES]; /* the reference, for sentences */
	struct registry *registry;
	struct layout *layout;
};
