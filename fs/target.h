/* What an image is written into: a file, or a block device. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Make it size_bytes of zeros: a file becomes a hole of that length, a device, which may be longer,
 * is discarded or zeroed so far.
 * Errors: ERR_SPACE  the device is too small
 *         ERR_IO */
MUST_CHECK bool target_clear(int fd, uint64_t size_bytes, struct err *err);
