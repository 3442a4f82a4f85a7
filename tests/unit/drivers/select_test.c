#include "drivers/select/select.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kit/drivers/made_ko.h"
#include "tests/kit/drivers/made_root.h"

enum { BUNDLES_MAX = 4, GOOD_CRC = 0x11223344 };

#define RELEASE "6.1.0-made"
#define MODULE_PATH "modules/" RELEASE "/nvidia.ko"

/* The store's bundles, in memory: one module each. */
static struct stored_bundle stored[BUNDLES_MAX];
static struct made_root contents[BUNDLES_MAX];
static struct bundle_kernel kernels[BUNDLES_MAX];
static struct bundle_module modules[BUNDLES_MAX];
static size_t stored_count;
static struct selection selection;
static struct select_request request;
static struct export export;
static struct kernel kernel;
static const char *env[2];
static struct err err;

static void begin(void)
{
	stored_count = 0;
	selection = (struct selection){ 0 };
	err = (struct err){ 0 };
	env[0] = "NVIDIA_VISIBLE_DEVICES=all";
	env[1] = "PATH=/bin";
	request = (struct select_request){ .choice = "auto",
					   .architecture = "amd64",
					   .release = RELEASE,
					   .env = env,
					   .env_count = 2 };
	kernel = KERNEL_NONE;
	snprintf(kernel.release, sizeof(kernel.release), RELEASE);
	kernel.vermagic = view_of(RELEASE " SMP mod_unload modversions ");
	kernel.machine = EM_X86_64;
	export = (struct export){ .name = { "printk", 6 }, .crc = GOOD_CRC, .has_crc = true };
	kernel.exports.items = &export;
	kernel.exports.count = 1;
}

static void end(void)
{
	selection_freep(&selection);
	while (stored_count > 0)
		made_root_freep(&contents[--stored_count]);
}

/* A bundle whose module was built against a printk of that checksum. */
static struct bundle *import(const char *version, const char *cuda, uint32_t crc)
{
	struct made_ko ko = { .name = "nvidia",
			      .version = version,
			      .licence = "NVIDIA",
			      .vermagic = RELEASE " SMP mod_unload modversions ",
			      .symbol = "printk",
			      .crc = crc };
	struct stored_bundle *bundle = &stored[stored_count];
	struct made_root *root = &contents[stored_count];
	char body[MADE_KO_BYTES];

	made_root_begin(root);
	made_root_file(root, MODULE_PATH, made_ko(body, &ko));
	made_root_finish(root);
	modules[stored_count] = (struct bundle_module){ .name = "nvidia",
							.path = MODULE_PATH,
							.capabilities = CAPABILITY_ALL,
							.is_vendor = true };
	kernels[stored_count] = (struct bundle_kernel){ .release = RELEASE,
							.modules = &modules[stored_count],
							.module_count = 1 };
	*bundle = (struct stored_bundle){ .index = root->index, .data_fd = root->data_fd };
	snprintf(bundle->name, sizeof(bundle->name), "%s-proprietary-amd64-%zu", version,
		 stored_count);
	bundle->bundle = (struct bundle){ .version = version,
					  .architecture = "amd64",
					  .cuda = cuda,
					  .kernels = &kernels[stored_count],
					  .kernel_count = 1 };
	stored_count++;
	return &bundle->bundle;
}

static void choose(void)
{
	ck_assert_msg(driver_select(&selection, stored, stored_count, &request, &err), "%s",
		      err.msg);
}

static void refuse(enum err_kind kind, const char *words)
{
	ck_assert(!driver_select(&selection, stored, stored_count, &request, &err));
	ck_assert_msg(err.kind == kind && strstr(err.msg, words), "%s", err.msg);
	ck_assert_ptr_null(selection.chosen);
}

static void check_chosen(const char *version)
{
	ck_assert_ptr_nonnull(selection.chosen);
	ck_assert_str_eq(selection.chosen->stored->bundle.version, version);
}

START_TEST(the_newest_that_fits_is_taken)
{
	import("525.9.1", "12.0", GOOD_CRC);
	import("535.309.01", "12.2", GOOD_CRC);
	import("470.256.02", "11.4", GOOD_CRC);
	choose();
	check_chosen("535.309.01");
	ck_assert_uint_eq(selection.count, 3);
}
END_TEST

START_TEST(versions_are_compared_as_numbers)
{
	import("535.99.01", "12.2", GOOD_CRC);
	import("535.309.01", "12.2", GOOD_CRC);
	choose();
	check_chosen("535.309.01");
}
END_TEST

START_TEST(one_that_the_kernel_would_not_load_is_passed_over_with_the_reason)
{
	import("535.309.01", "12.2", 7);
	import("525.9.1", "12.0", GOOD_CRC);
	request.kernel = &kernel;
	choose();
	check_chosen("525.9.1");
	ck_assert_ptr_nonnull(strstr(selection.candidates[0].why_not, "modversions-crc: nvidia "));
	ck_assert_int_eq(selection.candidates[0].findings.items[0].rule, RULE_MODVERSIONS_CRC);
}
END_TEST

START_TEST(one_without_modules_for_the_kernel_is_passed_over)
{
	import("535.309.01", "12.2", GOOD_CRC);
	import("525.9.1", "12.0", GOOD_CRC);
	kernels[0].release = "6.2.0-other";
	choose();
	check_chosen("525.9.1");
	ck_assert_ptr_nonnull(strstr(selection.candidates[0].findings.items[0].sentence,
				     "only for 6.2.0-other"));
}
END_TEST

START_TEST(what_the_image_demands_decides)
{
	import("525.9.1", "12.0", GOOD_CRC);
	import("535.309.01", "12.2", GOOD_CRC);
	env[1] = "NVIDIA_REQUIRE_DRIVER=driver<530";
	choose();
	check_chosen("525.9.1");
}
END_TEST

START_TEST(what_depends_on_the_gpu_is_handed_back)
{
	import("535.309.01", "12.2", GOOD_CRC);
	env[1] = "NVIDIA_REQUIRE_CUDA=cuda>=12.0,arch>=8.0";
	choose();
	check_chosen("535.309.01");
	ck_assert_uint_eq(selection.chosen->pending.count, 1);
	ck_assert(view_equal(selection.chosen->pending.items[0].predicate,
			     "cuda>=12.0,arch>=8.0"));
}
END_TEST

START_TEST(the_gpu_decides)
{
	struct gpu_chip volta = gpu_chip_of(0x1db1);

	import("590.48.01", "13.1", GOOD_CRC);
	import("580.95.05", "13.0", GOOD_CRC);
	request.chip = &volta;
	choose();
	check_chosen("580.95.05");
	ck_assert_int_eq(selection.candidates[0].findings.items[0].rule, RULE_GPU_LEGACY_BRANCH);
}
END_TEST

START_TEST(of_one_version_the_flavor_of_nvidias_own_installer_is_taken)
{
	import("535.309.01", "12.2", GOOD_CRC)->flavor = BUNDLE_OPEN;
	import("535.309.01", "12.2", GOOD_CRC);
	choose();
	ck_assert_int_eq(selection.chosen->stored->bundle.flavor, BUNDLE_PROPRIETARY);
	selection_freep(&selection);
	stored[0].bundle.version = stored[1].bundle.version = "570.1.1";
	choose();
	ck_assert_int_eq(selection.chosen->stored->bundle.flavor, BUNDLE_OPEN);
}
END_TEST

START_TEST(each_bundles_reason_is_in_the_one_sentence_when_none_fits)
{
	import("535.309.01", "12.2", GOOD_CRC);
	import("525.9.1", "12.0", 7);
	kernels[0].release = "6.2.0-other";
	request.kernel = &kernel;
	refuse(ERR_MISMATCH, "535.309.01-proprietary-amd64-0: kernel-release: ");
	ck_assert_ptr_nonnull(strstr(err.msg, "525.9.1-proprietary-amd64-1: modversions-crc: "));
	ck_assert_uint_eq(selection.count, 2);
}
END_TEST

START_TEST(each_that_was_not_chosen_has_a_reason)
{
	import("535.309.01", "12.2", GOOD_CRC);
	import("550.9.1", "12.4", GOOD_CRC)->architecture = "arm64";
	import("525.9.1", "12.0", GOOD_CRC);
	import("570.9.1", "12.8", 7);
	request.kernel = &kernel;
	choose();
	check_chosen("535.309.01");
	ck_assert_uint_eq(selection.count, 4);
	ck_assert_ptr_nonnull(strstr(selection.candidates[0].why_not, "modversions-crc: "));
	ck_assert_str_eq(selection.candidates[1].why_not, "it is for arm64, the image for amd64");
	ck_assert_ptr_null(selection.candidates[2].why_not);
	ck_assert_str_eq(selection.candidates[3].why_not,
			 "535.309.01-proprietary-amd64-0 comes before it, and fits");
}
END_TEST

START_TEST(no_bundle_at_all_is_not_found)
{
	refuse(ERR_NOT_FOUND, "vmbake driver import");
	selection_freep(&selection);
	import("535.309.01", "12.2", GOOD_CRC)->architecture = "arm64";
	refuse(ERR_NOT_FOUND, "amd64");
}
END_TEST

START_TEST(a_version_is_taken_although_the_image_does_not_ask)
{
	import("535.309.01", "12.2", GOOD_CRC);
	import("525.9.1", "12.0", GOOD_CRC);
	env[0] = "PATH=/bin";
	request.choice = "525.9.1";
	choose();
	check_chosen("525.9.1");
	selection_freep(&selection);
	request.choice = "535.309.01-proprietary-amd64-0";
	choose();
	check_chosen("535.309.01");
}
END_TEST

START_TEST(a_version_without_modules_for_the_kernel_is_a_mismatch)
{
	import("535.309.01", "12.2", GOOD_CRC);
	import("525.9.1", "12.0", GOOD_CRC);
	kernels[0].release = "6.2.0-other";
	request.choice = "535.309.01";
	refuse(ERR_MISMATCH, "kernel-release");
	request.choice = "550.1.1";
	selection_freep(&selection);
	refuse(ERR_NOT_FOUND, "550.1.1");
}
END_TEST

START_TEST(an_image_that_does_not_ask_gets_none)
{
	import("535.309.01", "12.2", GOOD_CRC);
	env[0] = "PATH=/bin";
	choose();
	ck_assert_ptr_null(selection.chosen);
	selection_freep(&selection);
	env[0] = "NVIDIA_VISIBLE_DEVICES=all";
	request.choice = "none";
	choose();
	ck_assert_ptr_null(selection.chosen);
}
END_TEST

START_TEST(an_unknown_kernel_is_no_reason_to_pass_over)
{
	import("535.309.01", "12.2", GOOD_CRC);
	request.release = NULL;
	choose();
	check_chosen("535.309.01");
	ck_assert_int_eq(selection.chosen->findings.items[0].severity, SEVERITY_UNKNOWN);
}
END_TEST

START_TEST(a_module_that_nobody_loads_need_not_fit)
{
	import("535.309.01", "12.2", 7);
	modules[0].capabilities = CAPABILITY_GRAPHICS;
	request.kernel = &kernel;
	choose();
	check_chosen("535.309.01");
	selection_freep(&selection);
	request.capabilities = CAPABILITY_GRAPHICS;
	refuse(ERR_MISMATCH, "modversions-crc");
}
END_TEST

START_TEST(devices_by_index_are_told_and_ids_are_refused)
{
	import("535.309.01", "12.2", GOOD_CRC);
	env[0] = "NVIDIA_VISIBLE_DEVICES=0,1";
	choose();
	ck_assert(selection.gpu.is_by_index);
	selection_freep(&selection);
	env[0] = "NVIDIA_VISIBLE_DEVICES=GPU-8932f937-d72c-4106-c12f-20bd9faed9f6";
	refuse(ERR_UNSUPPORTED, "GPU");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("select");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, the_newest_that_fits_is_taken);
	tcase_add_test(all, versions_are_compared_as_numbers);
	tcase_add_test(all, one_that_the_kernel_would_not_load_is_passed_over_with_the_reason);
	tcase_add_test(all, one_without_modules_for_the_kernel_is_passed_over);
	tcase_add_test(all, what_the_image_demands_decides);
	tcase_add_test(all, what_depends_on_the_gpu_is_handed_back);
	tcase_add_test(all, the_gpu_decides);
	tcase_add_test(all, of_one_version_the_flavor_of_nvidias_own_installer_is_taken);
	tcase_add_test(all, each_bundles_reason_is_in_the_one_sentence_when_none_fits);
	tcase_add_test(all, each_that_was_not_chosen_has_a_reason);
	tcase_add_test(all, no_bundle_at_all_is_not_found);
	tcase_add_test(all, a_version_is_taken_although_the_image_does_not_ask);
	tcase_add_test(all, a_version_without_modules_for_the_kernel_is_a_mismatch);
	tcase_add_test(all, an_image_that_does_not_ask_gets_none);
	tcase_add_test(all, an_unknown_kernel_is_no_reason_to_pass_over);
	tcase_add_test(all, a_module_that_nobody_loads_need_not_fit);
	tcase_add_test(all, devices_by_index_are_told_and_ids_are_refused);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
