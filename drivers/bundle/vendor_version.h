/* The driver's version in the names of its files. Pure. */
#pragma once

#include "base/view.h"

/* "535.309.01" of "libcuda.so.535.309.01"; empty for a name without one. What starts with fewer
 * than three digits is a library's own ("libcuda.so.1", "libnvidia-egl-gbm.so.1.1.0"). */
struct view vendor_version_in(struct view name);
