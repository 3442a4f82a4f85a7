/* Random stacks of layers over a small name space, so that everything meets everything: files,
 * directories, symlinks that dangle and loop, hard links within and across layers, whiteouts and
 * opaque markers, type changes, odd names and attributes. The same seed gives the same text.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum random_taste {
	RANDOM_ALL,
	RANDOM_CALM, /* without what other tools are known to do otherwise: tests/DIFFERENCES.md */
};

/* A case without its tree, appended to out. Most stacks can be flattened: entries that the model
 * refuses are taken out, save in one case of sixteen. */
void random_case(struct bytes *out, uint64_t seed, enum random_taste taste);
