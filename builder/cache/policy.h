/* Which things leave a store: those that were not used for long, then those used least recently
 * until there is room. Pure: sizes and times in, a choice out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define POLICY_NEVER UINT64_MAX

struct policy_thing {
	uint64_t bytes; /* that its going frees */
	int64_t last_use; /* seconds since 1970; in the future: just now */
	uint64_t goes_after_seconds; /* unused so long it goes in any case; POLICY_NEVER */
	bool stays; /* in use, or not to be removed at all */
};

struct policy_limits {
	int64_t now; /* seconds since 1970 */
	uint64_t max_bytes; /* of what stays, at most; UINT64_MAX */
	uint64_t min_freed_bytes; /* to be freed, at least; 0 */
};

enum policy_choice {
	POLICY_STAYS,
	POLICY_UNUSED, /* for long enough */
	POLICY_ROOM, /* to make room */
};

/* order:   order[count], numbers of things, least recently used first: the order to remove in
 * choices: choices[count], of each thing by its number */
void policy_choose(const struct policy_thing *things, size_t count,
		   const struct policy_limits *limits, size_t *order, enum policy_choice *choices);

/* How much is still missing from what the limits ask for when all that was chosen is gone; 0: none.
 */
uint64_t policy_lack(const struct policy_thing *things, size_t count,
		     const struct policy_limits *limits, const enum policy_choice *choices);
