#include "drivers/import/driver_lists.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/bundle/capability.h"

static struct arena arena;
static struct file_list files;
static const struct bundle_gpu *gpus;
static size_t gpu_count;
static struct err err;
static char noted[1024];

static void note(void *context, const char *text)
{
	(void)context;
	size_t len = strlen(noted);

	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static void end(void)
{
	arena_freep(&arena);
}

START_TEST(entries_of_one_name_are_joined)
{
	static const char text[] =
		"[{\"name\":\"libnvidia-gpucomp.so.1.2\",\"type\":\"LIB\",\"category\":[\"cuda\"]},"
		"{\"name\":\"nvidia-smi\",\"type\":\"BINARY\",\"category\":[\"utils\"]},"
		"{\"name\":\"libnvidia-gpucomp.so.1.2\",\"category\":[\"glx\",\"video\"],"
		"\"is_32bit_compat\":\"true\"},"
		"{\"name\":\"firmware/gsp.bin\",\"category\":[\"firmware\"]},"
		"{\"name\":\"libGL.so\",\"category\":[\"glvnd\"]}]";

	ck_assert(file_list_parse(&files, &arena, view_of(text), NULL, &err));
	ck_assert_uint_eq(file_list_capabilities(&files, view_of("libnvidia-gpucomp.so.1.2")),
			  CAPABILITY_COMPUTE | CAPABILITY_GRAPHICS | CAPABILITY_VIDEO);
	ck_assert_uint_eq(file_list_capabilities(&files, view_of("nvidia-smi")),
			  CAPABILITY_UTILITY);
	ck_assert_uint_eq(file_list_capabilities(&files, view_of("gsp.bin")), CAPABILITY_ALL);
	ck_assert_uint_eq(file_list_capabilities(&files, view_of("libGL.so")), 0);
	ck_assert_uint_eq(file_list_capabilities(&files, view_of("libcuda.so")), 0);
}
END_TEST

START_TEST(an_unknown_category_is_noted_once)
{
	static const char text[] = "[{\"name\":\"a\",\"category\":[\"dance\",\"cuda\"]},"
				   "{\"name\":\"b\",\"category\":[\"dance\",\"glvnd\"]}]";
	struct report report = { .note = note };

	ck_assert(file_list_parse(&files, &arena, view_of(text), &report, &err));
	ck_assert_uint_eq(file_list_capabilities(&files, view_of("a")), CAPABILITY_COMPUTE);
	ck_assert_ptr_nonnull(strstr(noted, "dance"));
	ck_assert_ptr_null(strstr(strstr(noted, "dance") + 1, "dance"));
	ck_assert_ptr_null(strstr(noted, "glvnd"));
}
END_TEST

START_TEST(chips_of_one_device_are_joined)
{
	static const char text[] =
		"{\"chips\":["
		"{\"devid\":\"0x2330\",\"name\":\"H100\",\"features\":[\"kernelopen\",\"x\"]},"
		"{\"devid\":\"0x1DB4\",\"subdevid\":\"0x1\",\"name\":\"A board\","
		"\"legacybranch\":\"580.xx\",\"features\":[]},"
		"{\"devid\":\"0x1DB4\",\"name\":\"V100\",\"legacybranch\":\"580.xx\"},"
		"{\"devid\":\"0x0FFD\",\"name\":\"NVS 510\",\"legacybranch\":\"470.xx\"},"
		"{\"devid\":\"0x2204\",\"subdevid\":\"0x2\",\"name\":\"B\",\"features\":[]},"
		"{\"devid\":\"0x2204\",\"name\":\"RTX\",\"legacybranch\":\"1.xx\","
		"\"features\":[\"kernelopen\"]},"
		"{\"devid\":\"*\",\"name\":\"any\"}]}";

	ck_assert_msg(gpu_list_parse(&gpus, &gpu_count, &arena, view_of(text), &err), "%s",
		      err.msg);
	ck_assert_uint_eq(gpu_count, 4);
	ck_assert_uint_eq(gpus[0].device, 0x0ffd);
	ck_assert_str_eq(gpus[0].legacy_branch, "470.xx");
	ck_assert(!gpus[0].is_open_capable);
	ck_assert_uint_eq(gpus[1].device, 0x1db4);
	ck_assert_str_eq(gpus[1].name, "V100");
	ck_assert_str_eq(gpus[1].legacy_branch, "580.xx");
	ck_assert_str_eq(gpus[2].name, "RTX");
	ck_assert_ptr_null(gpus[2].legacy_branch); /* not all of them are */
	ck_assert(gpus[2].is_open_capable);
	ck_assert_uint_eq(gpus[3].device, 0x2330);
	ck_assert(gpus[3].is_open_capable);
}
END_TEST

static const struct {
	const char *text, *sentence;
	bool is_gpus;
} bad[] = {
	{ "[", "JSON", false },
	{ "[{}]", "entry 1", false },
	{ "[{\"name\":1}]", "name", false },
	{ "[{\"name\":\"a\",\"category\":\"cuda\"}]", "category", false },
	{ "[{\"name\":\"a\",\"category\":[1]}]", "no string", false },
	{ "{}", "chips", true },
	{ "{\"chips\":[{}]}", "chip 1", true },
	{ "{\"chips\":[{\"devid\":\"2330\",\"name\":\"a\"}]}", "devid", true },
	{ "{\"chips\":[{\"devid\":\"0x12330\",\"name\":\"a\"}]}", "devid", true },
	{ "{\"chips\":[{\"devid\":\"0x2330\",\"name\":\"a\",\"features\":1}]}", "features", true },
};

START_TEST(what_is_off_is_named)
{
	struct view text = view_of(bad[_i].text);
	bool ok = bad[_i].is_gpus ? gpu_list_parse(&gpus, &gpu_count, &arena, text, &err) :
				    file_list_parse(&files, &arena, text, NULL, &err);

	ck_assert(!ok);
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_msg(strstr(err.msg, bad[_i].sentence), "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drivers/driver_lists");
	TCase *tests = tcase_create("driver_lists");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, NULL, end);
	tcase_add_test(tests, entries_of_one_name_are_joined);
	tcase_add_test(tests, an_unknown_category_is_noted_once);
	tcase_add_test(tests, chips_of_one_device_are_joined);
	tcase_add_loop_test(tests, what_is_off_is_named, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
