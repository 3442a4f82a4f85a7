/* The guest's init programs (init/, statically linked), carried inside vmbake. */
#pragma once

#include "base/err.h"
#include "base/view.h"

/* architecture: as OCI says it, "amd64", "arm64"
 * Errors: ERR_UNSUPPORTED  no init for that architecture */
MUST_CHECK bool init_binary_find(struct view *out, const char *architecture, struct err *err);
