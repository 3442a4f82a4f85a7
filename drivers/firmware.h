/* What a GPU's firmware says of itself: gsp_*.bin are ELF files with their version in a section of
 * its own. Pure. Foreign bytes. */
#pragma once

#include "base/view.h"

enum { FIRMWARE_VERSION_BYTES_MAX = 63 };

/* "535.309.01", borrowed from file; empty when it does not say. */
struct view firmware_version(struct view file);
