/* vmbake cache gc: what nobody used for long leaves the store, and what is needed least, until
 * there is room. What a process makes or has open stays, and is said.
 */
#pragma once

#include "base/err.h"
#include "builder/options.h"

/* Errors: ERR_USAGE      --keep-free over 100%
 *         ERR_NOT_FOUND  there is no such store
 *         ERR_SPACE      all that may go is gone, and it is not enough
 *         ERR_IO         something could not be removed; the rest is */
MUST_CHECK bool cache_gc(const struct options *options, struct err *err);
