/* What lies in a store, thing by thing: found by names, sizes and times, with nothing of it opened
 * that is not cheap to open.
 *
 * It reads and never writes, waits for nobody, and works beside builds: what goes while it looks is
 * left out. A name that vmbake does not give, a symlink, a folder of ours with something else in it
 * is foreign: it is listed as such, and nobody here touches it.
 */
#pragma once

#include "base/err.h"
#include "builder/store.h"
#include "thing.h"

struct inventory {
	struct thing *items; /* items[count], by kind, then ascending by path; owned */
	size_t count, capacity;
	char **foreign; /* foreign[foreign_count]: paths, as of things; owned */
	size_t foreign_count, foreign_capacity;
};
void inventory_freep(struct inventory *inventory);

/* Errors: ERR_IO */
MUST_CHECK bool inventory_take(struct inventory *out, const struct store *store, struct err *err);
