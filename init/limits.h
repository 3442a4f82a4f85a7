/* Resource limits of the entrypoint, by name as in docker's --ulimit. */
#pragma once

#include <sys/resource.h>

#include "base/err.h"
#include "init/contract/settings.h"

enum { LIMIT_COUNT_MAX = RLIM_NLIMITS };

struct limit {
	int resource; /* RLIMIT_NOFILE … */
	struct rlimit value;
	bool is_default; /* not asked for: as much of it as is allowed */
};

struct limits {
	struct limit items[LIMIT_COUNT_MAX]; /* items[count], each resource once */
	size_t count;
};

/* The defaults (1,048,576 files; locked memory without limit, for GPU programs pin it) and what
 * was set over them: "N", "SOFT:HARD", "unlimited". Pure.
 * Errors: ERR_FORMAT  a name or a value that is none */
MUST_CHECK bool limits_make(struct limits *out, const struct setting_pairs *set, struct err *err);

/* In the child. False with errno, and the number of the limit. */
bool limits_apply(const struct limits *limits);
