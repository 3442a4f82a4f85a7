/* vmbake inspect: what is in a baked image or behind a reference, and where it came from. */
#pragma once

#include "base/err.h"
#include "options.h"

/* The operand is a file if one of that name is there, else a reference. Prints to stdout.
 * Errors: ERR_NOT_FOUND, ERR_FORMAT (a file that is no ext4 image), those of image_resolve */
MUST_CHECK bool inspect(const struct options *options, struct err *err);
