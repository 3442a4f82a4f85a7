#include "layers/body.h"

#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "layers/crc.h"

enum { BLOCK = INDEX_BLOCK_BYTES, BODY_BYTES = 40 * BLOCK + 100 };

struct written {
	int fd; /* the data file */
	uint64_t data_bytes;
	struct extent extents[64];
	size_t extent_count;
	uint32_t crc;
};

/* A body whose blocks are data where the pattern has an 'x' and zeros where it has a '.'; the
 * pattern repeats. */
static void fill_body(char *body, size_t len, const char *pattern)
{
	for (size_t i = 0; i < len; i++)
		body[i] = pattern[i / BLOCK % strlen(pattern)] == 'x' ? (char)(1 + i % 251) : 0;
}

static void write_body(struct written *out, const char *body, size_t len, size_t step)
{
	CLEANUP(body_writer_freep) struct body_writer *writer = NULL;
	const struct extent *extents = NULL;
	struct err err = { 0 };

	out->fd = memfd_create("data", MFD_CLOEXEC);
	ck_assert(body_writer_new(&writer, out->fd, BODY_BUFFER_BYTES, &err));
	body_begin(writer);
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;

		ck_assert(body_write(writer, (struct view){ body + at, part }, &err));
	}
	ck_assert(body_end(writer, len, &extents, &out->extent_count, &out->crc, &err));
	ck_assert_uint_le(out->extent_count, 64);
	for (size_t i = 0; i < out->extent_count; i++)
		out->extents[i] = extents[i];
	ck_assert(body_writer_finish(writer, &out->data_bytes, &err));
}

/* Does the data file, by its extents, say what the body says, zeros behind its end included? */
static void check_body(const struct written *written, const char *body, size_t len)
{
	size_t rounded = (len + BLOCK - 1) / BLOCK * BLOCK;
	char *expected = calloc(1, rounded + 1), *found = calloc(1, rounded + 1);
	struct err err = { 0 };

	memcpy(expected, body, len);
	for (size_t i = 0; i < written->extent_count; i++) {
		const struct extent *extent = &written->extents[i];

		ck_assert_uint_le((extent->block + extent->block_count) * BLOCK, rounded);
		ck_assert(file_pread(written->fd, found + extent->block * BLOCK,
				     extent->block_count * BLOCK, extent->data_block * BLOCK,
				     "data", &err));
	}
	ck_assert_mem_eq(found, expected, rounded);
	ck_assert_uint_eq(written->crc, crc32c_add(0, body, len));
	free(expected);
	free(found);
}

static const char *const patterns[] = { "x", ".", "x.", ".x", "xxx..x", "..........x",
					"xxxxxxxxxxxxxxxxxxxx." };
static const size_t steps[] = { 1, 100, 512, 4095, 4096, 10000, BODY_BYTES };
enum { PATTERN_COUNT = 7, STEP_COUNT = 7 };

START_TEST(body_reads_back_whatever_the_pieces_and_holes)
{
	static char body[BODY_BYTES];
	struct written written = { .fd = -1 };

	fill_body(body, sizeof(body), patterns[_i / STEP_COUNT]);
	write_body(&written, body, sizeof(body), steps[_i % STEP_COUNT]);
	check_body(&written, body, sizeof(body));
	ck_assert_uint_eq(written.data_bytes % BLOCK, 0);
	fd_closep(&written.fd);
}
END_TEST

START_TEST(zero_blocks_take_no_room_and_neighbours_are_one_extent)
{
	static char body[8 * BLOCK];
	struct written written = { .fd = -1 };

	fill_body(body, sizeof(body), "xxx....x");
	write_body(&written, body, sizeof(body), 1000);
	ck_assert_uint_eq(written.extent_count, 2);
	ck_assert_uint_eq(written.extents[0].block_count, 3);
	ck_assert_uint_eq(written.extents[1].block, 7);
	ck_assert_uint_eq(written.extents[1].data_block, 3);
	ck_assert_uint_eq(written.data_bytes, 4 * BLOCK);
	fd_closep(&written.fd);
}
END_TEST

/* Sparse pieces that begin and end inside blocks. */
START_TEST(seeks_leave_zeros_and_count_in_the_crc)
{
	static char body[6 * BLOCK];
	CLEANUP(body_writer_freep) struct body_writer *writer = NULL;
	struct written written = { .fd = memfd_create("data", MFD_CLOEXEC) };
	const struct extent *extents = NULL;
	struct err err = { 0 };

	memset(body + 100, 'a', 50);
	memset(body + 3 * BLOCK + 5, 'b', BLOCK);
	ck_assert(body_writer_new(&writer, written.fd, BODY_BUFFER_BYTES, &err));
	body_begin(writer);
	ck_assert(body_seek(writer, 100, &err));
	ck_assert(body_write(writer, (struct view){ body + 100, 50 }, &err));
	ck_assert(body_seek(writer, 3 * BLOCK + 5, &err));
	ck_assert(body_write(writer, (struct view){ body + 3 * BLOCK + 5, BLOCK }, &err));
	ck_assert(body_end(writer, sizeof(body), &extents, &written.extent_count, &written.crc,
			   &err));
	memcpy(written.extents, extents, written.extent_count * sizeof(*extents));
	ck_assert(body_writer_finish(writer, &written.data_bytes, &err));
	check_body(&written, body, sizeof(body));
	ck_assert_uint_eq(written.data_bytes, 3 * BLOCK);
	fd_closep(&written.fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, body_reads_back_whatever_the_pieces_and_holes, 0,
			    PATTERN_COUNT * STEP_COUNT);
	tcase_add_test(all, zero_blocks_take_no_room_and_neighbours_are_one_extent);
	tcase_add_test(all, seeks_leave_zeros_and_count_in_the_crc);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
