/* A source of bytes that is read once, front to back: how rooms that do not know each other hand
 * content over (a blob from oci/ to layers/). One of the two function pointers of the house.
 *
 * A verified stream checks its digest and size when its end is reached, so a stream whose end was
 * not seen proves nothing: read until *len is 0.
 */
#pragma once

#include <stddef.h>

#include "err.h"

struct hasher;

enum { STREAM_READS_HELD = 3 };

struct stream {
	/* Fill at most capacity bytes, capacity > 0; *len = 0 only at the verified end. After a
	 * failure or the end, do not read again. */
	bool (*read)(struct stream *self, void *buffer, size_t capacity, size_t *len,
		     struct err *err) MUST_CHECK;
	/* Lent by the reader before its first read, or NULL: a verified stream hashes with it, on
	 * the blob's lane, what it gave out. Then the reader leaves what the last STREAM_READS_HELD
	 * reads filled as it is, and drains the hasher before it frees anything of it. */
	struct hasher *hasher;
};
