/* Which of the imported drivers goes into an image: the newest that fits the guest kernel, the GPU
 * and what the image demands, and why each other does not. Nothing is guessed: a fact that is
 * lacking is a finding of unknown severity, and no reason to pass over.
 */
#pragma once

#include "driver_fit.h"
#include "drivers/bundle/capability.h"
#include "drivers/bundle/stored_bundle.h"
#include "drivers/kernel/kernel.h"

struct select_request {
	const char *choice; /* "auto", "none", a version, a branch ("535") or a bundle's name */
	const char *architecture; /* of the image, "amd64" */
	const struct kernel *kernel; /* NULL: its file is not at hand */
	const char *release; /* of the kernel; NULL: not known */
	const struct gpu_chip *chip; /* NULL: not known */
	const char *const *env; /* env[env_count], the image's */
	size_t env_count;
	unsigned capabilities; /* enum capability; 0: what the image asks for */
};

/* A bundle that was looked at. */
struct candidate {
	const struct stored_bundle *stored; /* borrowed */
	struct finding_list findings; /* owned; none for one that was not judged */
	struct requirement_list pending; /* depends on the GPU: for boot.json */
	const char *why_not; /* it was passed over; the selection's. NULL: it was chosen */
};

struct selection {
	struct gpu_request gpu; /* what the image asks for */
	struct candidate *candidates; /* candidates[count], newest first; with "auto" those for
				       * other architectures, too; owned */
	size_t count;
	const struct candidate *chosen; /* NULL: the image gets no driver */
	struct arena arena;
};
void selection_freep(struct selection *selection);

/* stored:  stored[stored_count], the open bundles of the store
 * out:     to be freed also after a failure, and filled as far as it came, for --json
 * Errors:  ERR_NOT_FOUND    no bundle at all, or none of that version or name
 *          ERR_MISMATCH     none fits; the sentence has each bundle's first reason
 *          ERR_UNSUPPORTED, ERR_FORMAT  a device or capability that the image asks for by an odd
 *                           name, see capability.h
 *          ERR_INTEGRITY, ERR_IO */
MUST_CHECK bool driver_select(struct selection *out, const struct stored_bundle *stored,
			      size_t stored_count, const struct select_request *request,
			      struct err *err);
