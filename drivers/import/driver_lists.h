/* Two lists that a driver brings along: which of its files serve what (sandboxutils-filelist.json),
 * and which chips it drives (supported-gpus.json). Foreign bytes; results are the arena's. Pure.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/view.h"
#include "drivers/bundle/bundle.h"

/* What the list says of one file name, all its entries joined. */
struct listed_file {
	const char *name; /* without folders */
	unsigned capabilities;
};

struct file_list {
	struct listed_file *files; /* files[file_count], by name */
	size_t file_count;
};

/* A category that is not known is noted once and never an error.
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED (over a cap) */
MUST_CHECK bool file_list_parse(struct file_list *out, struct arena *arena, struct view text,
				struct report *report, struct err *err);
/* What it says of that file; 0 when nothing. */
unsigned file_list_capabilities(const struct file_list *list, struct view name);

/* One row a device id, by device: chips that differ only in their subsystem are joined.
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED (over a cap) */
MUST_CHECK bool gpu_list_parse(const struct bundle_gpu **out, size_t *count, struct arena *arena,
			       struct view text, struct err *err);
