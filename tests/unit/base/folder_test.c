#include "base/folder.h"

#include <sys/stat.h>

#include "tests/unit/folder.h"

static struct folder_names names;
static struct err err;

static void start(void)
{
	make_folder();
	names = (struct folder_names){ 0 };
}

static void end(void)
{
	folder_names_freep(&names);
	remove_folder();
}

START_TEST(names_come_by_bytes)
{
	ck_assert(file_write_whole(dir_fd, "b", 0644, view_of(""), &err));
	ck_assert(file_write_whole(dir_fd, "\xff", 0644, view_of(""), &err));
	ck_assert(file_write_whole(dir_fd, "B", 0644, view_of(""), &err));
	ck_assert_int_eq(mkdirat(dir_fd, ".a", 0755), 0);
	ck_assert_msg(folder_list(&names, dir_fd, ".", &err), "%s", err.msg);
	ck_assert_uint_eq(names.count, 4);
	ck_assert_str_eq(names.items[0], ".a");
	ck_assert_str_eq(names.items[1], "B");
	ck_assert_str_eq(names.items[2], "b");
	ck_assert_str_eq(names.items[3], "\xff");
}
END_TEST

START_TEST(an_empty_folder_has_none)
{
	ck_assert(folder_list(&names, AT_FDCWD, folder, &err));
	ck_assert_uint_eq(names.count, 0);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	ck_assert(!folder_list(&names, dir_fd, "nowhere", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert_msg(strstr(err.msg, "nowhere"), "%s", err.msg);
}
END_TEST

START_TEST(a_file_is_no_folder)
{
	ck_assert(file_write_whole(dir_fd, "file", 0644, view_of(""), &err));
	ck_assert(!folder_list(&names, dir_fd, "file", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/folder");
	TCase *tests = tcase_create("folder");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, names_come_by_bytes);
	tcase_add_test(tests, an_empty_folder_has_none);
	tcase_add_test(tests, what_is_not_there_is_not_found);
	tcase_add_test(tests, a_file_is_no_folder);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
