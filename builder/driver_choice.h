/* Which driver a build puts in, decided as soon as the image's config is known and before anything
 * is fetched: from the store's bundles, the guest's kernel, the GPU, and what the image asks for.
 */
#pragma once

#include "base/err.h"
#include "base/report.h"
#include "drivers/place/compat.h"
#include "drivers/select/select.h"
#include "oci/image.h"
#include "options.h"
#include "recipe.h"
#include "store.h"

/* A bundle of the store that cannot be read. */
struct unreadable_bundle {
	const char *name, *why;
};

struct driver_choice {
	struct stored_bundle *bundles; /* bundles[bundle_count], that were looked at; owned */
	size_t bundle_count;
	struct unreadable_bundle *unreadable; /* unreadable[unreadable_count]; the arena's */
	size_t unreadable_count;
	struct arena arena; /* owned */
	struct kernel kernel; /* owned; empty without --kernel */
	struct gpu_chip chip; /* with --gpu-id */
	bool has_kernel, has_chip;
	struct selection selection; /* owned; points into the bundles */
	const struct bundle_kernel *modules; /* of the chosen bundle, for the guest's kernel */
	struct recipe_driver recipe; /* with a driver chosen */
	enum gpu_policy policy;
	enum gpu_class gpu_class;
};
#define DRIVER_CHOICE_NONE (struct driver_choice){ .kernel = KERNEL_NONE }
void driver_choice_freep(struct driver_choice *choice);

/* The chosen bundle, or NULL: the image gets no driver. */
const struct stored_bundle *driver_choice_bundle(const struct driver_choice *choice);

/* What can be known to be wrong before there is an image.
 * Errors: ERR_USAGE  options that make no sense */
MUST_CHECK bool driver_choice_check(const struct options *options, struct err *err);

/* out:    starts as DRIVER_CHOICE_NONE; to be freed also after a failure, and filled as far as it
 *         came, for driver_choice_json
 * Errors: ERR_USAGE     options that make no sense, or the kernel has to be named
 *         those of kernel_open, stored_bundle_open and driver_select */
MUST_CHECK bool driver_choice_make(struct driver_choice *out, struct store *store,
				   const struct options *options, const struct image *image,
				   struct report *report, struct err *err);

/* The bundles that were looked at, each but the chosen one with why it was passed over; owned. */
struct json_t *driver_choice_json(const struct driver_choice *choice);
