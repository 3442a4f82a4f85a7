/* Free blocks handed out front to back: what is asked for first lies first, and what is asked for
 * together lies together, except where the file system's own structures are in between. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct run {
	uint64_t start, count; /* in blocks */
};

struct space {
	const struct run *runs; /* runs[run_count], ascending, borrowed */
	size_t run_count;
	size_t at; /* the run being used */
	uint64_t used; /* blocks of it */
};

/* Up to count blocks in a row; {0, 0} when there are none left. */
struct run space_take(struct space *space, uint64_t count);

uint64_t space_left(const struct space *space);
