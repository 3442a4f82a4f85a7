#include "base/hasher.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

enum { BYTES = 3 << 20 };

static uint8_t *data[HASHER_LANES];
static struct sha256 *hashes[HASHER_LANES];
static struct hasher *hasher;

static void begin(void)
{
	struct err err = { 0 };

	for (int i = 0; i < HASHER_LANES; i++) {
		data[i] = malloc(BYTES);
		for (size_t at = 0; at < BYTES; at++)
			data[i][at] = (uint8_t)(at * 31 + at / 251 + (size_t)i);
		ck_assert(sha256_new(&hashes[i], &err));
	}
	ck_assert(hasher_start(&hasher, &err));
}

static void end(void)
{
	hasher_freep(&hasher);
	for (int i = 0; i < HASHER_LANES; i++) {
		free(data[i]);
		sha256_freep(&hashes[i]);
	}
}

static uint64_t add(enum hasher_lane lane, size_t first, size_t len)
{
	return hasher_add(hasher, lane, hashes[lane], data[lane] + first, len);
}

static void check_hash(enum hasher_lane lane, size_t len)
{
	struct digest found = sha256_now(hashes[lane]), wanted = digest_of(data[lane], len);

	ck_assert(digest_equal(&found, &wanted));
}

/* From a thread of its own: all of a lane, in pieces whose lengths differ from lane to lane. */
static void *add_all(void *context)
{
	enum hasher_lane lane = context == NULL ? HASHER_BLOB : HASHER_CONTENT;
	size_t step = lane == HASHER_BLOB ? 7001 : 19000;
	uint64_t last = 0;

	for (size_t at = 0; at < BYTES; at += step)
		last = add(lane, at, BYTES - at < step ? BYTES - at : step);
	hasher_wait(hasher, lane, last);
	return NULL;
}

START_TEST(two_lanes_are_hashed_each_in_its_order)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, add_all, hasher), 0);
	add_all(NULL);
	pthread_join(thread, NULL);
	check_hash(HASHER_BLOB, BYTES);
	check_hash(HASHER_CONTENT, BYTES);
}
END_TEST

START_TEST(one_piece_alone_is_hashed_when_it_is_waited_for)
{
	hasher_wait(hasher, HASHER_CONTENT, add(HASHER_CONTENT, 0, 100));
	check_hash(HASHER_CONTENT, 100);
	hasher_wait(hasher, HASHER_BLOB, 0);
	check_hash(HASHER_BLOB, 0);
}
END_TEST

START_TEST(a_lane_alone_goes_on_whatever_comes)
{
	add_all(NULL);
	check_hash(HASHER_BLOB, BYTES);
}
END_TEST

START_TEST(what_still_waits_at_the_end_is_hashed)
{
	add(HASHER_BLOB, 0, 1000);
	add(HASHER_CONTENT, 0, 77);
	add(HASHER_CONTENT, 77, 1);
	hasher_freep(&hasher);
	check_hash(HASHER_BLOB, 1000);
	check_hash(HASHER_CONTENT, 78);
}
END_TEST

START_TEST(numbers_count_the_pieces_of_a_lane)
{
	ck_assert_uint_eq(add(HASHER_BLOB, 0, 1), 1);
	ck_assert_uint_eq(add(HASHER_CONTENT, 0, 1), 1);
	ck_assert_uint_eq(add(HASHER_BLOB, 1, 1), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hasher");
	TCase *tests = tcase_create("hasher");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, two_lanes_are_hashed_each_in_its_order);
	tcase_add_test(tests, one_piece_alone_is_hashed_when_it_is_waited_for);
	tcase_add_test(tests, a_lane_alone_goes_on_whatever_comes);
	tcase_add_test(tests, what_still_waits_at_the_end_is_hashed);
	tcase_add_test(tests, numbers_count_the_pieces_of_a_lane);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
