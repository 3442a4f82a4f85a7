/* What layers share stays within its bound, and none of them waits for ever. */
#include "layers/memory.h"

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"

enum { MIB = 1 << 20 };

static struct memory memory;

/* layers at a time, and what each gets for a buffer */
static const struct row {
	unsigned layers;
	size_t buffer_bytes;
} rows[] = {
	{ 1, MIB },	  { 3, MIB },	   { 4, MIB / 2 },  { 7, MIB / 2 },  { 8, MIB / 4 },
	{ 12, MIB / 4 },  { 13, MIB / 8 }, { 21, MIB / 8 }, { 22, MIB / 16 },
	{ MEMORY_LAYERS_MAX, MIB / 16 },
};

START_TEST(more_layers_have_smaller_buffers)
{
	memory_init(&memory, rows[_i].layers);
	ck_assert_uint_eq(memory.buffer_bytes, rows[_i].buffer_bytes);
	ck_assert_uint_le(rows[_i].layers * (memory.buffer_bytes * 69 / 8 + MIB / 2),
			  34 * MIB);
	memory_closep(&memory);
}
END_TEST

static atomic_bool has_second;

static void *take_second(void *argument)
{
	uint64_t *held = argument;

	memory_take_window(&memory, held, 8 * MIB);
	has_second = true;
	return NULL;
}

static void wait_a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

START_TEST(a_window_waits_until_there_is_room)
{
	uint64_t first = 0, second = 0;
	pthread_t thread;

	memory_init(&memory, 2);
	memory_take_window(&memory, &first, 8 * MIB);
	ck_assert_int_eq(pthread_create(&thread, NULL, take_second, &second), 0);
	wait_a_moment();
	ck_assert(!has_second);
	memory_give_window(&memory, &first);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(first, 0);
	ck_assert_uint_eq(second, 8 * MIB);
	memory_give_window(&memory, &second);
	ck_assert_uint_eq(memory.window_bytes, 0);
	memory_closep(&memory);
}
END_TEST

START_TEST(small_windows_go_side_by_side)
{
	uint64_t held[4] = { 0 };

	memory_init(&memory, 4);
	for (int i = 0; i < 4; i++)
		memory_take_window(&memory, &held[i], 3 * MIB);
	ck_assert_uint_eq(memory.window_bytes, 12 * MIB);
	memory_closep(&memory);
}
END_TEST

START_TEST(a_window_larger_than_all_goes_alone)
{
	uint64_t held = 0;

	memory_init(&memory, 1);
	memory_take_window(&memory, &held, 128 * MIB);
	memory_take_window(&memory, &held, 134 * MIB); /* what it held does not stand in its way */
	ck_assert_uint_eq(memory.window_bytes, 134 * MIB);
	memory_closep(&memory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, more_layers_have_smaller_buffers, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(all, a_window_waits_until_there_is_room);
	tcase_add_test(all, small_windows_go_side_by_side);
	tcase_add_test(all, a_window_larger_than_all_goes_alone);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
