#include "drivers/import/places.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *path;
	int kind; /* -1: not let in */
} paths[] = {
	{ "usr/lib/x86_64-linux-gnu/nvidia/current/libcuda.so.535.309.01", PART_LIBRARY },
	{ "libcuda.so.535.309.01", PART_LIBRARY },
	{ "32/libcuda.so.535.309.01", PART_LIBRARY },
	{ "usr/lib/x86_64-linux-gnu/libnvidia-tls.so.535.309.01", PART_LIBRARY },
	{ "usr/lib/xorg/modules/drivers/nvidia_drv.so", PART_LIBRARY },
	{ "usr/lib/x86_64-linux-gnu/libnvidia-brand-new.so.600.1", PART_LIBRARY },
	{ "usr/local/cuda/lib64/stubs/libcuda.so", -1 },
	{ "usr/local/cuda/compat/libcuda.so.535.309.01", -1 },
	{ "usr/lib/x86_64-linux-gnu/libGL.so.1", -1 },
	{ "usr/lib/x86_64-linux-gnu/libc.so.6", -1 },
	{ "kernel/nvidia/libnvidia.so", -1 },
	{ "usr/bin/nvidia-smi", PART_PROGRAM },
	{ "usr/lib/nvidia/current/nvidia-smi", PART_PROGRAM },
	{ "nvidia-smi", PART_PROGRAM },
	{ "usr/share/bash-completion/nvidia-smi", -1 },
	{ "usr/bin/nvidia-smi.1.gz", -1 },
	{ "usr/bin/sh", -1 },
	{ "lib/firmware/nvidia/535.309.01/gsp_ga10x.bin", PART_FIRMWARE },
	{ "firmware/gsp.bin", PART_FIRMWARE },
	{ "lib/firmware/nvidia/tu102/acr/bl.bin", -1 },
	{ "etc/OpenCL/vendors/nvidia.icd", PART_CONFIG },
	{ "usr/share/vulkan/icd.d/nvidia_icd.x86_64.json", PART_CONFIG },
	{ "usr/share/vulkan/icd.d/intel_icd.x86_64.json", -1 },
	{ "usr/share/nvidia/nvidia-application-profiles-535.309.01-rc", PART_CONFIG },
	{ "LICENSE", PART_LICENCE },
	{ "usr/share/doc/libcuda1/copyright", PART_LICENCE },
	{ "usr/share/licenses/nvidia-driver/LICENSE", PART_LICENCE },
	{ "usr/share/doc/bash/copyright", -1 },
	{ "usr/share/nvidia/files.d/sandboxutils-filelist.json", PART_FILE_LIST },
	{ "supported-gpus/supported-gpus.json", PART_GPU_LIST },
	{ ".manifest", PART_INSTALL_LIST },
	{ "MANIFEST", PART_INSTALL_LIST },
	{ "usr/share/MANIFEST", -1 },
	{ "", -1 },
};

START_TEST(a_path_is_let_in_for_what_it_is)
{
	enum part_kind kind = PART_MODULE;
	bool is_in = place_lets_in(view_of(paths[_i].path), &kind);

	ck_assert_msg(is_in == (paths[_i].kind >= 0), "%s", paths[_i].path);
	ck_assert_msg(!is_in || (int)kind == paths[_i].kind, "%s: %d", paths[_i].path, (int)kind);
}
END_TEST

START_TEST(libraries_have_their_folders)
{
	ck_assert_str_eq(place_of_library(view_of("libcuda.so.535.1")), "");
	ck_assert_str_eq(place_of_library(view_of("libvdpau_nvidia.so.535.1")), "vdpau/");
	ck_assert_int_eq(place_of_library(view_of("nvidia_drv.so"))[0], '/');
}
END_TEST

START_TEST(links_that_programs_ask_for_are_known)
{
	size_t cursor = 0;

	ck_assert_str_eq(place_next_link(view_of("libcuda.so.535.1"), &cursor), "libcuda.so");
	ck_assert_ptr_null(place_next_link(view_of("libcuda.so.535.1"), &cursor));
	cursor = 0;
	ck_assert_ptr_null(place_next_link(view_of("libcudadebugger.so.535.1"), &cursor));
	ck_assert_str_eq(place_next_link(view_of("libnvidia-nscq.so.535.1"), &cursor),
			 "libnvidia-nscq.so");
	ck_assert_str_eq(place_next_link(view_of("libnvidia-nscq.so.535.1"), &cursor),
			 "libnvidia-nscq.so.2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drivers/places");
	TCase *tests = tcase_create("places");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, a_path_is_let_in_for_what_it_is, 0,
			    sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(tests, libraries_have_their_folders);
	tcase_add_test(tests, links_that_programs_ask_for_are_known);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
