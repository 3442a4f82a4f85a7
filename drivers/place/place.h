/* A driver into an image: a stored bundle becomes two layers on top of the image's, fitted to the
 * image's own loader, with the loader's cache that ldconfig would have written.
 *
 * The first layer holds the bundle's files, whose bodies stay in the store and are cloned, their
 * links, and whiteouts of what an earlier driver left behind; the second what is made here. Nothing
 * of the image or the driver is executed. The same inputs give the same bytes.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "compat.h"
#include "drivers/bundle/bundle.h"
#include "drivers/bundle/stored_bundle.h"
#include "drivers/finding.h"
#include "drivers/image/image_probe.h"
#include "init/contract/boot_config.h"
#include "init/contract/require.h"
#include "layers/synthetic.h"
#include "layers/tree.h"

enum { PLACE_LAYERS = 2 };

struct place_request {
	const struct stored_bundle *stored; /* must outlive the placement */
	const struct bundle_kernel *kernel; /* of that bundle: whose modules are placed */
	unsigned capabilities;		    /* enum capability */
	uint16_t machine;		    /* of the image: EM_X86_64, EM_AARCH64 */
	const char *program;		    /* the entrypoint's first word, or NULL */
	const char *const *env;		    /* env[env_count], the image's */
	size_t env_count;

	bool keep_leftovers, allow_musl;
	enum gpu_class gpu_class; /* decides on CUDA's forward-compat libraries */

	enum gpu_policy policy;
	const struct requirement_list *pending; /* those that depend on the GPU; NULL: none */

	uint32_t first_layer;  /* number of the first of the two layers, above all of the image's */
	int64_t time_seconds;  /* of all that is made */
	struct report *report; /* notes on what was removed */
};

struct placement {
	struct synthetic_layer layers[PLACE_LAYERS]; /* over the bundle's data; made */
	struct bundle manifest; /* for /.vmbake/driver.json: what is in the image, where */
	struct boot_gpu gpu;	/* for boot.json */
	struct finding_list findings;
	const char *libdir; /* where the libraries went */
	struct arena arena; /* owned; holds manifest, gpu and libdir, with the stored bundle */
};
#define PLACEMENT_NONE \
	(struct placement) \
	{ \
		.layers = { SYNTHETIC_LAYER_NONE, SYNTHETIC_LAYER_NONE } \
	}
void placement_freep(struct placement *placement);

/* Where findings have an error nothing is placed: the tree is as it was and both layers are empty.
 * out:      must stay where it is as long as the tree is used, which points into it; empty after a
 *           failure, and the tree is unspecified then
 * tree:     the image's layers, merged; the two layers are merged onto it
 * data_fds: data_fds[layer], as for layers/content.h, with room for PLACE_LAYERS from first_layer
 *           on, which are filled in; borrowed from the placement and the stored bundle
 * Errors:   ERR_MISMATCH  a file of the image that is no driver's stands where one has to go
 *           ERR_FORMAT    an ld.so.conf over a cap
 *           ERR_IO, ERR_UNSUPPORTED */
MUST_CHECK bool place_driver(struct placement *out, struct tree *tree, int *data_fds,
			     const struct place_request *request, struct err *err);
