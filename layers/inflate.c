#include "inflate.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/cleanup.h"
#include "base/le.h"
#include "base/vectors.h"

enum {
	INPUTS = STREAM_READS_HELD + 2, /* one more, since read_ahead writes before it reads */
	HASH_BYTES_MIN = 64 << 10, /* what is worth a piece of its own */
	MAGIC_BYTES = 4,
	GZIP_FIRST_BYTE = 0x1f,
	RATIO_GRACE_BYTES = 64 << 20, /* of output: what little comes out hurts nobody */
	ZSTD_WINDOW_LOG_MAX = 27, /* 128 MiB, as zstd's own --long allows without being told */
	ZSTD_HEADER_BYTES_MAX = 18, /* RFC 8878 §3.1.1: magic 4, descriptor 1, window 1, dictionary
				     * 4, size 8 */
	ZSTD_BESIDE_WINDOW_BYTES = 512 << 10, /* what the library allocates beside it */
};

struct inflate {
	struct stream *source;
	struct queue *queue;
	struct hasher *hasher; /* or NULL */
	struct sha256 *hash;
	struct memory *memory;
	struct report *report;
	uint64_t window_bytes; /* held of memory */
	size_t buffer_bytes; /* of a queue buffer */
	uint64_t ratio_max, read_bytes, pushed_bytes;
	pthread_t thread;
	bool is_at_end, has_source_failed; /* of the source: not to be read again */
	bool is_abandoned; /* the consumer left: no error, nothing more to do */
	uint8_t *output; /* a queue buffer being filled, or NULL */
	size_t output_len, hashed_len;
	uint64_t piece; /* the last one that the hasher was given … */
	uint64_t pieces[INFLATE_BUFFERS_HELD]; /* … when the buffers before this one were full */
	uint8_t *inputs; /* owned, INPUTS × input_bytes, used in turns */
	uint8_t *input; /* one of them */
	size_t input_bytes, input_len, input_used;
	struct inflate_state gzip;
	struct isal_gzip_header gzip_header; /* of the current member */
};

/* Everything that is read comes through here; past the end *len stays 0. */
MUST_CHECK static bool read_source(struct inflate *inflate, uint8_t *buffer, size_t capacity,
				   size_t *len, struct err *err)
{
	*len = 0;
	if (inflate->is_at_end)
		return true;
	if (!inflate->source->read(inflate->source, buffer, capacity, len, err)) {
		inflate->has_source_failed = true;
		return false;
	}
	inflate->is_at_end = *len == 0;
	inflate->read_bytes += *len;
	report_did(inflate->report, REPORT_UNPACK, *len);
	return true;
}

/* The input buffer that was used longest ago. */
static void next_input(struct inflate *inflate)
{
	inflate->input += inflate->input_bytes;
	if (inflate->input == inflate->inputs + INPUTS * inflate->input_bytes)
		inflate->input = inflate->inputs;
}

/* More input when all is used; at the verified end input_len is 0. */
MUST_CHECK static bool refill(struct inflate *inflate, struct err *err)
{
	if (inflate->input_used < inflate->input_len)
		return true;
	inflate->input_used = 0;
	next_input(inflate);
	return read_source(inflate, inflate->input, inflate->input_bytes, &inflate->input_len, err);
}

/* At least wanted bytes at hand, fewer only at the end: a read may give one at a time. What is left
 * goes to the next buffer, since this one may still be hashed. */
MUST_CHECK static bool read_ahead(struct inflate *inflate, size_t wanted, struct err *err)
{
	const uint8_t *left = inflate->input + inflate->input_used;
	size_t len = inflate->input_len - inflate->input_used, more = 1;

	if (len >= wanted)
		return true;
	next_input(inflate);
	memcpy(inflate->input, left, len);
	inflate->input_used = 0;
	inflate->input_len = len;
	while (more > 0 && inflate->input_len < wanted) {
		if (!read_source(inflate, inflate->input + inflate->input_len,
				 inflate->input_bytes - inflate->input_len, &more, err))
			return false;
		inflate->input_len += more;
	}
	return true;
}

/* Give the hasher what it has not had of the output, if that is enough. */
static void hash_output(struct inflate *inflate, size_t enough)
{
	size_t len = inflate->output_len - inflate->hashed_len;

	if (!inflate->hasher || len < enough)
		return;
	inflate->piece = hasher_add(inflate->hasher, HASHER_CONTENT, inflate->hash,
				    inflate->output + inflate->hashed_len, len);
	inflate->hashed_len = inflate->output_len;
}

static void push_output(struct inflate *inflate)
{
	hash_output(inflate, 1);
	queue_push(inflate->queue, inflate->output_len);
	inflate->pushed_bytes += inflate->output_len;
	inflate->output = NULL;
}

/* A buffer that the consumer is done with; so must be the hasher. */
static void fill_output(struct inflate *inflate)
{
	inflate->output = queue_fill(inflate->queue);
	inflate->output_len = inflate->hashed_len = 0;
	if (inflate->hasher)
		hasher_wait(inflate->hasher, HASHER_CONTENT, inflate->pieces[0]);
	memmove(inflate->pieces, inflate->pieces + 1,
		sizeof(inflate->pieces) - sizeof(*inflate->pieces));
	inflate->pieces[INFLATE_BUFFERS_HELD - 1] = inflate->piece;
}

/* Some output room; false when the consumer left. */
static bool has_room(struct inflate *inflate)
{
	if (inflate->output && inflate->output_len == inflate->buffer_bytes)
		push_output(inflate);
	if (!inflate->output)
		fill_output(inflate);
	inflate->is_abandoned = !inflate->output;
	return !inflate->is_abandoned;
}

/* Against a few bytes that inflate for ever. */
MUST_CHECK static bool check_ratio(const struct inflate *inflate, struct err *err)
{
	if (inflate->pushed_bytes < RATIO_GRACE_BYTES ||
	    inflate->pushed_bytes / inflate->ratio_max < inflate->read_bytes)
		return true;
	return err_set(err, ERR_UNSUPPORTED,
		       "it inflates to over %llu times its size (--max-ratio allows more)",
		       (unsigned long long)inflate->ratio_max);
}

MUST_CHECK static bool err_gzip(struct err *err, int code)
{
	return err_set(err, ERR_FORMAT, "gzip: %s",
		       code == ISAL_INCORRECT_CHECKSUM ? "its CRC or length is wrong" :
		       code == ISAL_UNSUPPORTED_METHOD ? "its method is not deflate" :
							 "its data is damaged");
}

static void give_input(struct inflate *inflate)
{
	inflate->gzip.next_in = inflate->input + inflate->input_used;
	inflate->gzip.avail_in = (uint32_t)(inflate->input_len - inflate->input_used);
}

static void take_input_back(struct inflate *inflate)
{
	inflate->input_used = inflate->input_len - inflate->gzip.avail_in;
}

/* Read apart from the data: isal_inflate would do it too, but forgets between two calls what it has
 * summed for the header's own CRC. */
MUST_CHECK static bool gzip_header(struct inflate *inflate, struct err *err)
{
	int code = ISAL_END_INPUT;

	isal_gzip_header_init(&inflate->gzip_header);
	while (code == ISAL_END_INPUT) {
		if (!refill(inflate, err))
			return false;
		if (inflate->input_len == 0)
			return err_set(err, ERR_FORMAT, "gzip: it ends in the middle");
		give_input(inflate);
		code = isal_read_gzip_header(&inflate->gzip, &inflate->gzip_header);
		take_input_back(inflate);
	}
	return code == ISAL_DECOMP_OK || err_gzip(err, code);
}

/* One call of the library: consumes input and fills output, both as far as they go. */
MUST_CHECK static bool inflate_some(struct inflate *inflate, struct err *err)
{
	struct inflate_state *gzip = &inflate->gzip;

	give_input(inflate);
	gzip->next_out = inflate->output + inflate->output_len;
	gzip->avail_out = (uint32_t)(inflate->buffer_bytes - inflate->output_len);
	int code = isal_inflate(gzip);

	vectors_release();
	if (code < 0)
		return err_gzip(err, code);
	take_input_back(inflate);
	inflate->output_len = inflate->buffer_bytes - gzip->avail_out;
	hash_output(inflate, HASH_BYTES_MIN);
	return true;
}

MUST_CHECK static bool gzip_member(struct inflate *inflate, struct err *err)
{
	isal_inflate_init(&inflate->gzip);
	inflate->gzip.crc_flag = ISAL_GZIP_NO_HDR_VER;
	if (!gzip_header(inflate, err))
		return false;
	while (inflate->gzip.block_state != ISAL_BLOCK_FINISH) {
		bool was_full = inflate->output && inflate->output_len == inflate->buffer_bytes;

		if (!refill(inflate, err))
			return false;
		if (inflate->input_len == 0 && !was_full)
			return err_set(err, ERR_FORMAT, "gzip: it ends in the middle");
		if (!has_room(inflate))
			return true;
		if (!inflate_some(inflate, err) || !check_ratio(inflate, err))
			return false;
	}
	return true;
}

/* Zeros up to the end of the blob, as tape blocking leaves them behind the last member. */
MUST_CHECK static bool only_zeros(struct inflate *inflate, struct err *err)
{
	while (inflate->input_len > 0) {
		for (; inflate->input_used < inflate->input_len; inflate->input_used++)
			if (inflate->input[inflate->input_used] != 0)
				return err_set(err, ERR_FORMAT,
					       "garbage behind the compressed data");
		if (!refill(inflate, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool inflate_gzip(struct inflate *inflate, struct err *err)
{
	do {
		if (!gzip_member(inflate, err))
			return false;
		if (inflate->is_abandoned)
			return true;
		if (!refill(inflate, err))
			return false;
	} while (inflate->input_len > 0 && inflate->input[inflate->input_used] == GZIP_FIRST_BYTE);
	return only_zeros(inflate, err);
}

static void zstd_freep(ZSTD_DStream **stream)
{
	ZSTD_freeDStream(*stream);
	*stream = NULL;
}

MUST_CHECK static bool zstd_renew(ZSTD_DStream **stream, struct err *err)
{
	zstd_freep(stream);
	*stream = ZSTD_createDStream();
	if (!*stream)
		return err_memory(err, "a zstd stream");
	ZSTD_DCtx_setParameter(*stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return true;
}

/* What the frame in front needs of memory: as much as its window, or as its content where it says
 * how long that is and has no window.  Source: RFC 8878 §3.1.1.1 */
static uint64_t zstd_window(const uint8_t *frame, size_t len)
{
	static const unsigned dictionary_bytes[] = { 0, 1, 2, 4 };
	uint8_t head[ZSTD_HEADER_BYTES_MAX] = { 0 }; /* a whole frame may be shorter */

	memcpy(head, frame, len < sizeof(head) ? len : sizeof(head));
	if (le32_get(head) != ZSTD_MAGICNUMBER)
		return 0; /* skippable, or cut off */
	uint8_t descriptor = head[4], window = head[5];

	if (!(descriptor & 0x20)) {
		uint64_t base = UINT64_C(1) << (10 + (window >> 3));

		return base + base / 8 * (window & 7);
	}
	const uint8_t *size = head + 5 + dictionary_bytes[descriptor & 3];

	switch (descriptor >> 6) {
	case 0:
		return size[0];
	case 1:
		return le16_get(size) + 256u;
	case 2:
		return le32_get(size);
	default:
		return le64_get(size);
	}
}

/* A frame begins: wait for room for its window, and meanwhile hold none, in the library neither.
 * One that the library will refuse needs none. */
MUST_CHECK static bool take_window(struct inflate *inflate, ZSTD_DStream **stream, struct err *err)
{
	if (!read_ahead(inflate, ZSTD_HEADER_BYTES_MAX, err))
		return false;
	uint64_t window = zstd_window(inflate->input + inflate->input_used,
				      inflate->input_len - inflate->input_used);

	if (window > UINT64_C(1) << ZSTD_WINDOW_LOG_MAX ||
	    window + ZSTD_BESIDE_WINDOW_BYTES <= inflate->window_bytes)
		return true;
	if (inflate->window_bytes > 0 && !zstd_renew(stream, err))
		return false;
	memory_take_window(inflate->memory, &inflate->window_bytes,
			   window + ZSTD_BESIDE_WINDOW_BYTES);
	return true;
}

/* One call of the library; *left is 0 when a frame has ended. */
MUST_CHECK static bool zstd_some(struct inflate *inflate, ZSTD_DStream *stream, size_t *left,
				 struct err *err)
{
	ZSTD_inBuffer in = { inflate->input, inflate->input_len, inflate->input_used };
	ZSTD_outBuffer out = { inflate->output, inflate->buffer_bytes, inflate->output_len };

	*left = ZSTD_decompressStream(stream, &out, &in);
	if (ZSTD_getErrorCode(*left) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(err, ERR_UNSUPPORTED, "zstd: its window is over the limit of %d MiB",
			       1 << (ZSTD_WINDOW_LOG_MAX - 20));
	if (ZSTD_isError(*left))
		return err_set(err, ERR_FORMAT, "zstd: %s", ZSTD_getErrorName(*left));
	inflate->input_used = in.pos;
	inflate->output_len = out.pos;
	hash_output(inflate, HASH_BYTES_MIN);
	return true;
}

/* Frames and skippable frames until the end. left: 0 between frames. */
MUST_CHECK static bool zstd_frames(struct inflate *inflate, ZSTD_DStream **stream, struct err *err)
{
	size_t left = 0;

	for (;;) {
		bool was_full = inflate->output && inflate->output_len == inflate->buffer_bytes;

		if (!refill(inflate, err))
			return false;
		if (inflate->input_len == 0 && (left == 0 || !was_full))
			break;
		if (left == 0 && inflate->input[inflate->input_used] == 0)
			return only_zeros(inflate, err);
		if (left == 0 && !take_window(inflate, stream, err))
			return false;
		if (!has_room(inflate))
			return true;
		if (!zstd_some(inflate, *stream, &left, err) || !check_ratio(inflate, err))
			return false;
	}
	return left == 0 || err_set(err, ERR_FORMAT, "zstd: it ends in the middle");
}

MUST_CHECK static bool inflate_zstd(struct inflate *inflate, struct err *err)
{
	CLEANUP(zstd_freep) ZSTD_DStream *stream = NULL;

	return zstd_renew(&stream, err) && zstd_frames(inflate, &stream, err);
}

/* Straight from the source into the queue, after what was read to look at it. */
MUST_CHECK static bool pass_plain(struct inflate *inflate, struct err *err)
{
	size_t len = inflate->input_len;

	while (len > 0) {
		if (!has_room(inflate))
			return true;
		uint8_t *room = inflate->output + inflate->output_len;
		size_t left = inflate->buffer_bytes - inflate->output_len;

		if (inflate->input_used < inflate->input_len) {
			len = inflate->input_len - inflate->input_used;
			len = len < left ? len : left;
			memcpy(room, inflate->input + inflate->input_used, len);
			inflate->input_used += len;
		} else if (!read_source(inflate, room, left, &len, err)) {
			return false;
		}
		inflate->output_len += len;
		hash_output(inflate, HASH_BYTES_MIN);
	}
	return true;
}

/* Source: RFC 1952 §2.3.1; RFC 8878 §3.1.1 and §3.1.2 (skippable: 0x184D2A50 to 5F) */
MUST_CHECK static bool inflate_all(struct inflate *inflate, struct err *err)
{
	if (!read_ahead(inflate, MAGIC_BYTES, err))
		return false;
	uint32_t magic = inflate->input_len >= MAGIC_BYTES ? le32_get(inflate->input) : 0;

	if ((magic & 0xffff) == 0x8b1f)
		return inflate_gzip(inflate, err);
	if (magic == ZSTD_MAGICNUMBER || (magic & 0xfffffff0) == 0x184d2a50)
		return inflate_zstd(inflate, err);
	return pass_plain(inflate, err);
}

/* When what came out was broken, see whether what went in was: read on to the verdict. */
static void prefer_source_failure(struct inflate *inflate, struct err *err)
{
	struct err verdict;

	if (inflate->has_source_failed)
		return;
	do {
		inflate->input_used = inflate->input_len;
		if (!refill(inflate, &verdict)) {
			*err = verdict;
			return;
		}
	} while (inflate->input_len > 0);
}

static void *run(void *argument)
{
	struct inflate *inflate = argument;
	struct err err = { 0 };
	bool ok = inflate_all(inflate, &err);

	if (ok && inflate->output && inflate->output_len > 0)
		push_output(inflate);
	if (!ok)
		prefer_source_failure(inflate, &err);
	queue_end(inflate->queue, ok ? NULL : &err);
	memory_give_window(inflate->memory, &inflate->window_bytes);
	return NULL;
}

bool inflate_start(struct inflate **out, struct stream *source, struct queue *queue,
		   struct hasher *hasher, struct sha256 *hash, uint64_t ratio_max,
		   struct memory *memory, struct report *report, struct err *err)
{
	/* What goes in at a time and comes out of it at once is less than a core's cache. */
	size_t input_bytes = queue_buffer_bytes(queue) / 8;
	CLEANUP(freep) struct inflate *inflate = calloc(1, sizeof(*inflate));
	CLEANUP(freep) uint8_t *inputs = malloc(INPUTS * input_bytes);

	if (!inflate || !inputs)
		return err_memory(err, "inflating");
	inflate->source = source;
	source->hasher = hasher;
	inflate->queue = queue;
	inflate->hasher = hasher;
	inflate->hash = hash;
	inflate->memory = memory;
	inflate->report = report;
	inflate->ratio_max = ratio_max;
	inflate->buffer_bytes = queue_buffer_bytes(queue);
	inflate->input_bytes = input_bytes;
	inflate->inputs = inflate->input = inputs;
	errno = pthread_create(&inflate->thread, NULL, run, inflate);
	if (errno)
		return err_os(err, "start a thread");
	inputs = NULL;
	*out = ptr_take(&inflate);
	return true;
}

void inflate_freep(struct inflate **inflate)
{
	if (!*inflate)
		return;
	pthread_join((*inflate)->thread, NULL);
	if ((*inflate)->hasher)
		hasher_drain((*inflate)->hasher);
	(*inflate)->source->hasher = NULL;
	free((*inflate)->inputs);
	free(*inflate);
	*inflate = NULL;
}
