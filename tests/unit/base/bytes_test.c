#include "base/bytes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(data_is_followed_by_a_nul)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(1000);
	struct err err = { 0 };

	ck_assert(bytes_append(&bytes, "abc", 3, &err));
	ck_assert(bytes_print(&bytes, &err, "-%d", 12));
	ck_assert_str_eq(bytes.data, "abc-12");
	ck_assert_uint_eq(bytes.len, 6);
}
END_TEST

START_TEST(cap_is_reached_and_never_passed)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(5);
	struct err err = { 0 };

	ck_assert(bytes_append(&bytes, "12345", 5, &err));
	ck_assert(!bytes_append(&bytes, "6", 1, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert(!bytes_print(&bytes, &err, "x"));
	ck_assert_str_eq(bytes.data, "12345");
}
END_TEST

START_TEST(length_that_overflows_is_refused)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(SIZE_MAX - 1);
	struct err err = { 0 };
	char *room = NULL;

	ck_assert(bytes_append(&bytes, "1234567890", 10, &err));
	ck_assert(!bytes_grow(&bytes, SIZE_MAX - 5, &room, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_null(room);
	ck_assert_uint_eq(bytes.len, 10);
}
END_TEST

START_TEST(content_survives_many_growths)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(1 << 20);
	struct err err = { 0 };

	for (unsigned i = 0; i < 10000; i++)
		ck_assert(bytes_append(&bytes, "0123456", 7, &err));
	ck_assert_uint_eq(bytes.len, 70000);
	ck_assert_mem_eq(bytes.data + 69993, "0123456\0", 8);
}
END_TEST

START_TEST(empty_append_gives_an_empty_string)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(0);
	struct err err = { 0 };

	ck_assert(bytes_append(&bytes, NULL, 0, &err));
	ck_assert_str_eq(bytes.data, "");
}
END_TEST

START_TEST(taken_memory_is_the_callers_and_the_buffer_starts_anew)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(10);
	struct err err = { 0 };

	ck_assert(bytes_append(&bytes, "old", 3, &err));
	char *taken = bytes_take(&bytes);

	ck_assert(bytes_append(&bytes, "0123456789", 10, &err));
	ck_assert(!bytes_append(&bytes, "x", 1, &err));
	ck_assert_str_eq(taken, "old");
	free(taken);
}
END_TEST

START_TEST(cleared_buffer_is_an_empty_string)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(10);
	struct err err = { 0 };

	ck_assert(bytes_append(&bytes, "abc", 3, &err));
	bytes_clear(&bytes);
	ck_assert_str_eq(bytes.data, "");
	ck_assert_uint_eq(bytes.len, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bytes");
	TCase *tests = tcase_create("bytes");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, data_is_followed_by_a_nul);
	tcase_add_test(tests, cap_is_reached_and_never_passed);
	tcase_add_test(tests, length_that_overflows_is_refused);
	tcase_add_test(tests, content_survives_many_growths);
	tcase_add_test(tests, empty_append_gives_an_empty_string);
	tcase_add_test(tests, taken_memory_is_the_callers_and_the_buffer_starts_anew);
	tcase_add_test(tests, cleared_buffer_is_an_empty_string);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
