#include "oci/credentials.h"

#include <check.h>

#include "base/cleanup.h"

/* base64 of "u1:p1", "u2:p:2" and "u3:p3". */
#define ONE "{\"auth\":\"dTE6cDE=\"}"
#define TWO "{\"auth\":\"dTI6cDoy\"}"
#define THREE "{\"auth\":\"dTM6cDM=\"}"

static const struct {
	const char *text, *registry, *repository;
	const char *user, *password; /* NULL: nothing is found */
} files[] = {
	{ "{\"auths\":{\"a.io\":" ONE "}}", "a.io", "x", "u1", "p1" },
	{ "{\"auths\":{\"a.io\":" ONE "}}", "b.io", "x", NULL, NULL },
	{ "{\"auths\":{\"a.io\":" ONE "}}", "a.io:5", "x", NULL, NULL },
	{ "{\"auths\":{\"a.io\":" ONE ",\"a.io/x\":" TWO ",\"a.io/x/y\":" THREE "}}", "a.io", "x/z",
	  "u2", "p:2" },
	{ "{\"auths\":{\"a.io\":" ONE ",\"a.io/x\":" TWO "}}", "a.io", "xx", "u1", "p1" },
	{ "{\"auths\":{\"a.io/x\":" TWO "}}", "a.io", "y", NULL, NULL },
	{ "{\"auths\":{\"https://a.io/v1/\":" ONE "}}", "a.io", "x", "u1", "p1" },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":" ONE "}}", "docker.io", "library/x", "u1",
	  "p1" },
	{ "{\"auths\":{\"docker.io\":" ONE "}}", "docker.io", "library/x", "u1", "p1" },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":" ONE "}}", "a.io", "x", NULL, NULL },
	{ "{\"auths\":{\"https.io/x\":" ONE "}}", "https.io", "y", NULL, NULL },
	{ "{\"auths\":{\"a.io/v2\":" ONE "}}", "a.io", "y", NULL, NULL },
	{ "{\"auths\":{\"a.io\":{}}}", "a.io", "x", NULL, NULL },
	{ "{\"auths\":null}", "a.io", "x", NULL, NULL },
	{ "{}", "a.io", "x", NULL, NULL },
};

enum { FILE_COUNT = sizeof(files) / sizeof(files[0]) };

static const char *const bad[] = {
	"",
	"[",
	"{\"auths\":[]}",
	"{\"auths\":{\"a.io\":7}}",
	"{\"auths\":{\"a.io\":{\"auth\":7}}}",
	"{\"auths\":{\"a.io\":{\"auth\":\"***\"}}}",
	"{\"auths\":{\"a.io\":{\"auth\":\"bm9jb2xvbg==\"}}}",
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

START_TEST(each_file_gives_what_the_repository_needs)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	struct err err = { 0 };

	ck_assert_msg(credentials_read(&found, view_of(files[_i].text), false, files[_i].registry,
				       files[_i].repository, &err),
		      "%s", err.msg);
	ck_assert_int_eq(credentials_exist(&found), files[_i].user != NULL);
	ck_assert_pstr_eq(found.user, files[_i].user);
	ck_assert_pstr_eq(found.password, files[_i].password);
}
END_TEST

START_TEST(identity_token_stands_alone)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	static const char text[] = "{\"auths\":{\"a.io\":{\"identitytoken\":\"t\"}}}";
	struct err err = { 0 };

	ck_assert(credentials_read(&found, view_of(text), false, "a.io", "x", &err));
	ck_assert_str_eq(found.identity_token, "t");
	ck_assert_ptr_null(found.user);
}
END_TEST

START_TEST(dockercfg_is_a_list_of_entries_alone)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	static const char text[] = "{\"https://a.io/v1/\":" ONE "}";
	struct err err = { 0 };

	ck_assert(credentials_read(&found, view_of(text), true, "a.io", "x", &err));
	ck_assert_str_eq(found.user, "u1");
}
END_TEST

START_TEST(malformed_file_is_a_format_error_that_tells_no_secret)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	struct err err = { 0 };

	ck_assert_msg(!credentials_read(&found, view_of(bad[_i]), false, "a.io", "x", &err), "%s",
		      bad[_i]);
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_ptr_null(strstr(err.msg, "***"));
	ck_assert_ptr_null(strstr(err.msg, "nocolon"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credentials");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_file_gives_what_the_repository_needs, 0, FILE_COUNT);
	tcase_add_test(rules, identity_token_stands_alone);
	tcase_add_test(rules, dockercfg_is_a_list_of_entries_alone);
	tcase_add_loop_test(rules, malformed_file_is_a_format_error_that_tells_no_secret, 0,
			    BAD_COUNT);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
