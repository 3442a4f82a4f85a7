/* Memory for one phase: many small pieces, freed as a whole. Pieces never move. */
#pragma once

#include <stddef.h>

#include "err.h"

struct arena_block;

struct arena {
	struct arena_block *newest; /* owned, a list */
	size_t left_bytes; /* in the newest block */
	size_t total_bytes; /* handed out, for caps and reports */
};

/* size bytes aligned to 8, zeroed; borrowed until arena_freep. NULL when out of memory. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of len bytes followed by a NUL. */
char *arena_copy(struct arena *arena, const char *data, size_t len);

void arena_freep(struct arena *arena);
