#include "layers/path.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *raw, *clean;
} forms[] = {
	{ "a", "a" },
	{ "./a//b/../c/", "a/c" },
	{ "/", "" },
	{ "", "" },
	{ "../../etc/passwd", "etc/passwd" },
	{ "a/..", "" },
	{ "...", "..." },
	{ "\xff\xfe", "\xff\xfe" },
};

enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

START_TEST(each_form_becomes_its_clean_one)
{
	char out[PATH_BYTES_MAX];
	struct err err = { 0 };

	ck_assert(path_clean(out, forms[_i].raw, strlen(forms[_i].raw), &err));
	ck_assert_str_eq(out, forms[_i].clean);
}
END_TEST

START_TEST(nul_inside_is_refused_and_out_untouched)
{
	char out[PATH_BYTES_MAX] = "before";
	struct err err = { 0 };

	ck_assert(!path_clean(out, "a\0b", 3, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_str_eq(out, "before");
}
END_TEST

START_TEST(component_of_255_bytes_fits_and_256_does_not)
{
	char raw[256], out[PATH_BYTES_MAX];
	struct err err = { 0 };

	memset(raw, 'x', sizeof(raw));
	ck_assert(path_clean(out, raw, 255, &err));
	ck_assert(!path_clean(out, raw, 256, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("path");
	TCase *clean = tcase_create("clean");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(clean, each_form_becomes_its_clean_one, 0, FORM_COUNT);
	tcase_add_test(clean, nul_inside_is_refused_and_out_untouched);
	tcase_add_test(clean, component_of_255_bytes_fits_and_256_does_not);
	suite_add_tcase(suite, clean);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
