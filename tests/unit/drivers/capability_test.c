#include "drivers/bundle/capability.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	const char *devices, *capabilities; /* whole variables, or NULL */
	int wish; /* enum gpu_wish, or minus an err_kind */
	const char *text;
} requests[] = {
	{ NULL, NULL, GPU_NOT_ASKED, "" },
	{ "NVIDIA_VISIBLE_DEVICES=", NULL, GPU_NOT_ASKED, "" },
	{ "NVIDIA_VISIBLE_DEVICES=void", "NVIDIA_DRIVER_CAPABILITIES=all", GPU_NOT_ASKED, "" },
	{ "NVIDIA_VISIBLE_DEVICES=none", NULL, GPU_DRIVER_ONLY, "utility,compute" },
	{ "NVIDIA_VISIBLE_DEVICES=all", NULL, GPU_ASKED, "utility,compute" },
	{ "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=", GPU_ASKED,
	  "utility,compute" },
	{ "NVIDIA_VISIBLE_DEVICES=0,1", "NVIDIA_DRIVER_CAPABILITIES=video", GPU_ASKED,
	  "compute,video" },
	{ "NVIDIA_VISIBLE_DEVICES=01:00.0", "NVIDIA_DRIVER_CAPABILITIES=display,ngx", GPU_ASKED,
	  "graphics,display,ngx" },
	{ "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all", GPU_ASKED,
	  "utility,compute,video,graphics,display,ngx,compat32" },
	{ "CUDA_VERSION=9.0", NULL, GPU_ASKED,
	  "utility,compute,video,graphics,display,ngx,compat32" },
	{ "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=magic", -ERR_FORMAT, "" },
	{ "NVIDIA_VISIBLE_DEVICES=MIG-1", NULL, -ERR_UNSUPPORTED, "" },
	{ "NVIDIA_VISIBLE_DEVICES=0:1", NULL, -ERR_UNSUPPORTED, "" },
	{ "NVIDIA_VISIBLE_DEVICES=GPU-4cf8db2d-06c0-7d70-1a51-e59b25b2c16c", NULL,
	  -ERR_UNSUPPORTED, "" },
	{ "NVIDIA_VISIBLE_DEVICES=4cf8db2d-06c0-7d70-1a51-e59b25b2c16c", NULL, -ERR_UNSUPPORTED,
	  "" },
	{ "NVIDIA_VISIBLE_DEVICES=some", NULL, -ERR_FORMAT, "" },
};

enum { REQUEST_COUNT = sizeof(requests) / sizeof(requests[0]) };

START_TEST(each_environment_asks_as_the_runtime_reads_it)
{
	const char *env[] = { requests[_i].devices ? requests[_i].devices : "A=b",
			      requests[_i].capabilities ? requests[_i].capabilities : "C=d" };
	struct gpu_request request = { 0 };
	struct err err = { 0 };
	char text[CAPABILITY_TEXT_BYTES];
	bool is_good = gpu_request_read(&request, env, 2, &err);

	ck_assert_int_eq(is_good ? (int)request.wish : -(int)err.kind, requests[_i].wish);
	capability_text(request.capabilities, text);
	ck_assert_str_eq(text, requests[_i].text);
}
END_TEST

START_TEST(file_belongs_to_the_capability_of_its_name_before_so)
{
	ck_assert_uint_eq(capability_of_library(view_of("libcuda.so.535.309.01")),
			  CAPABILITY_COMPUTE);
	ck_assert_uint_eq(capability_of_library(view_of("libnvidia-ml.so.1")),
			  CAPABILITY_UTILITY);
	ck_assert_uint_eq(capability_of_library(view_of("libcudart.so.12")), 0);
	ck_assert_uint_eq(capability_of_library(view_of("libcuda")), 0);
	ck_assert_uint_eq(capability_of_program(view_of("nvidia-smi")), CAPABILITY_UTILITY);
	ck_assert_uint_eq(capability_of_program(view_of("nvidia-installer")), 0);
	ck_assert_uint_eq(capability_of_category(view_of("egl_gbm")), CAPABILITY_GRAPHICS);
	ck_assert_uint_eq(capability_of_category(view_of("new-in-2030")), 0);
}
END_TEST

START_TEST(device_given_by_index_is_marked_for_a_note)
{
	static const char *const by_index[] = { "NVIDIA_VISIBLE_DEVICES=0,1" };
	static const char *const all[] = { "NVIDIA_VISIBLE_DEVICES=all" };
	struct gpu_request request = { 0 };
	struct err err = { 0 };

	ck_assert(gpu_request_read(&request, by_index, 1, &err));
	ck_assert(request.is_by_index);
	ck_assert(gpu_request_read(&request, all, 1, &err));
	ck_assert(!request.is_by_index);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("capability");
	TCase *rules = tcase_create("rules");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(rules, each_environment_asks_as_the_runtime_reads_it, 0,
			    REQUEST_COUNT);
	tcase_add_test(rules, file_belongs_to_the_capability_of_its_name_before_so);
	tcase_add_test(rules, device_given_by_index_is_marked_for_a_note);
	suite_add_tcase(suite, rules);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
