#include "base/file.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/folder.h"

/* How many names the folder holds, hidden ones too. */
static int name_count(void)
{
	DIR *dir = opendir(folder);
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void expect_content(const char *path, const char *text)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(100);
	struct err err;

	ck_assert(file_slurp(&out, dir_fd, path, &err));
	ck_assert_str_eq(out.data, text);
}

START_TEST(file_has_its_name_only_after_the_commit)
{
	CLEANUP(new_file_discardp) struct new_file file = NEW_FILE_NONE;
	struct err err = { 0 };

	ck_assert(new_file_open(&file, dir_fd, "f", 0644, &err));
	ck_assert(file_write(file.fd, "new", 3, "f", &err));
	ck_assert_int_lt(faccessat(dir_fd, "f", F_OK, 0), 0);
	ck_assert(new_file_commit(&file, &err));
	expect_content("f", "new");
	ck_assert_int_eq(name_count(), 1);
}
END_TEST

START_TEST(commit_replaces_what_stood_there)
{
	struct err err = { 0 };

	ck_assert(file_write_whole(dir_fd, "f", 0644, view_of("old and longer"), &err));
	ck_assert(file_write_whole(dir_fd, "f", 0644, view_of("new"), &err));
	expect_content("f", "new");
	ck_assert_int_eq(name_count(), 1);
}
END_TEST

START_TEST(reader_of_the_old_file_keeps_it)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };
	char data[3];

	ck_assert(file_write_whole(dir_fd, "f", 0644, view_of("old"), &err));
	ck_assert(file_open(&fd, dir_fd, "f", O_RDONLY, &err));
	ck_assert(file_write_whole(dir_fd, "f", 0644, view_of("new"), &err));
	ck_assert(file_pread(fd, data, 3, 0, "f", &err));
	ck_assert_mem_eq(data, "old", 3);
}
END_TEST

START_TEST(discarded_file_leaves_nothing_and_the_old_one_stays)
{
	struct new_file file = NEW_FILE_NONE;
	struct err err = { 0 };

	ck_assert(file_write_whole(dir_fd, "f", 0644, view_of("old"), &err));
	ck_assert(new_file_open(&file, dir_fd, "f", 0644, &err));
	ck_assert(file_write(file.fd, "half", 4, "f", &err));
	new_file_discardp(&file);
	expect_content("f", "old");
	ck_assert_int_eq(name_count(), 1);
}
END_TEST

/* Starts writing "f" in a process of its own and kills it half-way. */
static void write_and_be_killed(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct new_file file = NEW_FILE_NONE;
		struct err err;

		if (new_file_open(&file, dir_fd, "f", 0644, &err) &&
		    file_write(file.fd, "half", 4, "f", &err))
			raise(SIGKILL);
		_exit(1);
	}
	int status = 0;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(killed_writer_leaves_no_file_and_the_next_one_succeeds)
{
	struct err err = { 0 };

	write_and_be_killed();
	ck_assert_int_lt(faccessat(dir_fd, "f", F_OK, 0), 0);
	ck_assert(file_write_whole(dir_fd, "f", 0644, view_of("whole"), &err));
	expect_content("f", "whole");
	ck_assert_int_eq(name_count(), 1);
}
END_TEST

START_TEST(mode_is_the_one_asked_for)
{
	struct err err = { 0 };
	struct stat stat;

	umask(022);
	ck_assert(file_write_whole(dir_fd, "f", 0444, view_of("x"), &err));
	ck_assert_int_eq(fstatat(dir_fd, "f", &stat, 0), 0);
	ck_assert_int_eq(stat.st_mode & 07777, 0444);
}
END_TEST

START_TEST(missing_folder_is_not_found)
{
	struct new_file file = NEW_FILE_NONE;
	struct err err = { 0 };

	ck_assert(!new_file_open(&file, dir_fd, "absent/f", 0644, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert_int_eq(file.fd, -1);
}
END_TEST

static const char *const no_names[] = { ".", "inner", "inner/", "" };

enum { NO_NAME_COUNT = sizeof(no_names) / sizeof(no_names[0]) };

START_TEST(folder_and_empty_name_are_a_usage_error)
{
	struct new_file file = NEW_FILE_NONE;
	struct err err = { 0 };

	ck_assert_int_eq(mkdirat(dir_fd, "inner", 0755), 0);
	ck_assert(!new_file_open(&file, dir_fd, no_names[_i], 0644, &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

START_TEST(name_of_over_255_bytes_is_an_error)
{
	struct new_file file = NEW_FILE_NONE;
	struct err err = { 0 };
	char name[300];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert(!new_file_open(&file, dir_fd, name, 0644, &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("new_file");
	TCase *tests = tcase_create("new_file");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_test(tests, file_has_its_name_only_after_the_commit);
	tcase_add_test(tests, commit_replaces_what_stood_there);
	tcase_add_test(tests, reader_of_the_old_file_keeps_it);
	tcase_add_test(tests, discarded_file_leaves_nothing_and_the_old_one_stays);
	tcase_add_test(tests, killed_writer_leaves_no_file_and_the_next_one_succeeds);
	tcase_add_test(tests, mode_is_the_one_asked_for);
	tcase_add_test(tests, missing_folder_is_not_found);
	tcase_add_loop_test(tests, folder_and_empty_name_are_a_usage_error, 0, NO_NAME_COUNT);
	tcase_add_test(tests, name_of_over_255_bytes_is_an_error);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
