#include "drivers/import/install_list.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/bundle/capability.h"

static struct arena arena;
static struct install_list list;
static struct err err;

static void end(void)
{
	arena_freep(&arena);
}

#define HEAD "a made driver\n535.309.01\n0\nnvidia nvidia-uvm\n0\n0\n0\n0\n"

static const struct install_entry *entry_of(const char *line, const char *path)
{
	char text[512];

	snprintf(text, sizeof(text), HEAD "%s\n\nafter 0644 CUDA_LIB\n", line);
	char *copy = arena_copy(&arena, text, strlen(text)); /* views point into it */

	ck_assert_msg(install_list_parse(&list, &arena, view_of(copy), &err), "%s", err.msg);
	return install_list_find(&list, path);
}

START_TEST(its_head_says_the_version)
{
	entry_of("libcuda.so.535.309.01 0755 CUDA_LIB NATIVE", "");
	ck_assert(view_equal(list.version, "535.309.01"));
	ck_assert_uint_eq(list.entry_count, 1); /* nothing behind the empty line */
}
END_TEST

static const struct {
	const char *line, *path, *target;
	enum install_use use;
	unsigned capabilities;
	uint32_t mode;
	bool is_compat32;
} lines[] = {
	{ "libcuda.so.1.2 0755 CUDA_LIB NATIVE", "libcuda.so.1.2", "", INSTALL_LIBRARY,
	  CAPABILITY_COMPUTE, 0755, false },
	{ "./32/libcuda.so.1.2 0755 CUDA_LIB COMPAT32 MODULE:cuda", "32/libcuda.so.1.2", "",
	  INSTALL_LIBRARY, CAPABILITY_COMPUTE, 0755, true },
	{ "libcuda.so.1 0000 CUDA_SYMLINK NATIVE libcuda.so.1.2", "libcuda.so.1",
	  "libcuda.so.1.2", INSTALL_SYMLINK, 0, 0, false },
	{ "libcuda.so.1 0000 CUDA_SYMLINK NATIVE some/path libcuda.so.1.2 MODULE:cuda",
	  "libcuda.so.1", "libcuda.so.1.2", INSTALL_SYMLINK, 0, 0, false },
	{ "firmware/gsp_ga10x.bin 0644 FIRMWARE INHERIT_PATH_DEPTH:1", "firmware/gsp_ga10x.bin",
	  "", INSTALL_FIRMWARE, CAPABILITY_ALL, 0644, false },
	{ "nvidia-smi  0755   UTILITY_BINARY", "nvidia-smi", "", INSTALL_PROGRAM, 0, 0755, false },
	{ "libGL.so.1 0755 GLVND_LIB NATIVE", "libGL.so.1", "", INSTALL_NOTHING, 0, 0755, false },
	{ "10_nvidia.json 0644 GLVND_EGL_ICD_JSON", "10_nvidia.json", "", INSTALL_CONFIG,
	  CAPABILITY_GRAPHICS, 0644, false },
	{ "kernel/nv.c 0644 KERNEL_MODULE_SRC INHERIT_PATH_DEPTH:1", "kernel/nv.c", "",
	  INSTALL_NOTHING, 0, 0644, false },
	{ "libnvidia-ml.so.1 0000 CUDA_SYMLINK NATIVE / libnvidia-ml.so.1.2 MODULE:nvml",
	  "libnvidia-ml.so.1", "libnvidia-ml.so.1.2", INSTALL_SYMLINK, 0, 0, false },
	{ "libGLX_nvidia.so.0 0000 GLX_CLIENT_SYMLINK NATIVE libGLX_nvidia.so.1.2 GLVND MODULE:gl",
	  "libGLX_nvidia.so.0", "libGLX_nvidia.so.1.2", INSTALL_SYMLINK, 0, 0, false },
	{ "libnvidia-tls.so.1.2 0755 TLS_LIB NATIVE CLASSIC / MODULE:gl", "libnvidia-tls.so.1.2",
	  "", INSTALL_NOTHING, CAPABILITY_GRAPHICS, 0755, false },
	{ "tls/libnvidia-tls.so.1.2 0755 TLS_LIB NATIVE NEW tls/ MODULE:gl",
	  "tls/libnvidia-tls.so.1.2", "", INSTALL_LIBRARY, CAPABILITY_GRAPHICS, 0755, false },
	{ "nvidia-modprobe 04755 NVIDIA_MODPROBE /usr/bin/ MODULE:installer", "nvidia-modprobe",
	  "", INSTALL_NOTHING, 0, 04755, false },
	{ "kernel/dkms.conf 0644 DKMS_CONF INHERIT_PATH_DEPTH:1 MODULE:resman", "kernel/dkms.conf",
	  "", INSTALL_NOTHING, 0, 0644, false },
	{ "libnvidia-vgx.so.1.2 0755 VGX_LIB MODULE:vgpu", "libnvidia-vgx.so.1.2", "",
	  INSTALL_NOTHING, 0, 0755, false },
	{ "x 0644 SOMETHING_NEW NATIVE a b c", "x", "", INSTALL_UNKNOWN, 0, 0644, false },
};

START_TEST(an_entry_is_read)
{
	const struct install_entry *entry = entry_of(lines[_i].line, lines[_i].path);

	ck_assert_ptr_nonnull(entry);
	ck_assert_int_eq(entry->use, lines[_i].use);
	ck_assert_uint_eq(entry->capabilities, lines[_i].capabilities);
	ck_assert_uint_eq(entry->mode, lines[_i].mode);
	ck_assert_int_eq(entry->is_compat32, lines[_i].is_compat32);
	ck_assert(view_equal(entry->target, lines[_i].target) ||
		  (entry->target.len == 0 && lines[_i].target[0] == '\0'));
}
END_TEST

static const struct {
	const char *line, *path;
	bool is_there;
} sorted[] = {
	{ "libcuda.so.1.2 0755 CUDA_LIB NATIVE /", "lib/libcuda.so.1.2", true },
	{ "32/libcuda.so.1.2 0755 CUDA_LIB COMPAT32 /", "lib32/libcuda.so.1.2", true },
	{ "32/libcuda.so.1.2 0755 CUDA_LIB COMPAT32 /", "lib/libcuda.so.1.2", false },
	{ "libcuda.so.1.2 0755 CUDA_LIB NATIVE /", "lib32/libcuda.so.1.2", false },
	{ "nvidia-smi 0755 UTILITY_BINARY", "sbin/nvidia-smi", true },
	{ "nvidia-persistenced 0755 UTILITY_BINARY", "bin/nvidia-persistenced", true },
	{ "nvidia_icd.json 0644 VULKAN_ICD_JSON icd.d/", "etc/nvidia_icd.json", true },
	{ "nvoptix.bin 0444 OPENGL_DATA nvidia/", "share/nvoptix.bin", true },
	{ "firmware/gsp_ga10x.bin 0644 FIRMWARE INHERIT_PATH_DEPTH:1", "firmware/gsp_ga10x.bin",
	  true },
	{ "libGL.so.1 0755 GLVND_LIB NATIVE", "lib/libGL.so.1", false },
	{ "libcuda.so.1.2 0755 CUDA_LIB NATIVE /", "tests/libcuda.so.1.2", false },
};

START_TEST(an_archive_has_the_same_list_and_folders)
{
	const struct install_entry *entry = entry_of(sorted[_i].line, sorted[_i].path);

	ck_assert_int_eq(entry != NULL, sorted[_i].is_there);
}
END_TEST

static const struct {
	const char *text, *sentence;
} bad[] = {
	{ "", "no version" },
	{ "a\n../x\n", "no version" },
	{ HEAD "libcuda.so\n", "line 9" },
	{ HEAD "libcuda.so 0755\n", "line 9" },
	{ HEAD "a 0644 DOC\nlibcuda.so 9999 CUDA_LIB\n", "line 10" },
	{ HEAD "libcuda.so 17777 CUDA_LIB\n", "line 9" },
};

START_TEST(what_is_off_is_named)
{
	ck_assert(!install_list_parse(&list, &arena, view_of(bad[_i].text), &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	ck_assert_msg(strstr(err.msg, bad[_i].sentence), "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drivers/install_list");
	TCase *tests = tcase_create("install_list");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, NULL, end);
	tcase_add_test(tests, its_head_says_the_version);
	tcase_add_loop_test(tests, an_entry_is_read, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_loop_test(tests, an_archive_has_the_same_list_and_folders, 0,
			    sizeof(sorted) / sizeof(sorted[0]));
	tcase_add_loop_test(tests, what_is_off_is_named, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
