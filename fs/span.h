/* Metadata on its way into the image: kept in memory, and written sorted, one call for each stretch
 * of the image that has no gap. Up to 32 MiB are kept; more is written each time that is full.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct span;

enum { SPAN_BYTES_MAX = 32 << 20 };

/* fd: the image; borrowed */
MUST_CHECK bool span_new(struct span **out, int fd, struct err *err);
void span_freep(struct span **span); /* forgets what is not flushed */

/* Room for len bytes, zeroed, that will lie at offset; filled in by the caller before the next
 * call. len divides a block and offset. What follows the last call's bytes lies with them; anything
 * else begins at a block's start, and the rest of the last block is zeros. No byte comes twice. */
MUST_CHECK bool span_add(struct span *span, uint64_t offset, size_t len, uint8_t **room,
			 struct err *err);

/* Write all that is kept. */
MUST_CHECK bool span_flush(struct span *span, struct err *err);
