#include "oci/redirect.h"

#include <check.h>

#include "base/cleanup.h"

static const struct {
	const char *from, *to;
	bool allows_plain, is_allowed, is_elsewhere;
} steps[] = {
	{ "https://a/x", "https://a/y", false, true, false },
	{ "https://a/x", "https://A:443/y", false, true, false },
	{ "https://a/x", "https://b/y", false, true, true },
	{ "https://a/x", "https://a:444/y", false, true, true },
	{ "https://a/x", "https://a@b/y", false, true, true },
	{ "https://a/x", "http://a/x", false, false, false },
	{ "https://a/x", "http://a/x", true, true, true },
	{ "http://a/x", "https://a/x", false, true, true },
	{ "http://a/x", "http://a/y", false, true, false },
};

enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

START_TEST(each_step_is_allowed_and_judged)
{
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(1000);
	struct redirects redirects = { 0 };
	struct err err = { 0 };

	ck_assert(bytes_print(&url, &err, "%s", steps[_i].from));
	ck_assert_int_eq(redirect_follow(&redirects, &url, view_of(steps[_i].to),
					 steps[_i].allows_plain, &err),
			 steps[_i].is_allowed);
	ck_assert_str_eq(url.data, steps[_i].is_allowed ? steps[_i].to : steps[_i].from);
	ck_assert_int_eq(redirects.is_elsewhere, steps[_i].is_elsewhere);
}
END_TEST

START_TEST(way_back_is_still_elsewhere)
{
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(1000);
	struct redirects redirects = { 0 };
	struct err err = { 0 };

	ck_assert(bytes_print(&url, &err, "https://a/x"));
	ck_assert(redirect_follow(&redirects, &url, view_of("https://b/"), false, &err));
	ck_assert(redirect_follow(&redirects, &url, view_of("https://a/x"), false, &err));
	ck_assert(redirects.is_elsewhere);
}
END_TEST

START_TEST(loop_ends)
{
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(1000);
	struct redirects redirects = { 0 };
	struct err err = { 0 };
	unsigned count = 0;

	ck_assert(bytes_print(&url, &err, "https://a/x"));
	while (count < 100 &&
	       redirect_follow(&redirects, &url, view_of("https://a/x"), false, &err))
		count++;
	ck_assert_uint_eq(count, 10);
	ck_assert_int_eq(err.kind, ERR_NETWORK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redirect");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_step_is_allowed_and_judged, 0, STEP_COUNT);
	tcase_add_test(rules, way_back_is_still_elsewhere);
	tcase_add_test(rules, loop_ends);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
