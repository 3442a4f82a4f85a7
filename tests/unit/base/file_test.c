#include "base/file.h"

#include <check.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/unit/folder.h"

static void put(const char *path, const char *text)
{
	struct err err;

	ck_assert(file_write_whole(dir_fd, path, 0644, view_of(text), &err));
}

static bool is_there(const char *path)
{
	struct stat stat;

	return fstatat(dir_fd, path, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(slurp_reads_the_whole_file)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(1 << 20);
	struct err err = { 0 };
	char text[50001];

	memset(text, 'x', 50000);
	text[50000] = '\0';
	put("f", text);
	ck_assert(file_slurp(&out, dir_fd, "f", &err));
	ck_assert_str_eq(out.data, text);
}
END_TEST

START_TEST(slurp_past_the_cap_is_unsupported_and_names_the_file)
{
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(3);
	struct err err = { 0 };

	put("f", "1234");
	ck_assert(!file_slurp(&out, dir_fd, "f", &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_str_eq(err.msg, "f: over 3 bytes");
}
END_TEST

START_TEST(missing_file_is_not_found)
{
	struct err err = { 0 };
	int fd = -7;

	ck_assert(!file_open(&fd, dir_fd, "absent", O_RDONLY, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert_str_eq(err.msg, "open absent: No such file or directory");
	ck_assert_int_eq(fd, -7);
}
END_TEST

START_TEST(descriptors_do_not_reach_child_processes)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	put("f", "");
	ck_assert(file_open(&fd, dir_fd, "f", O_RDONLY, &err));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(read_past_the_end_is_a_host_error)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };
	char data[8];

	put("f", "12345");
	ck_assert(file_open(&fd, dir_fd, "f", O_RDONLY, &err));
	ck_assert(file_pread(fd, data, 3, 2, "f", &err));
	ck_assert_mem_eq(data, "345", 3);
	ck_assert(!file_pread(fd, data, 4, 2, "f", &err));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

START_TEST(more_parts_than_one_call_takes_are_all_written)
{
	enum { PART_COUNT = 2 * IOV_MAX + 3 };
	CLEANUP(fd_closep) int fd = -1;
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	static struct iovec parts[PART_COUNT];
	static char letters[] = "ab";
	struct err err = { 0 };

	for (size_t i = 0; i < PART_COUNT; i++)
		parts[i] = (struct iovec){ letters, 2 };
	ck_assert(file_open(&fd, dir_fd, "f", O_RDWR | O_CREAT, &err));
	ck_assert(file_pwritev(fd, parts, PART_COUNT, 10, "f", &err));
	ck_assert(file_map_open(&map, dir_fd, "f", &err));
	ck_assert_uint_eq(map.len, 10 + 2 * PART_COUNT);
	ck_assert_mem_eq(map.data + 8, "\0\0ab", 4);
	ck_assert_mem_eq(map.data + map.len - 2, "ab", 2);
}
END_TEST

START_TEST(full_device_is_a_lack_of_space)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	ck_assert(file_open(&fd, AT_FDCWD, "/dev/full", O_WRONLY, &err));
	ck_assert(!file_write(fd, "x", 1, "/dev/full", &err));
	ck_assert_int_eq(err.kind, ERR_SPACE);
	ck_assert_str_eq(err.msg, "write /dev/full: No space left on device");
}
END_TEST

START_TEST(folders_are_made_with_their_parents_and_again)
{
	struct err err = { 0 };

	ck_assert(file_make_dirs(dir_fd, "a/b/c", 0755, &err));
	ck_assert(file_make_dirs(dir_fd, "a/b/c/", 0700, &err));
	ck_assert(is_there("a/b/c"));
}
END_TEST

START_TEST(folder_below_a_file_cannot_be_made)
{
	struct err err = { 0 };

	put("a", "");
	ck_assert(!file_make_dirs(dir_fd, "a/b", 0755, &err));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

START_TEST(removal_does_not_follow_symlinks)
{
	struct err err = { 0 };

	ck_assert(file_make_dirs(dir_fd, "kept/inner", 0755, &err));
	ck_assert(file_make_dirs(dir_fd, "gone/deep/er", 0755, &err));
	put("gone/deep/file", "x");
	ck_assert_int_eq(symlinkat("../kept", dir_fd, "gone/link"), 0);
	ck_assert(file_remove_tree(dir_fd, "gone", &err));
	ck_assert(!is_there("gone"));
	ck_assert(is_there("kept/inner"));
}
END_TEST

START_TEST(removing_what_is_missing_is_fine)
{
	struct err err = { 0 };

	ck_assert(file_remove_tree(dir_fd, "absent", &err));
}
END_TEST

START_TEST(map_of_an_empty_file_is_empty)
{
	CLEANUP(file_map_closep) struct file_map map = { .len = 9 };
	struct err err = { 0 };

	put("f", "");
	ck_assert(file_map_open(&map, dir_fd, "f", &err));
	ck_assert_ptr_null(map.data);
	ck_assert_uint_eq(map.len, 0);
}
END_TEST

START_TEST(map_of_a_folder_is_refused)
{
	struct file_map map = { 0 };
	struct err err = { 0 };

	ck_assert(!file_map_open(&map, dir_fd, ".", &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

START_TEST(lock_is_busy_while_held_and_free_after)
{
	CLEANUP(fd_closep) int first = -1;
	CLEANUP(fd_closep) int second = -1;
	struct err err = { 0 };

	ck_assert(file_lock(&first, dir_fd, "lock", 0, &err));
	ck_assert(!file_lock(&second, dir_fd, "lock", 30, &err));
	ck_assert_int_eq(err.kind, ERR_BUSY);
	fd_closep(&first);
	ck_assert(file_lock(&second, dir_fd, "lock", 0, &err));
}
END_TEST

/* A file in memory would take its pages at once. */
START_TEST(nothing_is_reserved_in_memory)
{
	CLEANUP(fd_closep) int fd = memfd_create("reserved", MFD_CLOEXEC);
	struct stat stat;

	file_reserve(fd, 0, 16 << 20);
	ck_assert_int_eq(fstat(fd, &stat), 0);
	ck_assert_int_eq(stat.st_blocks, 0);
	ck_assert_int_eq(stat.st_size, 0);
}
END_TEST

/* The holder removes the file and lets go; who waited for that lock holds a file without a name,
 * and must not be content with it: a third may hold the one that has the name. */
START_TEST(lock_whose_file_was_removed_is_made_anew)
{
	CLEANUP(fd_closep) int first = -1;
	CLEANUP(fd_closep) int second = -1;
	struct err err = { 0 };
	int status = 0;

	ck_assert(file_lock(&first, dir_fd, "lock", 0, &err));
	pid_t child = fork();

	if (child == 0) {
		fd_closep(&first);
		_exit(!(file_lock(&second, dir_fd, "lock", 10000, &err) &&
			file_is_named(second, dir_fd, "lock")));
	}
	usleep(100 * 1000);
	ck_assert_int_eq(unlinkat(dir_fd, "lock", 0), 0);
	fd_closep(&first);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(lock_through_a_symlink_is_refused)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	put("target", "");
	ck_assert_int_eq(symlinkat("target", dir_fd, "lock"), 0);
	ck_assert(!file_lock(&fd, dir_fd, "lock", 0, &err));
	ck_assert_int_eq(err.kind, ERR_IO);
}
END_TEST

START_TEST(file_is_named_until_another_stands_there)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };

	put("f", "1");
	ck_assert(file_open(&fd, dir_fd, "f", O_RDONLY, &err));
	ck_assert(file_is_named(fd, dir_fd, "f"));
	ck_assert_int_eq(unlinkat(dir_fd, "f", 0), 0);
	ck_assert(!file_is_named(fd, dir_fd, "f"));
	put("f", "2");
	ck_assert(!file_is_named(fd, dir_fd, "f"));
}
END_TEST

START_TEST(another_who_has_it_open_or_mapped_is_seen)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	CLEANUP(fd_closep) int fd = -1;
	CLEANUP(fd_closep) int other = -1;
	struct err err = { 0 };

	signal(SIGIO, SIG_IGN);
	put("f", "1");
	ck_assert(file_open(&fd, dir_fd, "f", O_RDONLY, &err));
	ck_assert(!file_is_open_elsewhere(fd));
	ck_assert(file_open(&other, dir_fd, "f", O_RDONLY, &err));
	ck_assert(file_is_open_elsewhere(fd));
	fd_closep(&other);
	ck_assert(!file_is_open_elsewhere(fd));
	ck_assert(file_map_open(&map, dir_fd, "f", &err));
	ck_assert(file_is_open_elsewhere(fd));
	ck_assert(file_open(&other, dir_fd, "f", O_RDONLY, &err)); /* no lease is left behind */
}
END_TEST

START_TEST(touch_sets_the_mtime_by_path_and_by_descriptor)
{
	const struct timespec long_ago[] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	CLEANUP(fd_closep) int fd = -1;
	struct err err = { 0 };
	struct stat stat;

	put("f", "1");
	ck_assert(file_open(&fd, dir_fd, "f", O_RDONLY, &err));
	ck_assert_int_eq(futimens(fd, long_ago), 0);
	file_touch(fd, "");
	ck_assert_int_eq(fstat(fd, &stat), 0);
	ck_assert_int_gt(stat.st_mtime, 5);
	ck_assert_int_eq(futimens(fd, long_ago), 0);
	file_touch(dir_fd, "f");
	ck_assert_int_eq(fstat(fd, &stat), 0);
	ck_assert_int_gt(stat.st_mtime, 5);
	file_touch(dir_fd, "absent");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tests = tcase_create("file");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_test(tests, slurp_reads_the_whole_file);
	tcase_add_test(tests, slurp_past_the_cap_is_unsupported_and_names_the_file);
	tcase_add_test(tests, missing_file_is_not_found);
	tcase_add_test(tests, descriptors_do_not_reach_child_processes);
	tcase_add_test(tests, read_past_the_end_is_a_host_error);
	tcase_add_test(tests, more_parts_than_one_call_takes_are_all_written);
	tcase_add_test(tests, full_device_is_a_lack_of_space);
	tcase_add_test(tests, folders_are_made_with_their_parents_and_again);
	tcase_add_test(tests, folder_below_a_file_cannot_be_made);
	tcase_add_test(tests, removal_does_not_follow_symlinks);
	tcase_add_test(tests, removing_what_is_missing_is_fine);
	tcase_add_test(tests, map_of_an_empty_file_is_empty);
	tcase_add_test(tests, map_of_a_folder_is_refused);
	tcase_add_test(tests, lock_is_busy_while_held_and_free_after);
	tcase_add_test(tests, nothing_is_reserved_in_memory);
	tcase_add_test(tests, lock_whose_file_was_removed_is_made_anew);
	tcase_add_test(tests, lock_through_a_symlink_is_refused);
	tcase_add_test(tests, file_is_named_until_another_stands_there);
	tcase_add_test(tests, another_who_has_it_open_or_mapped_is_seen);
	tcase_add_test(tests, touch_sets_the_mtime_by_path_and_by_descriptor);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
