#include "drivers/select/gpu_chip.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	const char *id;
	enum chip_architecture architecture;
	const char *compute;
	bool needs_open, refuses_open;
} chips[] = {
	{ "10de:102d", CHIP_KEPLER, "3.7", false, true }, /* K80 */
	{ "10de:13f2", CHIP_MAXWELL, "5.2", false, true }, /* M60 */
	{ "10de:1b38", CHIP_PASCAL, "6.1", false, true }, /* P40 */
	{ "10de:15f8", CHIP_PASCAL, "6.0", false, true }, /* P100 */
	{ "10de:1db1", CHIP_VOLTA, "7.0", false, true }, /* V100 */
	{ "10de:1eb8", CHIP_TURING, "7.5", false, false }, /* T4 */
	{ "10de:2184", CHIP_TURING, "7.5", false, false }, /* GTX 1660 */
	{ "10de:20b0", CHIP_AMPERE, "8.0", false, false }, /* A100 */
	{ "10DE:2237", CHIP_AMPERE, "8.6", false, false }, /* A10G */
	{ "10de:25b6", CHIP_AMPERE, "8.6", false, false }, /* A2 */
	{ "10de:27b8", CHIP_ADA, "8.9", false, false }, /* L4 */
	{ "10de:2330", CHIP_HOPPER, "9.0", false, false }, /* H100 */
	{ "10de:2342", CHIP_HOPPER, "9.0", true, false }, /* GH200 */
	{ "10de:2901", CHIP_BLACKWELL, "10.0", true, false }, /* B200 */
	{ "10de:2b85", CHIP_BLACKWELL, "12.0", true, false }, /* RTX 5090 */
	{ "10de:3182", CHIP_BLACKWELL, "10.3", true, false }, /* B300 */
	{ "10de:0020", CHIP_UNKNOWN, NULL, false, false },
	{ "10de:ffff", CHIP_UNKNOWN, NULL, false, false },
};

START_TEST(a_device_id_tells_its_chip)
{
	struct gpu_chip chip;
	struct err err = { 0 };

	ck_assert_msg(gpu_chip_parse(&chip, view_of(chips[_i].id), &err), "%s", err.msg);
	ck_assert_msg(chip.architecture == chips[_i].architecture, "%s", chips[_i].id);
	ck_assert_pstr_eq(chip.compute, chips[_i].compute);
	ck_assert_int_eq(chip.needs_open, chips[_i].needs_open);
	ck_assert_int_eq(chip.refuses_open, chips[_i].refuses_open);
}
END_TEST

static const struct {
	const char *text;
	enum err_kind kind;
} refusals[] = {
	{ "", ERR_USAGE },	     { "10de", ERR_USAGE },	 { "10de:", ERR_USAGE },
	{ "10de:233", ERR_USAGE },   { "10de:23300", ERR_USAGE }, { "10de:23g0", ERR_USAGE },
	{ "0x10de:2330", ERR_USAGE }, { "10de 2330", ERR_USAGE }, { "10de:+330", ERR_USAGE },
	{ "1002:2330", ERR_UNSUPPORTED },
};

START_TEST(what_is_no_id_of_nvidias_is_refused)
{
	struct gpu_chip chip;
	struct err err = { 0 };

	ck_assert_msg(!gpu_chip_parse(&chip, view_of(refusals[_i].text), &err), "%s",
		      refusals[_i].text);
	ck_assert_int_eq(err.kind, refusals[_i].kind);
}
END_TEST

START_TEST(branches_end_where_nvidia_ended_them)
{
	ck_assert_uint_eq(gpu_chip_of(0x102d).last_branch, 470);
	ck_assert_uint_eq(gpu_chip_of(0x1db1).last_branch, 580);
	ck_assert_uint_eq(gpu_chip_of(0x1eb8).last_branch, 0);
	ck_assert_uint_eq(gpu_chip_of(0x2901).first_branch, 570);
	ck_assert_uint_eq(gpu_chip_of(0xffff).first_branch, 0);
	ck_assert_str_eq(chip_architecture_name(CHIP_BLACKWELL), "blackwell");
	ck_assert_str_eq(chip_architecture_name(CHIP_UNKNOWN), "unknown");
}
END_TEST

START_TEST(a_brand_is_taken_from_the_name_or_left_unknown)
{
	ck_assert_str_eq(gpu_chip_brand("NVIDIA GeForce RTX 4090"), "geforcertx");
	ck_assert_str_eq(gpu_chip_brand("NVIDIA GeForce GTX 1660"), "geforce");
	ck_assert_str_eq(gpu_chip_brand("Tesla V100-SXM2-16GB"), "tesla");
	ck_assert_str_eq(gpu_chip_brand("NVIDIA TITAN RTX"), "titanrtx");
	ck_assert_str_eq(gpu_chip_brand("NVIDIA RTX A6000"), "nvidiartx");
	ck_assert_str_eq(gpu_chip_brand("NVIDIA H100 80GB HBM3"), "nvidia");
	ck_assert_ptr_null(gpu_chip_brand("NVIDIA T4"));
	ck_assert_ptr_null(gpu_chip_brand(""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gpu_chip");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(all, a_device_id_tells_its_chip, 0, sizeof(chips) / sizeof(chips[0]));
	tcase_add_loop_test(all, what_is_no_id_of_nvidias_is_refused, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(all, branches_end_where_nvidia_ended_them);
	tcase_add_test(all, a_brand_is_taken_from_the_name_or_left_unknown);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
