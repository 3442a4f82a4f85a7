#include "layers/inflate.h"

#include <check.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/le.h"

/* A stream over memory that gives at most step bytes a read, and then a verdict. */
static struct memory shared;

struct memory_stream {
	struct stream stream;
	struct view rest;
	size_t step;
	bool has_bad_digest;
};

static bool memory_read(struct stream *self, void *buffer, size_t capacity, size_t *len,
			struct err *err)
{
	struct memory_stream *memory = (struct memory_stream *)self;

	*len = memory->rest.len < memory->step ? memory->rest.len : memory->step;
	*len = *len < capacity ? *len : capacity;
	if (*len > 0)
		memcpy(buffer, memory->rest.ptr, *len);
	memory->rest = view_from(memory->rest, *len);
	if (*len == 0 && memory->has_bad_digest)
		return err_set(err, ERR_INTEGRITY, "digest differs");
	return true;
}

/* Everything that comes out, appended to out, which lasts as long as the test. */
static bool inflate_all(struct memory_stream *source, struct bytes *out, struct err *err)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	CLEANUP(inflate_freep) struct inflate *inflate = NULL;
	const uint8_t *data = NULL;
	size_t len = 0;

	source->stream.read = memory_read;
	ck_assert(queue_new(&queue, 2, 4096, err));
	ck_assert(inflate_start(&inflate, &source->stream, queue, NULL, NULL, 10000, &shared, NULL,
				err));
	do {
		if (!queue_next(queue, &data, &len, err))
			return false;
		ck_assert(bytes_append(out, data, len, err));
	} while (len > 0);
	return true;
}

static bool inflate_view(struct view blob, size_t step, struct bytes *out, struct err *err)
{
	struct memory_stream source = { .rest = blob, .step = step };

	return inflate_all(&source, out, err);
}

enum { TEXT_BYTES = 300000 };

static void fill_text(struct bytes *text)
{
	struct err err = { 0 };

	*text = bytes_capped(1 << 20);
	for (unsigned i = 0; text->len < TEXT_BYTES; i++)
		ck_assert(bytes_print(text, &err, "line %u of a text\n", i * i));
}

static void add_gzip(struct bytes *blob, struct view text)
{
	struct isal_zstream stream;
	char *room = NULL;
	size_t before = blob->len, capacity = text.len + 1000;
	struct err err = { 0 };

	ck_assert(bytes_grow(blob, capacity, &room, &err));
	isal_deflate_init(&stream);
	stream.gzip_flag = IGZIP_GZIP;
	stream.end_of_stream = 1;
	stream.next_in = (uint8_t *)(uintptr_t)text.ptr;
	stream.avail_in = (uint32_t)text.len;
	stream.next_out = (uint8_t *)room;
	stream.avail_out = (uint32_t)capacity;
	ck_assert_int_eq(isal_deflate(&stream), COMP_OK);
	blob->len = before + stream.total_out;
}

static void add_bytes(struct bytes *blob, const void *data, size_t len)
{
	struct err err = { 0 };

	ck_assert(bytes_append(blob, data, len, &err));
}

/* A header with all that RFC 1952 §2.3.1 allows in it: an extra field, a name, a comment and a
 * checksum of itself. */
static void add_gzip_with_flags(struct bytes *blob, struct view text)
{
	enum { PLAIN_HEADER_BYTES = 10 };
	static const char header[] = "\x1f\x8b\x08\x1e\1\2\3\4\0\3\x04\0XY\0\0name\0comment";
	struct bytes plain = bytes_capped(4 << 20);
	char checksum[2];

	add_gzip(&plain, text);
	add_bytes(blob, header, sizeof(header));
	le16_put(checksum, (uint16_t)crc32_gzip_refl(0, (const uint8_t *)header, sizeof(header)));
	add_bytes(blob, checksum, sizeof(checksum));
	add_bytes(blob, plain.data + PLAIN_HEADER_BYTES, plain.len - PLAIN_HEADER_BYTES);
	bytes_freep(&plain);
}

/* As containerd's stargz-snapshotter writes a layer: a member for each file or chunk, at its end a
 * member without content whose extra field says where the table of contents starts. */
static void add_stargz(struct bytes *blob, struct view text)
{
	enum { CHUNK_BYTES = 7000 };
	static const char footer[] =
		"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0"
		"00000000000003e8STARGZ\1\0\0\xff\xff\0\0\0\0\0\0\0";

	for (; text.len > CHUNK_BYTES; text = view_from(text, CHUNK_BYTES))
		add_gzip(blob, (struct view){ text.ptr, CHUNK_BYTES });
	add_gzip(blob, text);
	add_bytes(blob, footer, sizeof(footer));
}

/* window_log: 0 for what the library finds right */
static void add_zstd(struct bytes *blob, struct view text, int window_log)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	char *room = NULL;
	size_t before = blob->len, capacity = ZSTD_compressBound(text.len);
	struct err err = { 0 };
	ZSTD_inBuffer in = { text.ptr, text.len, 0 };
	ZSTD_outBuffer out = { NULL, capacity, 0 };

	ck_assert(bytes_grow(blob, capacity, &room, &err));
	out.dst = room;
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	if (window_log == 0) /* else its size stays unsaid, so that the window counts */
		ZSTD_CCtx_setPledgedSrcSize(context, text.len);
	while (in.pos < in.size)
		ck_assert(!ZSTD_isError(
			ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
	ck_assert_uint_eq(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
	blob->len = before + out.pos;
	ZSTD_freeCCtx(context);
}

static void add_skippable(struct bytes *blob, char number, size_t len)
{
	char head[8] = "\x50\x2a\x4d\x18";
	char zeros[200] = "what only some understand";

	head[0] = (char)(head[0] + number);
	le32_put(head + 4, (uint32_t)len);
	add_bytes(blob, head, sizeof(head));
	add_bytes(blob, zeros, len);
}

/* As podman writes a layer: a frame for each chunk, then the table of contents and a footer in
 * frames to be skipped. */
static void add_zstd_chunked(struct bytes *blob, struct view text)
{
	enum { CHUNK_BYTES = 9000 };

	for (; text.len > CHUNK_BYTES; text = view_from(text, CHUNK_BYTES))
		add_zstd(blob, (struct view){ text.ptr, CHUNK_BYTES }, 0);
	add_zstd(blob, text, 0);
	add_skippable(blob, 0, 200);
	add_skippable(blob, 0, 64);
}

enum format { PLAIN, GZIP, GZIP_TWO_MEMBERS, GZIP_ZEROS_BEHIND, GZIP_FLAGS, STARGZ, ZSTD,
	      ZSTD_TWO_FRAMES, ZSTD_SKIPPABLE, ZSTD_CHUNKED, ZSTD_WINDOW_MAX, FORMAT_COUNT };

static void make_blob(struct bytes *blob, enum format format, struct view text)
{
	static const char zeros[1000];
	struct view half = { text.ptr, text.len / 2 }, rest = view_from(text, text.len / 2);

	*blob = bytes_capped(4 << 20);
	switch (format) {
	case PLAIN:
		add_bytes(blob, text.ptr, text.len);
		break;
	case GZIP:
	case GZIP_ZEROS_BEHIND:
		add_gzip(blob, text);
		if (format == GZIP_ZEROS_BEHIND)
			add_bytes(blob, zeros, sizeof(zeros));
		break;
	case GZIP_TWO_MEMBERS:
		add_gzip(blob, half);
		add_gzip(blob, rest);
		break;
	case GZIP_FLAGS:
		add_gzip_with_flags(blob, text);
		break;
	case STARGZ:
		add_stargz(blob, text);
		break;
	case ZSTD:
		add_zstd(blob, text, 0);
		break;
	case ZSTD_TWO_FRAMES:
		add_zstd(blob, half, 0);
		add_zstd(blob, rest, 0);
		break;
	case ZSTD_SKIPPABLE:
		add_skippable(blob, 15, 3);
		add_zstd(blob, text, 0);
		break;
	case ZSTD_CHUNKED:
		add_zstd_chunked(blob, text);
		break;
	case ZSTD_WINDOW_MAX:
		add_zstd(blob, text, 27);
		break;
	case FORMAT_COUNT:
		ck_abort();
	}
}

START_TEST(each_format_comes_out_whole_in_pieces_of_any_size)
{
	static const size_t steps[] = { 1 << 20, 4096, 1000, 7 };
	struct bytes text, blob;
	struct err err = { 0 };

	fill_text(&text);
	make_blob(&blob, (enum format)_i, bytes_view(&text));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);

		ck_assert_msg(inflate_view(bytes_view(&blob), steps[i], &out, &err), "%s", err.msg);
		ck_assert(view_same(bytes_view(&out), bytes_view(&text)));
	}
	bytes_freep(&text);
	bytes_freep(&blob);
}
END_TEST

/* Every cut but those between two members and inside the padding. */
START_TEST(truncated_blob_is_a_format_error)
{
	static const enum format formats[] = { GZIP, ZSTD };
	struct bytes text, blob;
	struct err err = { 0 };

	fill_text(&text);
	make_blob(&blob, formats[_i], bytes_view(&text));
	for (size_t cut = 5; cut < blob.len; cut += cut < 100 || cut > blob.len - 100 ? 1 : 997) {
		CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);

		err = (struct err){ 0 };
		ck_assert(!inflate_view((struct view){ blob.data, cut }, 65536, &out, &err));
		ck_assert_int_eq(err.kind, ERR_FORMAT);
	}
	bytes_freep(&text);
	bytes_freep(&blob);
}
END_TEST

/* The last 8 bytes of a gzip member: CRC-32, then the length. */
START_TEST(wrong_crc_or_length_of_gzip_is_a_format_error)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);
	struct bytes text, blob;
	struct err err = { 0 };

	fill_text(&text);
	make_blob(&blob, GZIP, bytes_view(&text));
	blob.data[blob.len - 8 + (size_t)_i] ^= 1;
	ck_assert(!inflate_view(bytes_view(&blob), 65536, &out, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	bytes_freep(&text);
	bytes_freep(&blob);
}
END_TEST

START_TEST(garbage_behind_gzip_is_a_format_error)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);
	struct bytes text, blob;
	struct err err = { 0 };

	fill_text(&text);
	make_blob(&blob, GZIP, bytes_view(&text));
	add_bytes(&blob, "garbage", 7);
	ck_assert(!inflate_view(bytes_view(&blob), 65536, &out, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_str_eq(err.msg, "garbage behind the compressed data");
	bytes_freep(&text);
	bytes_freep(&blob);
}
END_TEST

START_TEST(damaged_blob_is_an_integrity_error_not_a_format_error)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);
	struct bytes text, blob;
	struct err err = { 0 };

	fill_text(&text);
	make_blob(&blob, GZIP, bytes_view(&text));
	memset(blob.data + blob.len / 2, 0xff, 100);
	struct memory_stream source = { .rest = bytes_view(&blob), .step = 4096,
					.has_bad_digest = true };

	ck_assert(!inflate_all(&source, &out, &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	bytes_freep(&text);
	bytes_freep(&blob);
}
END_TEST

/* RFC 8878 §3.1.1.1.2: exponent 18 is a window of 2^(10+18) bytes, 256 MiB. */
START_TEST(zstd_window_over_the_limit_is_named)
{
	static const char blob[] = "\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00";
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);
	struct err err = { 0 };

	ck_assert(!inflate_view((struct view){ blob, sizeof(blob) - 1 }, 64, &out, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "128 MiB"));
}
END_TEST

/* 100 MB of zeros in little: within the cap, and then past a lower one. */
START_TEST(ratio_past_the_cap_is_refused)
{
	static char zeros[10 << 20];
	const uint64_t ratios[] = { 2000, 20 };
	struct bytes blob = bytes_capped((size_t)256 << 20);
	struct err err = { 0 };
	bool ok = true;

	for (int i = 0; i < 10; i++)
		add_gzip(&blob, (struct view){ zeros, sizeof(zeros) });
	CLEANUP(queue_freep) struct queue *queue = NULL;
	CLEANUP(inflate_freep) struct inflate *inflate = NULL;
	struct memory_stream source = { .stream.read = memory_read,
					.rest = bytes_view(&blob),
					.step = 4096 };
	const uint8_t *data = NULL;
	size_t len = 1;

	ck_assert(queue_new(&queue, 2, 1 << 20, &err));
	ck_assert(inflate_start(&inflate, &source.stream, queue, NULL, NULL, ratios[_i], &shared,
				NULL, &err));
	while (ok && len > 0)
		ok = queue_next(queue, &data, &len, &err);
	ck_assert_int_eq(ok, _i == 0);
	ck_assert_int_eq(err.kind, _i == 0 ? ERR_NONE : ERR_UNSUPPORTED);
	inflate_freep(&inflate);
	bytes_freep(&blob);
}
END_TEST

START_TEST(empty_and_tiny_blobs_pass_as_they_are)
{
	static const char *const blobs[] = { "", "a", "abc" };
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);
	struct err err = { 0 };

	ck_assert(inflate_view(view_of(blobs[_i]), 1, &out, &err));
	ck_assert(view_equal(bytes_view(&out), blobs[_i]));
}
END_TEST

static atomic_bool is_inflated;

/* A window of 8 MiB, one block of one byte. */
static void *inflate_short_frame(void *argument)
{
	static const char frame[] = "\x28\xb5\x2f\xfd\x00\x68\x0b\0\0a";
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);

	(void)argument;
	ck_assert(inflate_view((struct view){ frame, sizeof(frame) - 1 }, 1, &out,
			       &(struct err){ 0 }));
	ck_assert_uint_eq(out.len, 1);
	is_inflated = true;
	return NULL;
}

START_TEST(a_frame_shorter_than_a_header_waits_for_its_window)
{
	uint64_t held = 0;
	pthread_t thread;

	memory_take_window(&shared, &held, 8 << 20);
	ck_assert_int_eq(pthread_create(&thread, NULL, inflate_short_frame, NULL), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	ck_assert(!is_inflated);
	memory_give_window(&shared, &held);
	pthread_join(thread, NULL);
	ck_assert(is_inflated);
	ck_assert_uint_eq(shared.window_bytes, 0);
}
END_TEST

/* Frames with windows of 4 and 16 MiB, of which only the first fits beside another layer's. */
static void *inflate_two_windows(void *blob)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(64 << 20);

	ck_assert(inflate_view(bytes_view(blob), SIZE_MAX, &out, &(struct err){ 0 }));
	ck_assert_uint_eq(out.len, 2 * (size_t)(5 << 20));
	return NULL;
}

START_TEST(a_layer_that_waits_for_a_window_holds_none)
{
	static char zeros[5 << 20];
	CLEANUP(bytes_freep) struct bytes blob = bytes_capped(16 << 20);
	uint64_t held = 0;
	pthread_t thread;

	add_zstd(&blob, (struct view){ zeros, sizeof(zeros) }, 22);
	add_zstd(&blob, (struct view){ zeros, sizeof(zeros) }, 24);
	memory_take_window(&shared, &held, 2 << 20);
	struct mallinfo2 before = mallinfo2();

	ck_assert_int_eq(pthread_create(&thread, NULL, inflate_two_windows, &blob), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	struct mallinfo2 now = mallinfo2(); /* 8 MiB are for what came out */

	ck_assert_uint_lt(now.uordblks + now.hblkhd, before.uordblks + before.hblkhd + (10 << 20));
	memory_give_window(&shared, &held);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(consumer_that_leaves_early_does_not_hang)
{
	CLEANUP(queue_freep) struct queue *queue = NULL;
	CLEANUP(inflate_freep) struct inflate *inflate = NULL;
	struct bytes text, blob;
	struct err err = { 0 };

	fill_text(&text);
	make_blob(&blob, GZIP, bytes_view(&text));
	struct memory_stream source = { .stream.read = memory_read, .rest = bytes_view(&blob),
					.step = 4096 };

	ck_assert(queue_new(&queue, 2, 4096, &err));
	ck_assert(inflate_start(&inflate, &source.stream, queue, NULL, NULL, 10000, &shared, NULL,
				&err));
	queue_abandon(queue);
	inflate_freep(&inflate); /* joins the thread */
	bytes_freep(&text);
	bytes_freep(&blob);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inflate");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	memory_init(&shared, 1);
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, each_format_comes_out_whole_in_pieces_of_any_size, 0,
			    FORMAT_COUNT);
	tcase_add_loop_test(all, truncated_blob_is_a_format_error, 0, 2);
	tcase_add_loop_test(all, wrong_crc_or_length_of_gzip_is_a_format_error, 0, 8);
	tcase_add_test(all, garbage_behind_gzip_is_a_format_error);
	tcase_add_test(all, damaged_blob_is_an_integrity_error_not_a_format_error);
	tcase_add_test(all, zstd_window_over_the_limit_is_named);
	tcase_add_loop_test(all, empty_and_tiny_blobs_pass_as_they_are, 0, 3);
	tcase_add_loop_test(all, ratio_past_the_cap_is_refused, 0, 2);
	tcase_add_test(all, consumer_that_leaves_early_does_not_hang);
	tcase_add_test(all, a_frame_shorter_than_a_header_waits_for_its_window);
	tcase_add_test(all, a_layer_that_waits_for_a_window_holds_none);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
