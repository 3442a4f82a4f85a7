#include "init/gpu_require.h"

#include <string.h>

#include "suite.h"

static const struct boot_gpu_model models[] = {
	{ 0x10de, 0x2330, "9.0", "tesla" },
	{ 0x10de, 0x26b9, "8.9", NULL },
	{ 0x1002, 0x1111, "9.0", "tesla" },
};

static struct err err;
static size_t unknown_count;

static struct gpu_scan scan_of(uint16_t first, uint16_t second)
{
	struct gpu_scan scan = { .count = 3, .gpu_count = 2 };

	scan.devices[0] = (struct gpu_device){ .address = "0000:01:00.0", .device_id = first };
	scan.devices[1] = (struct gpu_device){ .address = "0000:02:00.0", .device_id = second };
	scan.devices[2] = (struct gpu_device){ .device_id = 0x22a3, .is_nvswitch = true };
	return scan;
}

static bool judge(const char *predicate, uint16_t first, uint16_t second)
{
	const struct boot_requirement requirement = { "NVIDIA_REQUIRE_X", predicate };
	const struct boot_gpu boot = { .version = "535.309.01",
				       .requirements = &requirement,
				       .requirement_count = 1,
				       .models = models,
				       .model_count = 3 };
	const struct gpu_scan scan = scan_of(first, second);

	unknown_count = 0;
	return gpu_require(&unknown_count, &boot, &scan, &err);
}

START_TEST(every_gpu_has_to_pass_by_itself)
{
	ck_assert(judge("arch>=9.0", 0x2330, 0x2330));
	ck_assert(!judge("arch>=9.0", 0x2330, 0x26b9));
	ck_assert_int_eq(err.kind, ERR_MISMATCH);
	ck_assert_str_eq(err.msg, "GPU 0000:02:00.0 (10de:26b9): the image requires "
				  "NVIDIA_REQUIRE_X=arch>=9.0");
}
END_TEST

START_TEST(gpu_that_is_not_in_the_table_leaves_it_open)
{
	ck_assert(judge("arch>=9.0", 0x1111, 0x2330));
	ck_assert_uint_eq(unknown_count, 1);
	ck_assert(judge("arch>=9.0", 0x1111, 0x1111));
	ck_assert_uint_eq(unknown_count, 2);
	ck_assert(judge("brand=tesla", 0x26b9, 0x2330)); /* in the table, without a brand */
	ck_assert_uint_eq(unknown_count, 1);
}
END_TEST

START_TEST(driver_and_its_cuda_are_known_whatever_the_gpu)
{
	ck_assert(judge("cuda>=12.2,driver>=535", 0x1111, 0x1111));
	ck_assert_uint_eq(unknown_count, 0);
	ck_assert(!judge("cuda>=12.3,arch>=9.0", 0x1111, 0x1111));
}
END_TEST

START_TEST(predicate_without_sense_is_a_mismatch)
{
	ck_assert(!judge("arch=>9", 0x2330, 0x2330));
	ck_assert_int_eq(err.kind, ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "NVIDIA_REQUIRE_X"));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("gpu_require");

	tcase_add_test(tests, every_gpu_has_to_pass_by_itself);
	tcase_add_test(tests, gpu_that_is_not_in_the_table_leaves_it_open);
	tcase_add_test(tests, driver_and_its_cuda_are_known_whatever_the_gpu);
	tcase_add_test(tests, predicate_without_sense_is_a_mismatch);
	return suite_run(tests, "gpu_require");
}
