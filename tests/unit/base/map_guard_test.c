#include "base/map_guard.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/folder.h"

enum { PAGES = 3, BYTES = PAGES * 4096 };

static struct file_map map;
static struct err err;

/* PAGES pages of 'x'; what is torn stays so for the process: each test has one of its own. */
static void start(void)
{
	char content[BYTES];

	signal(SIGBUS, SIG_DFL); /* a sanitizer has a handler of its own */
	make_folder();
	memset(content, 'x', sizeof(content));
	ck_assert(file_write_whole(dir_fd, "file", 0644, (struct view){ content, BYTES }, &err));
	ck_assert(file_map_open(&map, dir_fd, "file", &err));
}

static void end(void)
{
	file_map_closep(&map);
	remove_folder();
}

static void cut(off_t bytes)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", folder);
	ck_assert_int_eq(truncate(path, bytes), 0);
}

static void assert_torn(void)
{
	ck_assert(!map_guard_check(&err));
	ck_assert_int_eq(err.kind, ERR_IO);
	ck_assert_msg(strstr(err.msg, folder) && strstr(err.msg, "/file was cut short"), "%s",
		      err.msg);
}

START_TEST(a_whole_file_is_whole)
{
	ck_assert_int_eq(map.data[BYTES - 1], 'x');
	ck_assert_msg(map_guard_check(&err), "%s", err.msg);
	file_map_closep(&map);
	ck_assert_msg(map_guard_check(&err), "%s", err.msg);
}
END_TEST

START_TEST(what_was_cut_off_reads_as_zeros)
{
	cut(4096);
	ck_assert_int_eq(map.data[4095], 'x');
	ck_assert_int_eq(map.data[4096], 0);
	ck_assert_int_eq(map.data[BYTES - 1], 0);
	assert_torn();
	file_map_closep(&map);
	assert_torn();
}
END_TEST

START_TEST(a_cut_within_the_last_page_is_seen)
{
	cut(BYTES - 1);
	ck_assert_int_eq(map.data[BYTES - 1], 0);
	assert_torn();
}
END_TEST

START_TEST(a_cut_is_seen_when_the_map_is_gone)
{
	cut(BYTES - 1);
	file_map_closep(&map);
	assert_torn();
}
END_TEST

START_TEST(nothing_gets_a_name_after_a_cut)
{
	cut(0);
	ck_assert_int_eq(map.data[0], 0);
	ck_assert(!file_write_whole(dir_fd, "made", 0644, view_of("of zeros"), &err));
	ck_assert_msg(strstr(err.msg, "made is not kept"), "%s", err.msg);
	ck_assert_int_ne(faccessat(dir_fd, "made", F_OK, 0), 0);
}
END_TEST

START_TEST(another_map_still_ends_the_process)
{
	CLEANUP(fd_closep) int fd = -1;

	ck_assert(file_open(&fd, dir_fd, "file", O_RDONLY, &err));
	const volatile char *bare = mmap(NULL, BYTES, PROT_READ, MAP_PRIVATE, fd, 0);

	ck_assert_ptr_ne((const void *)(uintptr_t)bare, MAP_FAILED);
	cut(0);
	ck_assert(file_remove_tree(AT_FDCWD, folder, &err)); /* nobody will come back for it */
	(void)bare[0];
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/map_guard");
	TCase *tests = tcase_create("map_guard");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, a_whole_file_is_whole);
	tcase_add_test(tests, what_was_cut_off_reads_as_zeros);
	tcase_add_test(tests, a_cut_within_the_last_page_is_seen);
	tcase_add_test(tests, a_cut_is_seen_when_the_map_is_gone);
	tcase_add_test(tests, nothing_gets_a_name_after_a_cut);
	tcase_add_test_raise_signal(tests, another_map_still_ends_the_process, SIGBUS);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
