#include "fs/space.h"

#include <check.h>
#include <stdlib.h>

static const struct run runs[] = { { 10, 5 }, { 20, 1 }, { 100, 50 } };

static struct space all_of_it(void)
{
	return (struct space){ .runs = runs, .run_count = 3 };
}

static void check_take(struct space *space, uint64_t wanted, uint64_t start, uint64_t count)
{
	struct run run = space_take(space, wanted);

	ck_assert_uint_eq(run.start, start);
	ck_assert_uint_eq(run.count, count);
}

START_TEST(blocks_come_front_to_back)
{
	struct space space = all_of_it();

	check_take(&space, 2, 10, 2);
	check_take(&space, 2, 12, 2);
	check_take(&space, 9, 14, 1);
	check_take(&space, 8, 20, 1);
	check_take(&space, 7, 100, 7);
}
END_TEST

START_TEST(what_is_left_is_counted_down)
{
	struct space space = all_of_it();

	ck_assert_uint_eq(space_left(&space), 56);
	check_take(&space, 5, 10, 5);
	ck_assert_uint_eq(space_left(&space), 51);
	check_take(&space, 1, 20, 1);
	check_take(&space, 49, 100, 49);
	ck_assert_uint_eq(space_left(&space), 1);
	check_take(&space, 1, 149, 1);
	ck_assert_uint_eq(space_left(&space), 0);
}
END_TEST

START_TEST(nothing_is_left_for_ever)
{
	struct space space = { .runs = runs, .run_count = 1 };

	check_take(&space, 100, 10, 5);
	check_take(&space, 1, 0, 0);
	check_take(&space, 1, 0, 0);
	ck_assert_uint_eq(space_left(&space), 0);
}
END_TEST

START_TEST(no_space_at_all_is_no_space)
{
	struct space space = { 0 };

	ck_assert_uint_eq(space_left(&space), 0);
	check_take(&space, 1, 0, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("space");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(all, blocks_come_front_to_back);
	tcase_add_test(all, what_is_left_is_counted_down);
	tcase_add_test(all, nothing_is_left_for_ever);
	tcase_add_test(all, no_space_at_all_is_no_space);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
