#include "oci/config.h"

#include <check.h>

#define D "\"sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\""
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" D "]}"
#define PLATFORM "\"os\":\"linux\",\"architecture\":\"amd64\","

static const char full[] =
	"{" PLATFORM "\"created\":\"2024-02-29T12:00:00.5+01:30\",\"config\":{\"User\":\"1:2\","
	"\"WorkingDir\":\"/w\",\"StopSignal\":\"SIGINT\",\"Entrypoint\":[\"/a\",\"b\"],\"Cmd\":[],"
	"\"Env\":[\"A=1\"],\"Labels\":{\"k\":\"v\"}}," ROOTFS "}";

static const char *const bad[] = {
	"",
	"{}",
	"{" PLATFORM "\"rootfs\":{}}",
	"{" PLATFORM "\"rootfs\":{\"diff_ids\":[7]}}",
	"{" PLATFORM "\"rootfs\":{\"diff_ids\":[" D "," D "]}}",
	"{" ROOTFS "}",
	"{" PLATFORM "\"created\":\"yesterday\"," ROOTFS "}",
	"{" PLATFORM "\"created\":\"2024-13-01T00:00:00Z\"," ROOTFS "}",
	"{" PLATFORM "\"created\":\"2024-01-01T00:00:00\"," ROOTFS "}",
	"{" PLATFORM "\"config\":{\"Env\":\"A=1\"}," ROOTFS "}",
	"{" PLATFORM "\"config\":{\"Env\":[1]}," ROOTFS "}",
	"{" PLATFORM "\"config\":{\"Labels\":[]}," ROOTFS "}",
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

static const struct {
	const char *created;
	int64_t seconds;
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2024-02-29T12:00:00.5+01:30", 1709202600 },
	{ "2000-01-01T00:00:00-00:30", 946686600 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "0001-01-01T00:00:00Z", -62135596800 },
};

enum { TIME_COUNT = sizeof(times) / sizeof(times[0]) };

static struct image image_of_one_layer(void)
{
	struct image image = { .layer_count = 1 };

	image.layers = calloc(1, sizeof(*image.layers));
	ck_assert_ptr_nonnull(image.layers);
	return image;
}

START_TEST(every_field_arrives)
{
	CLEANUP(image_freep) struct image image = image_of_one_layer();
	struct err err = { 0 };

	ck_assert_msg(config_read(&image, view_of(full), NULL, &err), "%s", err.msg);
	ck_assert_str_eq(image.platform.architecture, "amd64");
	ck_assert_str_eq(image.config.user, "1:2");
	ck_assert_str_eq(image.config.working_dir, "/w");
	ck_assert_str_eq(image.config.stop_signal, "SIGINT");
	ck_assert_str_eq(image.config.entrypoint[1], "b");
	ck_assert_ptr_null(image.config.entrypoint[2]);
	ck_assert_ptr_null(image.config.cmd[0]);
	ck_assert_str_eq(image.config.env[0], "A=1");
	ck_assert_str_eq(image.config.labels_json.data, "{\"k\":\"v\"}");
	ck_assert_uint_eq(image.layers[0].diff_id.sha256[31], 0xdd);
}
END_TEST

START_TEST(what_is_not_given_is_null)
{
	CLEANUP(image_freep) struct image image = image_of_one_layer();
	struct err err = { 0 };

	ck_assert(config_read(&image, view_of("{" PLATFORM ROOTFS "}"), NULL, &err));
	ck_assert_ptr_null(image.config.entrypoint);
	ck_assert_ptr_null(image.config.user);
	ck_assert_ptr_null(image.config.created);
	ck_assert_str_eq(image.config.labels_json.data, "{}");
}
END_TEST

START_TEST(index_says_the_platform_where_the_config_does_not)
{
	CLEANUP(image_freep) struct image image = image_of_one_layer();
	const struct platform fallback = { "linux", "arm", "v7" };
	struct err err = { 0 };

	ck_assert(config_read(&image, view_of("{" ROOTFS "}"), &fallback, &err));
	ck_assert_str_eq(image.platform.architecture, "arm");
	ck_assert_str_eq(image.platform.variant, "v7");
}
END_TEST

START_TEST(created_becomes_seconds)
{
	CLEANUP(image_freep) struct image image = image_of_one_layer();
	struct err err = { 0 };
	char text[300];

	snprintf(text, sizeof(text), "{" PLATFORM "\"created\":\"%s\"," ROOTFS "}",
		 times[_i].created);
	ck_assert_msg(config_read(&image, view_of(text), NULL, &err), "%s", err.msg);
	ck_assert_int_eq(image.config.created_seconds, times[_i].seconds);
}
END_TEST

START_TEST(each_malformed_config_is_a_format_error)
{
	CLEANUP(image_freep) struct image image = image_of_one_layer();
	struct err err = { 0 };

	ck_assert_msg(!config_read(&image, view_of(bad[_i]), NULL, &err), "%s", bad[_i]);
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *read = tcase_create("read");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(read, every_field_arrives);
	tcase_add_test(read, what_is_not_given_is_null);
	tcase_add_test(read, index_says_the_platform_where_the_config_does_not);
	tcase_add_loop_test(read, created_becomes_seconds, 0, TIME_COUNT);
	tcase_add_loop_test(read, each_malformed_config_is_a_format_error, 0, BAD_COUNT);
	suite_add_tcase(suite, read);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
