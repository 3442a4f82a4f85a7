/* The threads that fill a part file from a registry, each with a connection of its own, through
 * whatever faults the line has. */
#pragma once

#include "base/err.h"
#include "image.h"
#include "location.h"
#include "part.h"
#include "registry.h"

struct fetch;

/* Start fetching what part misses, from whom location does not bar. A failure comes out of
 * part_wait.
 * All pointers are borrowed until fetch_freep. */
MUST_CHECK bool fetch_start(struct fetch **out, struct registry *registry,
			    struct location *location, struct part *part,
			    const struct source_options *options, struct err *err);
/* Stop the threads, wait for them. */
void fetch_freep(struct fetch **fetch);
