#include "base/digest_lanes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 1 << 16, LENGTHS = 140 };

static unsigned char bytes[BYTES];

static void begin(void)
{
	uint32_t random = 1;

	for (size_t i = 0; i < BYTES; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(random >> 24);
	}
}

static struct view piece(size_t at, size_t len)
{
	return (struct view){ (const char *)bytes + at, len };
}

static void check_done(const struct digest_lane *lane, struct view whole)
{
	struct digest found = digest_lane_result(lane), wanted = digest_of(whole.ptr, whole.len);

	ck_assert(!lane->is_busy);
	ck_assert_msg(digest_equal(&found, &wanted), "%zu bytes", whole.len);
}

/* Every length around one and two blocks, alone and beside each other. */
START_TEST(lanes_of_all_lengths_give_the_digest)
{
	struct digest_lane lanes[DIGEST_LANES] = { 0 };
	size_t len = (size_t)_i;
	struct view whole = piece(len, len);

	digest_lane_start(&lanes[_i % 2], whole);
	digest_lanes_run(lanes);
	check_done(&lanes[_i % 2], whole);
	for (size_t other = 0; other < LENGTHS; other++) {
		struct view beside = piece(other + 1, other);

		digest_lane_start(&lanes[0], whole);
		digest_lane_start(&lanes[1], beside);
		digest_lanes_run(lanes);
		ck_assert(!lanes[0].is_busy || !lanes[1].is_busy);
		digest_lanes_run(lanes);
		check_done(&lanes[0], whole);
		check_done(&lanes[1], beside);
	}
}
END_TEST

/* One long lane while others come and go in the second. */
START_TEST(a_lane_goes_on_while_the_other_starts_anew)
{
	struct digest_lane lanes[DIGEST_LANES] = { 0 };
	struct view whole = piece(3, BYTES - 3);
	size_t at = 0;

	digest_lane_start(&lanes[0], whole);
	for (size_t len = 1; lanes[0].is_busy && len < 1000; len += 37, at += len) {
		digest_lane_start(&lanes[1], piece(at, len));
		digest_lanes_run(lanes);
		if (!lanes[1].is_busy)
			check_done(&lanes[1], piece(at, len));
	}
	digest_lanes_run(lanes);
	digest_lanes_run(lanes);
	check_done(&lanes[0], whole);
}
END_TEST

START_TEST(nothing_to_do_is_done_at_once)
{
	struct digest_lane lanes[DIGEST_LANES] = { 0 };

	digest_lanes_run(lanes);
	ck_assert(!lanes[0].is_busy && !lanes[1].is_busy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest_lanes");
	TCase *tests = tcase_create("digest_lanes");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, begin, NULL);
	tcase_add_loop_test(tests, lanes_of_all_lengths_give_the_digest, 0, LENGTHS);
	tcase_add_test(tests, a_lane_goes_on_while_the_other_starts_anew);
	tcase_add_test(tests, nothing_to_do_is_done_at_once);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
