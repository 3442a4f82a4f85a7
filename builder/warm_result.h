/* What became of one image that was warmed, and of all of them: a line each for people, an object a
 * line with --json.
 */
#pragma once

#include "build.h"
#include "options.h"
#include "warm_list.h"

enum warm_outcome {
	WARM_ALREADY, /* the store had it */
	WARM_MADE,
	WARM_FAILED,
	WARM_OUTCOME_COUNT,
};

struct warm_result {
	const struct warm_line *line; /* borrowed, as is the next */
	const struct options *options; /* the line's; its image is operands[0] */
	enum warm_outcome outcome;
	struct build_result build; /* owned; with --layers-only image and fetched_layers alone */
	struct json_t *driver; /* owned; see build_image */
	struct err failure;
};
void warm_result_freep(struct warm_result *result);

/* As the line's options say; with --quiet failures alone. Takes the driver over.
 * Errors: ERR_IO  standard output cannot be written, or a file was cut short under us, after which
 *                 nothing that this process makes is kept */
MUST_CHECK bool warm_result_show(struct warm_result *result, struct err *err);

/* counts: counts[WARM_OUTCOME_COUNT], of images by their outcome
 * first:  the kind of the first failure
 * Errors: of that kind, with the counts, if any failed; those of warm_result_show */
MUST_CHECK bool warm_result_sum_up(const size_t *counts, enum err_kind first,
				   const struct options *options, struct err *err);
