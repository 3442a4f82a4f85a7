#include "base/view.h"

#include <check.h>
#include <stdlib.h>

static const struct view empty;

START_TEST(equal_compares_length_and_bytes)
{
	ck_assert(view_equal(view_of("abc"), "abc"));
	ck_assert(!view_equal(view_of("abc"), "ab"));
	ck_assert(!view_equal(view_of("ab"), "abc"));
	ck_assert(!view_equal((struct view){ "a\0b", 3 }, "a"));
	ck_assert(view_equal(empty, ""));
}
END_TEST

START_TEST(no_view_equals_null)
{
	ck_assert(!view_equal(empty, NULL));
	ck_assert(!view_equal(view_of("x"), NULL));
}
END_TEST

START_TEST(equal_in_any_case_is_about_letters_alone)
{
	ck_assert(view_equal_any_case(view_of("Content-Type"), "content-TYPE"));
	ck_assert(!view_equal_any_case(view_of("Content-Type"), "content-typ"));
	ck_assert(!view_equal_any_case(view_of("content_type"), "content-type"));
	ck_assert(view_equal_any_case((struct view){ 0 }, ""));
	ck_assert(!view_equal_any_case(view_of(""), NULL));
}
END_TEST

START_TEST(order_is_by_bytes_and_then_by_length)
{
	ck_assert_int_lt(view_compare(view_of("a"), view_of("b")), 0);
	ck_assert_int_gt(view_compare(view_of("\xff"), view_of("z")), 0);
	ck_assert_int_lt(view_compare(view_of("ab"), view_of("abc")), 0);
	ck_assert_int_gt(view_compare(view_of("b"), view_of("abc")), 0);
	ck_assert_int_lt(view_compare(empty, view_of("a")), 0);
	ck_assert_int_eq(view_compare(view_of(""), empty), 0);
}
END_TEST

START_TEST(start_and_end_longer_than_the_view_do_not_match)
{
	ck_assert(view_starts(view_of("sha256:x"), "sha256:"));
	ck_assert(!view_starts(view_of("sha"), "sha256:"));
	ck_assert(view_ends(view_of("a.ko.xz"), ".xz"));
	ck_assert(!view_ends(view_of("xz"), ".xz"));
	ck_assert(view_starts(empty, "") && view_ends(empty, ""));
}
END_TEST

START_TEST(from_past_the_end_is_empty)
{
	ck_assert(view_equal(view_from(view_of("abc"), 1), "bc"));
	ck_assert_uint_eq(view_from(view_of("abc"), 3).len, 0);
	ck_assert_uint_eq(view_from(view_of("abc"), 99).len, 0);
}
END_TEST

START_TEST(cut_walks_through_all_parts)
{
	struct view rest = view_of("a//b");

	ck_assert(view_equal(view_cut(&rest, '/'), "a"));
	ck_assert(view_equal(view_cut(&rest, '/'), ""));
	ck_assert(view_equal(view_cut(&rest, '/'), "b"));
	ck_assert_ptr_null(rest.ptr);
}
END_TEST

START_TEST(cut_tells_a_final_separator_from_none)
{
	struct view with = view_of("a/"), without = view_of("a");

	view_cut(&with, '/');
	view_cut(&without, '/');
	ck_assert_ptr_nonnull(with.ptr);
	ck_assert_uint_eq(with.len, 0);
	ck_assert_ptr_null(without.ptr);
}
END_TEST

START_TEST(trim_drops_white_space_at_both_ends_only)
{
	ck_assert(view_equal(view_trim(view_of(" \t a b\r\n")), "a b"));
	ck_assert_uint_eq(view_trim(view_of(" \n")).len, 0);
}
END_TEST

START_TEST(find_gives_first_and_last_or_minus_one)
{
	ck_assert_int_eq(view_find(view_of("a:b:c"), ':'), 1);
	ck_assert_int_eq(view_find_last(view_of("a:b:c"), ':'), 3);
	ck_assert_int_eq(view_find(view_of("abc"), ':'), -1);
	ck_assert_int_eq(view_find_last(empty, ':'), -1);
}
END_TEST

static const struct {
	const char *text;
	unsigned base;
	uint64_t max, value;
} numbers[] = {
	{ "0", 10, UINT64_MAX, 0 },
	{ "007", 10, 7, 7 },
	{ "755", 8, 07777, 0755 },
	{ "fF", 16, 255, 255 },
	{ "18446744073709551615", 10, UINT64_MAX, UINT64_MAX },
};

enum { NUMBER_COUNT = sizeof(numbers) / sizeof(numbers[0]) };

START_TEST(behind_last_is_all_without_a_separator)
{
	ck_assert(view_equal(view_behind_last(view_of("a/b/c"), '/'), "c"));
	ck_assert(view_equal(view_behind_last(view_of("abc"), '/'), "abc"));
	ck_assert(view_equal(view_behind_last(view_of("a/"), '/'), ""));
	ck_assert_uint_eq(view_behind_last((struct view){ 0 }, '/').len, 0);
}
END_TEST

START_TEST(number_is_read_in_its_base)
{
	uint64_t value = 99;

	ck_assert(
		view_number(view_of(numbers[_i].text), numbers[_i].base, numbers[_i].max, &value));
	ck_assert_uint_eq(value, numbers[_i].value);
}
END_TEST

static const struct {
	const char *text;
	unsigned base;
	uint64_t max;
} no_numbers[] = {
	{ "", 10, 9 },
	{ "-1", 10, 9 },
	{ "+1", 10, 9 },
	{ " 1", 10, 9 },
	{ "1 ", 10, 9 },
	{ "0x1", 16, 9 },
	{ "8", 8, 9 },
	{ "a", 10, 99 },
	{ "10", 10, 9 },
	{ "g", 16, 99 },
	{ "1\xff", 10, 99 },
	{ "18446744073709551616", 10, UINT64_MAX },
	{ "99999999999999999999999999", 10, UINT64_MAX },
};

enum { NO_NUMBER_COUNT = sizeof(no_numbers) / sizeof(no_numbers[0]) };

START_TEST(what_is_no_number_is_refused_and_out_untouched)
{
	uint64_t value = 99;

	ck_assert(!view_number(view_of(no_numbers[_i].text), no_numbers[_i].base,
			       no_numbers[_i].max, &value));
	ck_assert_uint_eq(value, 99);
}
END_TEST

START_TEST(copy_ends_in_nul_and_keeps_inner_ones)
{
	char *copy = view_copy((struct view){ "a\0bXX", 3 });

	ck_assert_mem_eq(copy, "a\0b\0", 4);
	free(copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *tests = tcase_create("view");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, equal_compares_length_and_bytes);
	tcase_add_test(tests, no_view_equals_null);
	tcase_add_test(tests, equal_in_any_case_is_about_letters_alone);
	tcase_add_test(tests, order_is_by_bytes_and_then_by_length);
	tcase_add_test(tests, start_and_end_longer_than_the_view_do_not_match);
	tcase_add_test(tests, from_past_the_end_is_empty);
	tcase_add_test(tests, cut_walks_through_all_parts);
	tcase_add_test(tests, cut_tells_a_final_separator_from_none);
	tcase_add_test(tests, trim_drops_white_space_at_both_ends_only);
	tcase_add_test(tests, find_gives_first_and_last_or_minus_one);
	tcase_add_test(tests, behind_last_is_all_without_a_separator);
	tcase_add_loop_test(tests, number_is_read_in_its_base, 0, NUMBER_COUNT);
	tcase_add_loop_test(tests, what_is_no_number_is_refused_and_out_untouched, 0,
			    NO_NUMBER_COUNT);
	tcase_add_test(tests, copy_ends_in_nul_and_keeps_inner_ones);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
