/* vmbake cache list: what the store holds, what it takes, and when it was last used. */
#pragma once

#include "base/err.h"
#include "builder/options.h"

/* Errors: ERR_NOT_FOUND  there is no such store */
MUST_CHECK bool cache_list(const struct options *options, struct err *err);
