#include "oci/duration.h"

#include <check.h>

static const struct {
	const char *text;
	uint64_t ms;
} good[] = {
	{ "0", 0 },	   { "0s", 0 },	      { "10s", 10000 },	   { "300ms", 300 },
	{ "1m30s", 90000 }, { "1.5h", 5400000 }, { ".5s", 500 },	   { "1.s", 1000 },
	{ "+2s", 2000 },   { "1ns", 1 },      { "1500us", 2 },	   { "1µs", 1 },
	{ "1h1ms", 3600001 }, { "0.25s", 250 }, { "24h", 86400000 }, { "0.0000000001s", 0 },
};

enum { GOOD_COUNT = sizeof(good) / sizeof(good[0]) };

static const char *const bad[] = { "",	  "10",	  "s",	  ".s",	  "-1s",     "1 s",
				   "1d",  "1sx",  "s1",	  "1..s", "24h1ms",  "99999999999s",
				   "+",	  "++1s", "0x1s", "1e3s", "infinite" };

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_duration_is_so_long)
{
	struct err err = { 0 };
	uint64_t ms = 7;

	ck_assert_msg(duration_parse(&ms, view_of(good[_i].text), &err), "%s", err.msg);
	ck_assert_uint_eq(ms, good[_i].ms);
}
END_TEST

START_TEST(what_is_none_is_a_format_error)
{
	struct err err = { 0 };
	uint64_t ms = 7;

	ck_assert_msg(!duration_parse(&ms, view_of(bad[_i]), &err), "'%s'", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_uint_eq(ms, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("duration");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_duration_is_so_long, 0, GOOD_COUNT);
	tcase_add_loop_test(rules, what_is_none_is_a_format_error, 0, BAD_COUNT);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
