#include "oci/retry.h"

#include <check.h>
#include <stdlib.h>

static const struct setback passing = { .may_pass = true };

START_TEST(gives_up_after_max_attempts_without_progress)
{
	struct retry retry = { .max = 2 };
	uint64_t wait_ms = 0;

	ck_assert(retry_next(&retry, &passing, &wait_ms));
	ck_assert(retry_next(&retry, &passing, &wait_ms));
	ck_assert(!retry_next(&retry, &passing, &wait_ms));
}
END_TEST

START_TEST(progress_starts_the_count_anew)
{
	struct retry retry = { .max = 1 };
	uint64_t wait_ms = 0;

	ck_assert(retry_next(&retry, &passing, &wait_ms));
	retry_progress(&retry);
	ck_assert(retry_next(&retry, &passing, &wait_ms));
	ck_assert(!retry_next(&retry, &passing, &wait_ms));
}
END_TEST

START_TEST(what_cannot_pass_is_not_tried_again)
{
	struct retry retry = { .max = 5 };
	const struct setback final = { .may_pass = false };
	uint64_t wait_ms = 0;

	ck_assert(!retry_next(&retry, &final, &wait_ms));
}
END_TEST

START_TEST(waits_double_with_a_quarter_of_jitter)
{
	struct retry retry = { .max = 4, .random = (uint32_t)_i };
	uint64_t wait_ms = 0, base_ms = 250;

	for (; retry_next(&retry, &passing, &wait_ms); base_ms *= 2) {
		ck_assert_uint_ge(wait_ms, base_ms * 3 / 4);
		ck_assert_uint_le(wait_ms, base_ms * 5 / 4);
	}
	ck_assert_uint_eq(base_ms, 4000);
}
END_TEST

START_TEST(server_is_given_the_time_it_asks_for_up_to_five_minutes)
{
	struct retry retry = { .max = 2 };
	const struct setback soon = { .may_pass = true, .wait_seconds = 7 };
	const struct setback never = { .may_pass = true, .wait_seconds = 86400 };
	uint64_t wait_ms = 0;

	ck_assert(retry_next(&retry, &soon, &wait_ms));
	ck_assert_uint_eq(wait_ms, 7000);
	ck_assert(retry_next(&retry, &never, &wait_ms));
	ck_assert_uint_eq(wait_ms, 300000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retry");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(rules, gives_up_after_max_attempts_without_progress);
	tcase_add_test(rules, progress_starts_the_count_anew);
	tcase_add_test(rules, what_cannot_pass_is_not_tried_again);
	tcase_add_loop_test(rules, waits_double_with_a_quarter_of_jitter, 0, 20);
	tcase_add_test(rules, server_is_given_the_time_it_asks_for_up_to_five_minutes);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
