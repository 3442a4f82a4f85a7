/* Inside of oci/: what stands behind struct image_source. */
#pragma once

#include "docker_archive.h"
#include "image.h"
#include "layout.h"
#include "policy.h"
#include "registry.h"

/* Exactly one of registry, layout and docker_archive is there. */
struct image_source {
	struct reference reference;
	struct source_options options;
	char text[REFERENCE_TEXT_BYTES]; /* the reference, for sentences */
	struct registry *registry;
	struct layout *layout;
	struct docker_archive *docker_archive;
	struct policy *policy; /* NULL: everything is accepted */
};
