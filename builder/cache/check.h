/* vmbake cache check: all that is stored is read, and held against what was written down when it
 * was stored. Reads beside builds; removes what is damaged only when told to.
 */
#pragma once

#include "base/err.h"
#include "builder/options.h"
#include "builder/progress.h"

/* progress: hears of it, and is stopped before the result is printed
 * Errors: ERR_NOT_FOUND  there is no such store
 *         ERR_INTEGRITY  something is, or was, damaged
 *         ERR_IO         something could not be read or removed; all else is checked */
MUST_CHECK bool cache_check(const struct options *options, struct progress **progress,
			    struct err *err);
