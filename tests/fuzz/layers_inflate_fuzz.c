/* A blob's stream: gzip, zstd or plain, in pieces of as many bytes as the first byte says. What
 * comes out is bounded, hashed on the way, and ends well or with an error of the promised kind. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/hasher.h"
#include "layers/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUFFER_COUNT = 4, BUFFER_BYTES = 64 << 10, RATIO_MAX = 1000 };

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
	struct source source = { .stream = { .read = read_source } };
	CLEANUP(memory_closep) struct memory memory;
	CLEANUP(queue_freep) struct queue *queue = NULL;
	CLEANUP(sha256_freep) struct sha256 *hash = NULL, *whole = NULL;
	CLEANUP(hasher_freep) struct hasher *hasher = NULL;
	CLEANUP(inflate_freep) struct inflate *inflate = NULL;
	const uint8_t *out = NULL;
	struct err err = { 0 };
	uint64_t total = 0;
	size_t len = 1;
	bool ok = true;

	memory_init(&memory, 1);
	if (size == 0)
		return 0;
	source.data = data + 1;
	source.left = size - 1;
	source.piece = data[0] ? data[0] : SIZE_MAX;
	if (!queue_new(&queue, BUFFER_COUNT, BUFFER_BYTES, &err) ||
	    !sha256_new(&hash, &err) || !sha256_new(&whole, &err) || !hasher_start(&hasher, &err) ||
	    !inflate_start(&inflate, &source.stream, queue, hasher, hash, RATIO_MAX, &memory, NULL,
			   &err))
		return 0;
	while (len > 0 && (ok = queue_next(queue, &out, &len, &err))) {
		sha256_add(whole, out, len);
		total += len;
	}
	if (ok) {
		hasher_drain(hasher);
		struct digest beside = sha256_now(hash), after = sha256_now(whole);

		assert(digest_equal(&beside, &after));
	}
	assert(ok || err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
	assert(total <= (uint64_t)256 << 20);
	return 0;
}
