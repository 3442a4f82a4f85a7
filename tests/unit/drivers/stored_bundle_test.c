#include "drivers/bundle/stored_bundle.h"

#include <string.h>
#include <sys/stat.h>

#include "tests/kit/drivers/made_bundle.h"
#include "tests/unit/folder.h"

static struct stored_bundle stored;
static struct bundle bundle;
static char name[BUNDLE_NAME_BYTES], path[256];
static struct err err;

static void start(void)
{
	make_folder();
	stored = STORED_BUNDLE_NONE;
	bundle = made_bundle();
}

static void end(void)
{
	stored_bundle_closep(&stored);
	remove_folder();
}

static void keep_made(void)
{
	made_bundle_keep(dir_fd, &bundle, made_files, made_file_count, name);
}

static void assert_damaged(const char *part)
{
	ck_assert(!stored_bundle_open(&stored, dir_fd, name, &err));
	ck_assert_msg(err.kind == ERR_INTEGRITY, "%s", err.msg);
	ck_assert_msg(strstr(err.msg, part), "%s", err.msg);
	ck_assert_msg(strstr(err.msg, name), "%s", err.msg);
}

START_TEST(it_opens_whole)
{
	keep_made();
	ck_assert_msg(stored_bundle_open(&stored, dir_fd, name, &err), "%s", err.msg);
	ck_assert_str_eq(stored.name, name);
	ck_assert_str_eq(stored.bundle.version, "535.309.01");
	for (size_t i = 0; i < made_file_count; i++) {
		const struct index_entry *entry = stored_bundle_find(&stored, made_files[i].path);

		ck_assert_ptr_nonnull(entry);
		ck_assert_uint_eq(entry->size, strlen(made_files[i].content));
	}
	ck_assert_ptr_null(stored_bundle_find(&stored, "lib"));
	ck_assert_ptr_null(stored_bundle_find(&stored, "zzz"));
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	static const char *const names[] = { "535.309.01-proprietary-amd64-0123456789ab", "..", "",
					     "a/b", "." };

	ck_assert(!stored_bundle_open(&stored, dir_fd, names[_i], &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_manifest_that_was_edited_is_refused)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);

	keep_made();
	snprintf(path, sizeof(path), "%s/vmbake-driver.json", name);
	ck_assert(file_slurp(&text, dir_fd, path, &err));
	ck_assert(bytes_append(&text, " ", 1, &err));
	ck_assert(file_write_whole(dir_fd, path, 0644, bytes_view(&text), &err));
	assert_damaged("manifest");
}
END_TEST

START_TEST(an_index_of_another_bundle_is_refused)
{
	CLEANUP(bytes_freep) struct bytes index = bytes_capped(1 << 20);
	char other[BUNDLE_NAME_BYTES];

	keep_made();
	bundle.source = "another";
	made_bundle_keep(dir_fd, &bundle, made_files, 1, other);
	snprintf(path, sizeof(path), "%s/index", other);
	ck_assert(file_slurp(&index, dir_fd, path, &err));
	snprintf(path, sizeof(path), "%s/index", name);
	ck_assert(file_write_whole(dir_fd, path, 0644, bytes_view(&index), &err));
	assert_damaged("index");
}
END_TEST

START_TEST(data_of_another_length_is_refused)
{
	keep_made();
	snprintf(path, sizeof(path), "%s/%s/data", folder, name);
	ck_assert_int_eq(truncate(path, 4096), 0);
	assert_damaged("data");
}
END_TEST

START_TEST(a_missing_part_is_damage)
{
	static const char *const parts[] = { "data", "index", "vmbake-driver.json" };

	keep_made();
	snprintf(path, sizeof(path), "%s/%s", name, parts[_i]);
	ck_assert_int_eq(unlinkat(dir_fd, path, 0), 0);
	assert_damaged(parts[_i]);
}
END_TEST

START_TEST(a_file_that_the_index_lacks_is_refused)
{
	made_bundle_keep(dir_fd, &bundle, made_files, made_file_count - 1, name);
	assert_damaged("sbin/nvidia-smi");
}
END_TEST

START_TEST(a_file_of_another_size_is_refused)
{
	struct made_file files[8];

	memcpy(files, made_files, made_file_count * sizeof(files[0]));
	files[2].content = "shorter";
	made_bundle_keep(dir_fd, &bundle, files, made_file_count, name);
	assert_damaged("nvidia.ko");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drivers/stored_bundle");
	TCase *tests = tcase_create("stored_bundle");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, it_opens_whole);
	tcase_add_loop_test(tests, what_is_not_there_is_not_found, 0, 5);
	tcase_add_test(tests, a_manifest_that_was_edited_is_refused);
	tcase_add_test(tests, an_index_of_another_bundle_is_refused);
	tcase_add_test(tests, data_of_another_length_is_refused);
	tcase_add_loop_test(tests, a_missing_part_is_damage, 0, 3);
	tcase_add_test(tests, a_file_that_the_index_lacks_is_refused);
	tcase_add_test(tests, a_file_of_another_size_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
