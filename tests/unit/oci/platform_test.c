#include "oci/platform.h"

#include <check.h>

static const struct {
	const char *text, *canonical;
} forms[] = {
	{ "amd64", "linux/amd64" },	      { "x86_64", "linux/amd64" },
	{ "linux/aarch64", "linux/arm64" },   { "linux/arm64/v8", "linux/arm64/v8" },
	{ "windows/amd64", "windows/amd64" },
};

enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

static const struct {
	const char *have, *want;
	bool fits;
} pairs[] = {
	{ "linux/amd64", "linux/amd64", true },	    { "linux/arm64", "linux/amd64", false },
	{ "windows/amd64", "linux/amd64", false },  { "linux/arm64", "linux/arm64/v8", true },
	{ "linux/arm64/v8", "linux/arm64", true },  { "linux/arm/v7", "linux/arm", true },
	{ "linux/arm", "linux/arm/v7", false },	    { "linux/arm/v6", "linux/arm/v7", false },
	{ "linux/amd64", "linux/amd64/v3", false },
};

enum { PAIR_COUNT = sizeof(pairs) / sizeof(pairs[0]) };

static const char *const bad[] = {
	"",	"/",	   "linux/",	  "linux//v8",
	"a/b/", "a/b/c/d", "LINUX/amd64", "linux/0123456789012345678901234567890123456789"
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

static struct platform parsed(const char *text)
{
	struct platform platform;
	struct err err = { 0 };

	ck_assert_msg(platform_parse(&platform, text, &err), "%s", err.msg);
	return platform;
}

START_TEST(each_form_becomes_its_canonical_one)
{
	struct platform platform = parsed(forms[_i].text);
	char text[PLATFORM_TEXT_BYTES];

	platform_text(&platform, text);
	ck_assert_str_eq(text, forms[_i].canonical);
}
END_TEST

START_TEST(malformed_is_a_usage_error)
{
	struct platform platform;
	struct err err = { 0 };

	ck_assert_msg(!platform_parse(&platform, bad[_i], &err), "%s", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

START_TEST(each_pair_fits_as_the_table_says)
{
	struct platform have = parsed(pairs[_i].have), want = parsed(pairs[_i].want);

	ck_assert_int_eq(platform_fits(&have, &want), pairs[_i].fits);
}
END_TEST

START_TEST(arm64_is_the_same_as_arm64_v8_and_no_other)
{
	struct platform plain = parsed("arm64"), v8 = parsed("linux/arm64/v8"),
			v9 = parsed("linux/arm64/v9");

	ck_assert(platform_same(&plain, &v8));
	ck_assert(!platform_same(&plain, &v9));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("platform");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_form_becomes_its_canonical_one, 0, FORM_COUNT);
	tcase_add_loop_test(rules, malformed_is_a_usage_error, 0, BAD_COUNT);
	tcase_add_loop_test(rules, each_pair_fits_as_the_table_says, 0, PAIR_COUNT);
	tcase_add_test(rules, arm64_is_the_same_as_arm64_v8_and_no_other);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
