/* Bytes for the image that mostly follow each other: gathered, and written in runs. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct span; /* one at a time for one sweep */

MUST_CHECK bool span_new(struct span **out, int fd, struct err *err);
void span_freep(struct span **span);

/* Room for len bytes, zeroed, that will lie at offset; filled in by the caller before the next
 * call. len is at most SPAN_BYTES_MAX. NULL on failure. */
enum { SPAN_BYTES_MAX = 1 << 20 };
MUST_CHECK bool span_add(struct span *span, uint64_t offset, size_t len, uint8_t **room,
			 struct err *err);

/* Write what is still gathered, up to the end of its last block. */
MUST_CHECK bool span_flush(struct span *span, struct err *err);
