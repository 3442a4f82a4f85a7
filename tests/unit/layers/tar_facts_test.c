/* The seven facts that keep libarchive 3.6.2 from reading layers (DESIGN.md §8), a test each. */
#include <locale.h>

#include "tar_fixture.h"

START_TEST(pax_names_are_bytes_in_every_locale)
{
	setlocale(LC_ALL, _i == 0 ? "C" : "C.UTF-8");
	record("path", "caf\xc3\xa9/\xff\xfe");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "ascii", 0));
	expect("f caf\xc3\xa9/\xff\xfe ->  644 0:0 0.000000000 0 [] \n");
}
END_TEST

START_TEST(hdrcharset_binary_is_accepted)
{
	record("hdrcharset", "BINARY");
	record("path", "\xe4\xf6\xfc");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect("f \xe4\xf6\xfc ->  644 0:0 0.000000000 0 [] \n");
}
END_TEST

START_TEST(a_decomposed_name_stays_decomposed)
{
	setlocale(LC_ALL, "C.UTF-8");
	record("path", "u\xcc\x88"); /* u and U+0308, not U+00FC */
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect("f u\xcc\x88 ->  644 0:0 0.000000000 0 [] \n");
}
END_TEST

START_TEST(a_symlink_target_beyond_ascii_is_kept)
{
	record("linkpath", "ziel/\xc3\xbc");
	add_records('x');
	add(writer_header(WRITER_USTAR, '2', "l", 0));
	expect("l l -> ziel/\xc3\xbc 644 0:0 0.000000000 0 [] \n");
}
END_TEST

START_TEST(a_quarter_second_before_minus_five_is_that)
{
	record("mtime", "-5.25");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect("f x ->  644 0:0 -6.750000000 0 [] \n");
}
END_TEST

START_TEST(an_xattr_stored_in_both_spellings_comes_once)
{
	record("LIBARCHIVE.xattr.user.a", "Yg");
	record("SCHILY.xattr.user.a", "b");
	add_records('x');
	add(writer_header(WRITER_USTAR, '0', "x", 0));
	expect("f x ->  644 0:0 0.000000000 0 [ user.a=b] \n");
}
END_TEST

/* V7 tells a folder by its slash, later formats by type alone. */
START_TEST(the_type_flag_decides_what_a_trailing_slash_means)
{
	add(writer_header(WRITER_USTAR, '\0', "v7/", 0));
	add(writer_header(WRITER_USTAR, '0', "file/", 0));
	add(writer_header(WRITER_USTAR, '7', "contiguous", 0));
	expect("d v7/ ->  644 0:0 0.000000000 0 [] \n"
	       "f file/ ->  644 0:0 0.000000000 0 [] \n"
	       "f contiguous ->  644 0:0 0.000000000 0 [] \n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tar_facts");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, pax_names_are_bytes_in_every_locale, 0, 2);
	tcase_add_test(all, hdrcharset_binary_is_accepted);
	tcase_add_test(all, a_decomposed_name_stays_decomposed);
	tcase_add_test(all, a_symlink_target_beyond_ascii_is_kept);
	tcase_add_test(all, a_quarter_second_before_minus_five_is_that);
	tcase_add_test(all, an_xattr_stored_in_both_spellings_comes_once);
	tcase_add_test(all, the_type_flag_decides_what_a_trailing_slash_means);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
