#include "drivers/place/compat.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kit/drivers/made_note.h"
#include "tests/kit/drivers/made_root.h"

static struct made_root root;
static struct finding_list findings;
static struct arena arena;
static struct err err;

static void start(void)
{
	made_root_begin(&root);
}

static void end(void)
{
	finding_list_freep(&findings);
	arena_freep(&arena);
	made_root_freep(&root);
}

static const char note_of_13_1[] =
	"{\"Format\":1,\"CUDA Version\":\"13.1\",\"Driver\":[535,550,580],\"Device\":[1]}";

static void add_package(const char *path, const char *note)
{
	char file[MADE_NOTE_BYTES];
	size_t len = made_note(file, "NVIDIA Corporation", view_of(note ? note : ""));

	made_root_file(&root, path, (struct view){ file, len });
}

static struct compat judge(const char *version, const char *cuda, enum gpu_class gpu_class,
			   const char *const *env, size_t env_count)
{
	const struct bundle driver = { .version = version, .cuda = cuda };
	struct compat_request request = { &driver, gpu_class, env, env_count };
	struct image_files files;
	struct compat compat = { 0 };

	if (!root.tree)
		made_root_finish(&root);
	files = (struct image_files){ root.tree, &root.data_fd };
	ck_assert_msg(compat_judge(&compat, &findings, &files, &request, &arena, &err), "%s",
		      err.msg);
	return compat;
}

START_TEST(note_says_on_which_branches_it_runs)
{
	char file[MADE_NOTE_BYTES];
	size_t len = made_note(file, "NVIDIA Corporation", view_of(note_of_13_1));
	struct compat_note note;

	compat_note_read(&note, (struct view){ file, len });
	ck_assert(note.is_there);
	ck_assert_str_eq(note.cuda, "13.1");
	ck_assert_uint_eq(note.branch_count, 3);
	ck_assert_uint_eq(note.branches[1], 550);
}
END_TEST

static const struct {
	const char *owner, *text;
} odd_notes[] = {
	{ "Somebody Else", note_of_13_1 },
	{ "NVIDIA Corporation", "" },
	{ "NVIDIA Corporation", "[1" },
	{ "NVIDIA Corporation", "{\"Driver\":\"535\"}" },
	{ "NVIDIA Corporation", "{\"CUDA Version\":13}" },
};

START_TEST(note_that_makes_no_sense_is_none)
{
	char file[MADE_NOTE_BYTES];
	size_t len = made_note(file, odd_notes[_i].owner, view_of(odd_notes[_i].text));
	struct compat_note note;

	compat_note_read(&note, (struct view){ file, len });
	ck_assert(!note.is_there);
	for (size_t cut = 0; cut < len; cut++)
		compat_note_read(&note, (struct view){ file, cut });
}
END_TEST

START_TEST(image_without_the_package_has_nothing_to_judge)
{
	made_root_file(&root, "usr/local/cuda-12.4/lib64/libcudart.so.12", view_of("x"));
	struct compat compat = judge("535.1", "12.2", GPU_CLASS_UNKNOWN, NULL, 0);

	ck_assert_uint_eq(compat.folder_count, 0);
	ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(driver_that_is_new_enough_passes_it_over)
{
	const char *const env[] = { "CUDA_VERSION=12.4.1" };

	add_package("usr/local/cuda-12.4/compat/libcuda.so.550.54.15", note_of_13_1);
	made_root_symlink(&root, "usr/local/cuda", "cuda-12.4");
	struct compat compat = judge("550.163.01", "12.4", GPU_CLASS_UNKNOWN, env, 1);

	ck_assert_uint_eq(compat.folder_count, 1); /* found by two names, and counted once */
	ck_assert_ptr_null(compat.used);
	ck_assert_uint_eq(findings.count, 0);
}
END_TEST

START_TEST(library_path_that_brings_it_back_is_a_warning)
{
	const char *const env[] = { "LD_LIBRARY_PATH=/opt/x:/usr/local/cuda/compat" };

	add_package("usr/local/cuda-12.4/compat/libcuda.so.550.54.15", note_of_13_1);
	made_root_symlink(&root, "usr/local/cuda", "cuda-12.4");
	judge("580.10", "13.0", GPU_CLASS_UNKNOWN, env, 1);
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_int_eq(findings.items[0].rule, RULE_COMPAT_SHADOW);
	ck_assert_int_eq(findings.items[0].severity, SEVERITY_WARNING);
}
END_TEST

static const struct {
	const char *version, *cuda, *note;
	enum gpu_class gpu_class;
	bool is_used;
} needs[] = {
	{ "535.309.01", "12.2", note_of_13_1, GPU_CLASS_DATACENTER, true },
	{ "535.309.01", "12.2", note_of_13_1, GPU_CLASS_CONSUMER, false },
	{ "535.309.01", "12.2", note_of_13_1, GPU_CLASS_UNKNOWN, false },
	{ "565.57.01", "12.7", note_of_13_1, GPU_CLASS_DATACENTER, false }, /* not on its list */
	{ "565.57.01", "12.7", NULL, GPU_CLASS_DATACENTER, true }, /* an older branch, no list */
	{ "595.10", "12.9", NULL, GPU_CLASS_DATACENTER, false }, /* a newer branch */
	{ "535.309.01", "12.2", "{\"CUDA Version\":\"12.1\",\"Driver\":[535]}",
	  GPU_CLASS_DATACENTER, false }, /* no newer than the driver */
};

enum { NEED_COUNT = sizeof(needs) / sizeof(needs[0]) };

START_TEST(package_stands_in_only_where_it_runs)
{
	const char *const env[] = { "CUDA_VERSION=13.1.0" };

	add_package("usr/local/cuda/compat/libcuda.so.590.44.01", needs[_i].note);
	struct compat compat = judge(needs[_i].version, needs[_i].cuda, needs[_i].gpu_class, env,
				     1);

	ck_assert_uint_eq(compat.folder_count, 1);
	if (needs[_i].is_used) {
		ck_assert_str_eq(compat.used, "/usr/local/cuda/compat");
		ck_assert_uint_eq(findings.count, 0);
		return;
	}
	ck_assert_ptr_null(compat.used);
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_int_eq(findings.items[0].rule, RULE_COMPAT_NEEDED);
	ck_assert_int_eq(findings.items[0].severity, SEVERITY_ERROR);
	ck_assert_ptr_nonnull(strstr(findings.items[0].sentence, needs[_i].version));
}
END_TEST

START_TEST(two_libraries_in_one_folder_are_no_package)
{
	const char *const env[] = { "CUDA_VERSION=13.1.0" };

	add_package("usr/local/cuda/compat/libcuda.so.590.44.01", NULL);
	add_package("usr/local/cuda/compat/libcuda.so.580.1", NULL);
	struct compat compat = judge("535.1", "12.2", GPU_CLASS_DATACENTER, env, 1);

	ck_assert_uint_eq(compat.folder_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compat");
	SRunner *runner = srunner_create(suite);
	TCase *tests = tcase_create("compat");

	tcase_add_checked_fixture(tests, start, end);
	tcase_add_test(tests, note_says_on_which_branches_it_runs);
	tcase_add_loop_test(tests, note_that_makes_no_sense_is_none, 0,
			    sizeof(odd_notes) / sizeof(odd_notes[0]));
	tcase_add_test(tests, image_without_the_package_has_nothing_to_judge);
	tcase_add_test(tests, driver_that_is_new_enough_passes_it_over);
	tcase_add_test(tests, library_path_that_brings_it_back_is_a_warning);
	tcase_add_loop_test(tests, package_stands_in_only_where_it_runs, 0, NEED_COUNT);
	tcase_add_test(tests, two_libraries_in_one_folder_are_no_package);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
