/* A blob's stream: gzip, zstd or plain, in pieces of as many bytes as the first byte says. What
 * comes out is bounded, and ends well or with an error of the promised kind. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "layers/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUFFER_COUNT = 2, BUFFER_BYTES = 64 << 10, RATIO_MAX = 1000 };

struct source {
	struct stream stream; /* first */
	const uint8_t *data;
	size_t left, piece;
};

static bool read_source(struct stream *self, void *buffer, size_t capacity, size_t *len,
			struct err *err)
{
	struct source *source = (struct source *)self;

	(void)err;
	*len = source->left < source->piece ? source->left : source->piece;
	*len = *len < capacity ? *len : capacity;
	if (*len > 0)
		memcpy(buffer, source->data, *len);
	source->data += *len;
	source->left -= *len;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	CLEANUP(inflate_freep) struct inflate *inflate = NULL;
	struct source source = { .stream = { read_source } };
	const uint8_t *out = NULL;
	struct err err = { 0 };
	uint64_t total = 0;
	size_t len = 1;
	bool ok = true;

	if (size == 0)
		return 0;
	source.data = data + 1;
	source.left = size - 1;
	source.piece = data[0] ? data[0] : SIZE_MAX;
	if (!queue_new(&queue, BUFFER_COUNT, BUFFER_BYTES, &err) ||
	    !inflate_start(&inflate, &source.stream, queue, RATIO_MAX, NULL, &err))
		return 0;
	while (len > 0 && (ok = queue_next(queue, &out, &len, &err)))
		total += len;
	assert(ok || err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
	assert(total <= (uint64_t)256 << 20);
	return 0;
}
