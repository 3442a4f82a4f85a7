#include "base/err.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(sentence_grows_outwards)
{
	struct err err = { 0 };

	ck_assert(!err_set(&err, ERR_FORMAT, "entry %d has no name", 7));
	ck_assert(!err_wrap(&err, "layer %zu", (size_t)2));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_str_eq(err.msg, "layer 2: entry 7 has no name");
}
END_TEST

START_TEST(argument_may_point_into_the_error_itself)
{
	struct err err = { 0 };

	err_set(&err, ERR_IO, "first");
	err_set(&err, ERR_NETWORK, "after %s", err.msg);
	ck_assert_str_eq(err.msg, "after first");
	err_wrap(&err, "%s", err.msg);
	ck_assert_str_eq(err.msg, "after first: after first");
}
END_TEST

START_TEST(prefix_that_does_not_fit_is_dropped_and_the_cause_kept)
{
	struct err err = { 0 };
	char cause[sizeof(err.msg)], prefix[16] = "a prefix";

	memset(cause, 'c', sizeof(cause));
	cause[sizeof(cause) - 4] = '\0';
	err_set(&err, ERR_IO, "%s", cause);
	err_wrap(&err, "%s", prefix);
	ck_assert_str_eq(err.msg, cause);
}
END_TEST

START_TEST(prefix_that_just_fits_is_put)
{
	struct err err = { 0 };
	char cause[sizeof(err.msg)];

	memset(cause, 'c', sizeof(cause));
	cause[sizeof(cause) - 1 - strlen("p: ")] = '\0';
	err_set(&err, ERR_IO, "%s", cause);
	err_wrap(&err, "p");
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	ck_assert_int_eq(strncmp(err.msg, "p: ccc", 6), 0);
}
END_TEST

START_TEST(sentence_over_the_size_is_cut_and_ends_in_nul)
{
	struct err err = { 0 };
	char text[2 * sizeof(err.msg)];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", text);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
}
END_TEST

START_TEST(foreign_control_characters_are_tamed)
{
	struct err err = { 0 };

	err_set(&err, ERR_FORMAT, "%s", "a\r\nb\x1b[2Jc\x7f\xc2\x9b" "d\xc3\xa4\xe2\x80\xa6");
	err_wrap(&err, "%s", "\t");
	ck_assert_str_eq(err.msg, "?: a??b?[2Jc???d\xc3\xa4\xe2\x80\xa6");
}
END_TEST

START_TEST(host_failure_names_its_reason)
{
	struct err err = { 0 };

	errno = EACCES;
	ck_assert(!err_os(&err, "open %s", "/x"));
	ck_assert_int_eq(err.kind, ERR_IO);
	ck_assert_int_eq(err.os_errno, EACCES);
	ck_assert_str_eq(err.msg, "open /x: Permission denied");
}
END_TEST

START_TEST(full_disk_and_quota_are_a_lack_of_space)
{
	struct err err = { 0 };

	errno = ENOSPC;
	err_os(&err, "write");
	ck_assert_int_eq(err.kind, ERR_SPACE);
	errno = EDQUOT;
	err_os(&err, "write");
	ck_assert_int_eq(err.kind, ERR_SPACE);
}
END_TEST

START_TEST(missing_path_of_the_user_is_not_found)
{
	struct err err = { 0 };

	errno = ENOENT;
	err_os_path(&err, "open a");
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	errno = ENOTDIR;
	err_os_path(&err, "open a");
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	errno = EACCES;
	err_os_path(&err, "open a");
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

/* The table of DESIGN.md §6, which callers of vmbake rely on. */
static const struct {
	enum err_kind kind;
	int exit_code;
	const char *name;
} kinds[] = {
	{ ERR_NONE, 0, "none" },
	{ ERR_USAGE, 2, "usage" },
	{ ERR_NOT_FOUND, 3, "not-found" },
	{ ERR_AUTH, 4, "auth" },
	{ ERR_NETWORK, 5, "network" },
	{ ERR_INTEGRITY, 6, "integrity" },
	{ ERR_UNSUPPORTED, 7, "unsupported" },
	{ ERR_FORMAT, 8, "format" },
	{ ERR_SPACE, 9, "space" },
	{ ERR_MISMATCH, 10, "mismatch" },
	{ ERR_BUSY, 11, "busy" },
	{ ERR_IO, 12, "io" },
	{ ERR_INTERNAL, 70, "internal" },
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == ERR_KIND_COUNT, "a row for each kind");

START_TEST(each_kind_has_its_exit_code_and_name)
{
	ck_assert_int_eq(err_exit_code(kinds[_i].kind), kinds[_i].exit_code);
	ck_assert_str_eq(err_kind_name(kinds[_i].kind), kinds[_i].name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("err");
	TCase *tests = tcase_create("err");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, sentence_grows_outwards);
	tcase_add_test(tests, argument_may_point_into_the_error_itself);
	tcase_add_test(tests, prefix_that_does_not_fit_is_dropped_and_the_cause_kept);
	tcase_add_test(tests, prefix_that_just_fits_is_put);
	tcase_add_test(tests, sentence_over_the_size_is_cut_and_ends_in_nul);
	tcase_add_test(tests, foreign_control_characters_are_tamed);
	tcase_add_test(tests, host_failure_names_its_reason);
	tcase_add_test(tests, full_disk_and_quota_are_a_lack_of_space);
	tcase_add_test(tests, missing_path_of_the_user_is_not_found);
	tcase_add_loop_test(tests, each_kind_has_its_exit_code_and_name, 0, ERR_KIND_COUNT);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
