#include "base/report.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void remember(void *context, const char *text)
{
	snprintf(context, 64, "%s", text);
}

START_TEST(note_reaches_the_listener)
{
	char heard[64] = "";
	struct report report = { .note = remember, .context = heard };

	report_note(&report, "retrying %s", "host");
	ck_assert_str_eq(heard, "retrying host");
}
END_TEST

START_TEST(note_cannot_end_its_line)
{
	char heard[64] = "";
	struct report report = { .note = remember, .context = heard };

	report_note(&report, "%s", "a\nb");
	ck_assert_str_eq(heard, "a?b");
}
END_TEST

START_TEST(counters_add_up)
{
	struct report report = { 0 };

	report_expect(&report, REPORT_FETCH, 10);
	report_did(&report, REPORT_FETCH, 3);
	report_did(&report, REPORT_FETCH, 4);
	ck_assert_uint_eq(report.expected_bytes[REPORT_FETCH], 10);
	ck_assert_uint_eq(report.done_bytes[REPORT_FETCH], 7);
	ck_assert_uint_eq(report.done_bytes[REPORT_WRITE], 0);
}
END_TEST

START_TEST(nobody_needs_to_listen)
{
	struct report deaf = { 0 };

	report_note(NULL, "x");
	report_expect(NULL, REPORT_FETCH, 1);
	report_did(NULL, REPORT_FETCH, 1);
	report_note(&deaf, "x");
	ck_assert_uint_eq(deaf.done_bytes[REPORT_FETCH], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tests = tcase_create("report");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, note_reaches_the_listener);
	tcase_add_test(tests, note_cannot_end_its_line);
	tcase_add_test(tests, counters_add_up);
	tcase_add_test(tests, nobody_needs_to_listen);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
