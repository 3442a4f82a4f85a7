#include "builder/run/run_folder.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "tests/unit/folder.h"

static struct run_folder run;
static struct err err;

static void start(void)
{
	make_folder();
	setenv("TMPDIR", folder, 1);
	run = RUN_FOLDER_NONE;
}

static void end(void)
{
	run_folder_freep(&run);
	remove_folder();
}

static bool is_there(const char *name)
{
	struct stat found;

	return fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A folder with a file in it, an hour old. */
static void put_old(const char *name)
{
	const struct timespec times[2] = { { .tv_sec = time(NULL) - 3600 },
					   { .tv_sec = time(NULL) - 3600 } };
	char file[64];

	ck_assert_int_eq(mkdirat(dir_fd, name, 0700), 0);
	snprintf(file, sizeof(file), "%s/file", name);
	ck_assert(file_write_whole(dir_fd, file, 0600, view_of("x"), &err));
	ck_assert_int_eq(utimensat(dir_fd, name, times, 0), 0);
}

START_TEST(private_folder_goes_with_its_run)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096);
	CLEANUP(json_freep) struct json_t *document = json_new_object();
	struct stat found;

	ck_assert_msg(run_folder_open(&run, NULL, &err), "%s", err.msg);
	ck_assert(run_folder_path(&path, &run, "settings.img", &err));
	ck_assert(run_folder_write_settings(path.data, document, &err));
	ck_assert_int_eq(stat(run.path.data, &found), 0);
	ck_assert_int_eq(found.st_mode & 0777, 0700);
	ck_assert_int_eq(stat(path.data, &found), 0);
	ck_assert_int_eq(found.st_size, 512);
	run_folder_freep(&run);
	ck_assert_int_lt(stat(path.data, &found), 0);
}
END_TEST

START_TEST(named_folder_stays)
{
	CLEANUP(bytes_freep) struct bytes named = bytes_capped(4096);

	ck_assert(bytes_print(&named, &err, "%s/a/b", folder));
	ck_assert(run_folder_open(&run, named.data, &err));
	run_folder_freep(&run);
	ck_assert(is_there("a/b"));
}
END_TEST

START_TEST(folder_of_a_killed_run_goes_with_the_next)
{
	CLEANUP(fd_closep) int living_fd = -1;

	put_old("vmbake-run.killed");
	put_old("vmbake-run.living");
	put_old("somebody-elses");
	ck_assert_int_eq(mkdirat(dir_fd, "vmbake-run.young", 0700), 0);
	ck_assert_int_eq(symlinkat("somebody-elses", dir_fd, "vmbake-run.link"), 0);
	living_fd = openat(dir_fd, "vmbake-run.living", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(living_fd, LOCK_EX), 0);
	ck_assert(run_folder_open(&run, NULL, &err));
	ck_assert(!is_there("vmbake-run.killed"));
	ck_assert(is_there("vmbake-run.living/file"));
	ck_assert(is_there("vmbake-run.young"));
	ck_assert(is_there("vmbake-run.link"));
	ck_assert(is_there("somebody-elses/file"));
}
END_TEST

START_TEST(paths_are_from_the_root_on)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096), same = bytes_capped(4096);
	CLEANUP(freep) char *real = realpath(folder, NULL);
	char wanted[128];

	ck_assert_int_eq(fchdir(dir_fd), 0);
	ck_assert(run_absolute(&path, "a b/../c", &err));
	snprintf(wanted, sizeof(wanted), "%s/a b/../c", real);
	ck_assert_str_eq(path.data, wanted);
	ck_assert(run_absolute(&same, "/x", &err));
	ck_assert_str_eq(same.data, "/x");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_folder");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, end);
	tcase_add_test(all, private_folder_goes_with_its_run);
	tcase_add_test(all, named_folder_stays);
	tcase_add_test(all, folder_of_a_killed_run_goes_with_the_next);
	tcase_add_test(all, paths_are_from_the_root_on);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
