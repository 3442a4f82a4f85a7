/* The uncompressed bytes of a layer as they arrive, looked at in place: no copy between inflate
 * and the parser. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/queue.h"

struct input {
	const uint8_t *ptr; /* what is at hand: ptr[len], borrowed until the next call */
	size_t len;
	struct queue *queue; /* borrowed; NULL: what is at hand is all there is (tests, fuzzing) */
};

/* At the end of the stream len stays 0 and the call succeeds. When bytes are at hand: nothing. */
MUST_CHECK bool input_more(struct input *input, struct err *err);

static inline void input_skip(struct input *input, size_t len)
{
	input->ptr += len;
	input->len -= len;
}

/* Pass over what is left, to the end. */
MUST_CHECK bool input_drain(struct input *input, struct err *err);
