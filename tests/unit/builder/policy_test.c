#include "builder/cache/policy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A case: things as {bytes, last use, goes after, stays}, the limits at time 1,000, and what is
 * chosen of each: 's'tays, 'u'nused, 'r'oom. */
enum { THINGS_MAX = 5 };
#define NEVER POLICY_NEVER
#define ANY UINT64_MAX

static const struct {
	const char *says;
	struct policy_thing things[THINGS_MAX];
	size_t count;
	uint64_t max_bytes, min_freed_bytes;
	const char *choices;
	uint64_t lack_bytes;
} cases[] = {
	{ "nothing is nothing", { { 0 } }, 0, 0, 0, "", 0 },
	{ "without limits all stay", { { 5, 10, NEVER, 0 }, { 5, 20, NEVER, 0 } }, 2, ANY, 0,
	  "ss", 0 },
	{ "what is as old as that goes", { { 5, 900, 100, 0 }, { 5, 901, 100, 0 } }, 2, ANY, 0,
	  "us", 0 },
	{ "a use in the future is now", { { 5, 2000, 1, 0 }, { 5, 2000, 0, 0 } }, 2, ANY, 0, "su",
	  0 },
	{ "before 1970 is long ago", { { 5, -5, 1004, 0 }, { 5, -5, 1006, 0 } }, 2, ANY, 0, "us",
	  0 },
	{ "what stays stays, however old", { { 5, 0, 1, 1 } }, 1, ANY, 0, "s", 0 },
	{ "least recently used first, until it fits",
	  { { 5, 30, NEVER, 0 }, { 5, 10, NEVER, 0 }, { 5, 20, NEVER, 0 } }, 3, 5, 0, "srr", 0 },
	{ "exactly full is full", { { 5, 30, NEVER, 0 }, { 5, 10, NEVER, 0 } }, 2, 10, 0, "ss", 0 },
	{ "a byte over is over", { { 5, 30, NEVER, 0 }, { 5, 10, NEVER, 0 } }, 2, 9, 0, "sr", 0 },
	{ "what is overdue may be enough",
	  { { 5, 30, NEVER, 0 }, { 5, 10, NEVER, 0 }, { 9, 500, 400, 0 } }, 3, 10, 0, "ssu", 0 },
	{ "and may not", { { 5, 30, NEVER, 0 }, { 5, 10, NEVER, 0 }, { 9, 500, 400, 0 } }, 3, 9, 0,
	  "sru", 0 },
	{ "what stays counts, and others go for it",
	  { { 5, 10, NEVER, 1 }, { 5, 20, NEVER, 0 }, { 5, 30, NEVER, 0 } }, 3, 10, 0, "srs", 0 },
	{ "when it cannot fit, the lack is told",
	  { { 5, 10, NEVER, 1 }, { 5, 20, NEVER, 0 } }, 2, 3, 0, "sr", 2 },
	{ "enough is freed, no more",
	  { { 5, 10, NEVER, 0 }, { 5, 20, NEVER, 0 }, { 5, 30, NEVER, 0 } }, 3, ANY, 6, "rrs", 0 },
	{ "what is overdue counts as freed", { { 5, 10, NEVER, 0 }, { 6, 800, 100, 0 } }, 2, ANY,
	  6, "su", 0 },
	{ "both limits hold", { { 5, 10, NEVER, 0 }, { 5, 20, NEVER, 0 }, { 5, 30, NEVER, 0 } }, 3,
	  12, 6, "rrs", 0 },
	{ "more than there is cannot be freed", { { 5, 10, NEVER, 0 } }, 1, ANY, 7, "r", 2 },
	{ "all at the same time go in their order",
	  { { 5, 10, NEVER, 0 }, { 5, 10, NEVER, 0 }, { 5, 10, NEVER, 0 } }, 3, 5, 0, "rrs", 0 },
	{ "sizes near the end of numbers do not wrap",
	  { { UINT64_MAX / 2, 10, NEVER, 0 }, { UINT64_MAX / 2, 20, NEVER, 0 } }, 2,
	  UINT64_MAX / 2, 0, "rs", 0 },
};
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

START_TEST(each_case_chooses_what_it_says)
{
	const struct policy_limits limits = { .now = 1000,
					      .max_bytes = cases[_i].max_bytes,
					      .min_freed_bytes = cases[_i].min_freed_bytes };
	enum policy_choice choices[THINGS_MAX];
	size_t order[THINGS_MAX], count = cases[_i].count;
	char chosen[THINGS_MAX + 1] = "";

	policy_choose(cases[_i].things, count, &limits, order, choices);
	for (size_t i = 0; i < count; i++)
		chosen[i] = "sur"[choices[i]];
	ck_assert_msg(strcmp(chosen, cases[_i].choices) == 0, "%s: %s", cases[_i].says, chosen);
	ck_assert_msg(policy_lack(cases[_i].things, count, &limits, choices) ==
			      cases[_i].lack_bytes, "%s", cases[_i].says);
}
END_TEST

START_TEST(the_order_is_by_use_then_by_number)
{
	const struct policy_thing things[] = { { 1, 30, NEVER, 0 },
					       { 1, 10, NEVER, 0 },
					       { 1, 30, NEVER, 0 },
					       { 1, 20, NEVER, 1 } };
	const struct policy_limits limits = { .now = 1000, .max_bytes = ANY };
	enum policy_choice choices[4];
	size_t order[4];

	policy_choose(things, 4, &limits, order, choices);
	ck_assert_uint_eq(order[0], 1);
	ck_assert_uint_eq(order[1], 3);
	ck_assert_uint_eq(order[2], 0);
	ck_assert_uint_eq(order[3], 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, each_case_chooses_what_it_says, 0, CASE_COUNT);
	tcase_add_test(all, the_order_is_by_use_then_by_number);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
