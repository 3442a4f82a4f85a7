/* vmbake warm: what machines will want is made before they want it. Each image as build makes it
 * without -o, so that build then finds it; or only its layers, from which build -o makes one and
 * fetches nothing. What fails is told, and the others are made all the same.
 *
 * A few images at a time: one alone leaves processors idle while its one large layer is inflated,
 * and while what it wrote is synced. They share the jobs and the memory that one has to itself.
 */
#pragma once

#include "base/err.h"
#include "options.h"
#include "progress.h"

/* options: warm's own, which each line of a list may add to
 * style:   of the progress of all; none is shown with --quiet
 * Errors: those of warm_list_read and build_check, the latter naming the line, before anything is
 *         made; in the end those of warm_result_sum_up */
MUST_CHECK bool warm(const struct options *options, enum progress_style style, struct err *err);
