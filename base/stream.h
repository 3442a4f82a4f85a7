/* A source of bytes that is read once, front to back: how rooms that do not know each other hand
 * content over (a blob from oci/ to layers/). One of the two function pointers of the house.
 *
 * A verified stream checks its digest and size when its end is reached, so a stream whose end was
 * not seen proves nothing: read until *len is 0.
 */
#pragma once

#include <stddef.h>

#include "err.h"

struct stream {
	/* Fill at most capacity bytes, capacity > 0; *len = 0 only at the verified end. After a
	 * failure or the end, do not read again. */
	bool (*read)(struct stream *self, void *buffer, size_t capacity, size_t *len,
		     struct err *err) MUST_CHECK;
};
