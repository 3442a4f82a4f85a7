/* Flattening as slowly and plainly as it can be said: one list of paths, walked from end to end.
 *
 * Written from LAYERS.md and the OCI image-spec, not from layers/merge.c, to be compared with it.
 * It works on raw paths of case entries and cleans and classifies them by itself.
 */
#pragma once

#include "base/arena.h"
#include "case_file.h"
#include "flat.h"

struct model_node {
	const struct case_entry *entry; /* NULL: a directory that no entry describes */
};

struct model_name {
	char *path; /* "" is the root, else "a/b" */
	struct model_node *node;
};

struct model {
	struct arena arena; /* owned */
	struct model_name *names; /* owned by the arena; names[count], in no order */
	size_t count, capacity;
	unsigned failed_line; /* of the case, where apply failed */
	enum err_kind failure;
	unsigned odd_line; /* an entry that others take otherwise (tests/DIFFERENCES.md), or 0 */
};

void model_begin(struct model *model);
void model_freep(struct model *model);
/* False where the layer must be refused: failure and failed_line say why and where. */
bool model_apply(struct model *model, const struct case_list *layer);
void model_flat(struct flat *out, const struct model *model);
