#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/run/gpu_address.h"
#include "builder/run/image_check.h"
#include "tests/unit/folder.h"

static struct kernel kernel;
static struct err err;

static void start(void)
{
	make_folder();
	kernel = KERNEL_NONE;
	kernel.machine = EM_X86_64;
	snprintf(kernel.release, sizeof(kernel.release), "6.1.0-made");
	err = (struct err){ 0 };
}

static void end(void)
{
	kernel_freep(&kernel);
	remove_folder();
}

static void refuse(const struct run_image *image, const char *rule, const char *part)
{
	ck_assert(!run_image_fits(image, &kernel, false, &err));
	ck_assert_int_eq(err.kind, ERR_MISMATCH);
	ck_assert_msg(strncmp(err.msg, rule, strlen(rule)) == 0, "%s", err.msg);
	ck_assert_msg(strstr(err.msg, part) != NULL, "%s", err.msg);
}

START_TEST(image_fits_a_kernel_that_it_says_nothing_of)
{
	const struct run_image image = { .cpu = EM_NONE };

	ck_assert(run_image_fits(&image, &kernel, false, &err));
}
END_TEST

START_TEST(driver_for_another_kernel_is_a_mismatch)
{
	struct run_image image = { .cpu = EM_X86_64, .release = "6.1.0-other" };

	refuse(&image, "kernel-release: ", "6.1.0-other");
	ck_assert_ptr_nonnull(strstr(err.msg, "6.1.0-made"));
	snprintf(image.release, sizeof(image.release), "6.1.0-made");
	ck_assert(run_image_fits(&image, &kernel, false, &err));
}
END_TEST

START_TEST(kernel_of_another_architecture_is_a_mismatch)
{
	const struct run_image image = { .cpu = EM_AARCH64 };

	refuse(&image, "kernel-release: ", "arm64");
}
END_TEST

START_TEST(kernel_with_its_disk_in_a_module_needs_an_initrd)
{
	const struct run_image image = { .cpu = EM_X86_64 };

	ck_assert(bytes_print(&kernel.config, &err, "CONFIG_VIRTIO_BLK=m\nCONFIG_EXT4_FS=y\n"));
	refuse(&image, "kernel-config: ", "--initrd");
	ck_assert(run_image_fits(&image, &kernel, true, &err));
	bytes_clear(&kernel.config);
	ck_assert(bytes_print(&kernel.config, &err, "CONFIG_VIRTIO_BLK=y\nCONFIG_EXT4_FS=y\n"));
	ck_assert(run_image_fits(&image, &kernel, false, &err));
}
END_TEST

START_TEST(addresses_are_brought_into_one_form)
{
	char address[GPU_ADDRESS_BYTES];

	ck_assert(gpu_address_parse(address, "01:00.0", &err));
	ck_assert_str_eq(address, "0000:01:00.0");
	ck_assert(gpu_address_parse(address, "00A1:C1:1F.7", &err));
	ck_assert_str_eq(address, "00a1:c1:1f.7");
}
END_TEST

static const char *const no_addresses[] = {
	"", "01:00", "01:00.8", "1:00.0", "0000:01:00.0,x=y", "01:00.0 ", "../01:00.0", "gg:00.0",
};

START_TEST(what_is_no_address_is_refused)
{
	char address[GPU_ADDRESS_BYTES];

	ck_assert(!gpu_address_parse(address, no_addresses[_i], &err));
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

/* A made-up /sys/bus/pci/devices. */
START_TEST(device_has_to_be_bound_to_vfio)
{
	ck_assert_int_eq(mkdirat(dir_fd, "0000:01:00.0", 0755), 0);
	ck_assert(!gpu_address_check(folder, "0000:02:00.0", &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
	ck_assert(!gpu_address_check(folder, "0000:01:00.0", &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "no driver"));
	ck_assert_int_eq(symlinkat("../drivers/nvidia", dir_fd, "0000:01:00.0/driver"), 0);
	ck_assert(!gpu_address_check(folder, "0000:01:00.0", &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "has nvidia"));
	ck_assert_int_eq(unlinkat(dir_fd, "0000:01:00.0/driver", 0), 0);
	ck_assert_int_eq(symlinkat("../drivers/vfio-pci", dir_fd, "0000:01:00.0/driver"), 0);
	ck_assert(gpu_address_check(folder, "0000:01:00.0", &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_checks");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, end);
	tcase_add_test(all, image_fits_a_kernel_that_it_says_nothing_of);
	tcase_add_test(all, driver_for_another_kernel_is_a_mismatch);
	tcase_add_test(all, kernel_of_another_architecture_is_a_mismatch);
	tcase_add_test(all, kernel_with_its_disk_in_a_module_needs_an_initrd);
	tcase_add_test(all, addresses_are_brought_into_one_form);
	tcase_add_loop_test(all, what_is_no_address_is_refused, 0,
			    sizeof(no_addresses) / sizeof(no_addresses[0]));
	tcase_add_test(all, device_has_to_be_bound_to_vfio);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
