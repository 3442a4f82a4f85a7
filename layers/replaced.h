/* Which symlinks of the lower layers does a layer turn into something else?
 *
 * A removal below such a name speaks of what the layer puts there, which holds nothing of the lower
 * layers, so the old symlink must not be followed (LAYERS.md, "Whiteouts"). Only removals that meet
 * a symlink on their way ask, which is rare: the layer's paths are sorted at the first question.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "tree.h"

struct replaced {
	const struct index_entry **entries; /* owned; entries[entry_count], by path, kind, link */
	size_t entry_count;
	uint64_t step_count; /* what the questions so far have cost, in steps of a walk */
};

/* name: of a symlink in the tree. Errors: out of memory */
MUST_CHECK bool replaced_has(struct replaced *replaced, const struct tree *tree,
			     const struct index *index, uint32_t name, bool *out, struct err *err);
void replaced_freep(struct replaced *replaced);
