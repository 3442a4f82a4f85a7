#include "layers/body_map.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

static struct err err;
static int data_fd;

/* Blocks of 'a', 'b' and 'c', one behind the other. */
static void start(void)
{
	char block[INDEX_BLOCK_BYTES];

	data_fd = memfd_create("data", MFD_CLOEXEC);
	ck_assert_int_ge(data_fd, 0);
	for (char byte = 'a'; byte <= 'c'; byte++) {
		memset(block, byte, sizeof(block));
		ck_assert_int_eq(write(data_fd, block, sizeof(block)), sizeof(block));
	}
}

static void end(void)
{
	fd_closep(&data_fd);
}

START_TEST(body_is_one_piece_with_its_holes)
{
	static const struct extent extents[] = { { 0, 1, 1 }, { 2, 2, 1 } };
	CLEANUP(body_map_closep) struct body_map map = { 0 };

	ck_assert_msg(body_map_open(&map, data_fd, extents, 2, 3 * INDEX_BLOCK_BYTES - 5, &err),
		      "%s", err.msg);
	ck_assert_uint_eq(map.bytes.len, 3 * INDEX_BLOCK_BYTES - 5);
	ck_assert_int_eq(map.bytes.ptr[0], 'b');
	ck_assert_int_eq(map.bytes.ptr[INDEX_BLOCK_BYTES], 0);
	ck_assert_int_eq(map.bytes.ptr[2 * INDEX_BLOCK_BYTES - 1], 0);
	ck_assert_int_eq(map.bytes.ptr[map.bytes.len - 1], 'c');
}
END_TEST

START_TEST(empty_body_needs_no_map)
{
	CLEANUP(body_map_closep) struct body_map map = { 0 };

	ck_assert(body_map_open(&map, data_fd, NULL, 0, 0, &err));
	ck_assert_uint_eq(map.bytes.len, 0);
}
END_TEST

static const struct extent outside[] = {
	{ 0, 3, 1 }, /* behind the end of data */
	{ 2, 0, 1 }, /* behind the end of the body */
	{ 0, 2, 2 },
	{ UINT64_MAX, 0, 1 },
	{ 0, UINT64_MAX, 1 },
};

START_TEST(extent_that_lies_outside_is_refused)
{
	struct body_map map = { 0 };

	ck_assert(!body_map_open(&map, data_fd, &outside[_i], 1, 2 * INDEX_BLOCK_BYTES, &err));
	ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	ck_assert_uint_eq(map.mapped_bytes, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body_map");
	SRunner *runner = srunner_create(suite);
	TCase *tests = tcase_create("body_map");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, body_is_one_piece_with_its_holes);
	tcase_add_test(tests, empty_body_needs_no_map);
	tcase_add_loop_test(tests, extent_that_lies_outside_is_refused, 0,
			    sizeof(outside) / sizeof(outside[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
