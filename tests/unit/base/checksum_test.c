#include "base/checksum.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* What cksum and md5sum of Debian 12 say. */
static const struct {
	const char *text;
	uint32_t posix;
	const char *md5;
} cases[] = {
	{ "", 4294967295, "d41d8cd98f00b204e9800998ecf8427e" },
	{ "a", 1220704766, "0cc175b9c0f1b6a831c399e269772661" },
	{ "1234567", 862279280, "fcea920f7412b5da7be0cf42b8c93759" },
	{ "12345678", 2796357287, "25d55ad283aa400af464c76d713c07ad" },
	{ "The quick brown fox jumps over the lazy dog", 2074844392,
	  "9e107d9d372bb6826bd81d3542a419d6" },
};

START_TEST(checksums_are_what_the_tools_say)
{
	char md5[CHECKSUM_MD5_BYTES];
	struct err err;

	ck_assert_uint_eq(checksum_posix(view_of(cases[_i].text)), cases[_i].posix);
	ck_assert(checksum_md5(view_of(cases[_i].text), md5, &err));
	ck_assert_str_eq(md5, cases[_i].md5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/checksum");
	TCase *tests = tcase_create("checksum");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, checksums_are_what_the_tools_say, 0,
			    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
