/* A growing buffer with a cap given at birth, so that no foreign length can eat the host.
 *
 * struct bytes out = bytes_capped(64 << 10);   CLEANUP(bytes_freep)
 * The data is always followed by one NUL that len does not count, so text can be printed as is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "err.h"
#include "view.h"

struct bytes {
	char *data; /* owned; NULL until the first append */
	size_t len;
	size_t capacity;
	size_t cap_max; /* len never goes beyond it */
};

static inline struct bytes bytes_capped(size_t cap_max)
{
	return (struct bytes){ .cap_max = cap_max };
}

static inline struct view bytes_view(const struct bytes *bytes)
{
	return (struct view){ bytes->data, bytes->len };
}

/* Each: ERR_UNSUPPORTED past the cap ("… is over N bytes" is the caller's to wrap). */
MUST_CHECK bool bytes_append(struct bytes *bytes, const void *data, size_t len, struct err *err);
MUST_CHECK bool bytes_print(struct bytes *bytes, struct err *err, const char *format, ...)
	PRINTF(3, 4);

/* Room for len more bytes; *room points at them (uninitialised), len is already counted in. */
MUST_CHECK bool bytes_grow(struct bytes *bytes, size_t len, char **room, struct err *err);

void bytes_clear(struct bytes *bytes);
void bytes_freep(struct bytes *bytes);
/* The same for a secret: freed memory is handed out again, and should not hold it. */
void bytes_wipep(struct bytes *bytes);

/* Give the buffer's memory away; the buffer is empty again. Never NULL after an append. */
char *bytes_take(struct bytes *bytes);
