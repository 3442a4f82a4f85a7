/* How much of a file lies in blocks that other files have too (reflinks of XFS, Btrfs). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* False where the file system does not say. */
MUST_CHECK bool sharing_measure(int fd, uint64_t *shared_bytes);
