#include "drivers/kernel/kernel.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "made_kernel.h"

static char folder[] = "/tmp/kernel-test-XXXXXX";

static void enter_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
	struct err err = { 0 };

	ck_assert_int_eq(chdir("/"), 0);
	ck_assert(file_remove_tree(AT_FDCWD, folder, &err));
}

static void write_file(const char *name, const char *data, size_t len)
{
	struct err err = { 0 };

	ck_assert(file_write_whole(AT_FDCWD, name, 0644, (struct view){ data, len }, &err));
}

static void write_vmlinux(void)
{
	char kernel[MADE_KERNEL_BYTES];

	made_kernel(kernel);
	write_file("vmlinux", kernel, sizeof(kernel));
}

/* A bzImage around a file, with the length behind it that mkpiggy adds. */
static void write_bzimage(const char *payload_path, size_t trailer_bytes)
{
	CLEANUP(bytes_freep) struct bytes payload = bytes_capped(1 << 20);
	CLEANUP(bytes_freep) struct bytes image = bytes_capped(1 << 20);
	struct err err = { 0 };
	char setup[5 * 512 + 64] = { 0 }, trailer[4] = { 0 };

	ck_assert(file_slurp(&payload, AT_FDCWD, payload_path, &err));
	setup[0x1f1] = 4;
	memcpy(setup + 0x202, "HdrS", 4);
	le16_put(setup + 0x206, 0x020f);
	le32_put(setup + 0x248, 64);
	le32_put(setup + 0x24c, (uint32_t)(payload.len + trailer_bytes));
	ck_assert(bytes_append(&image, setup, sizeof(setup), &err));
	ck_assert(bytes_append(&image, payload.data, payload.len, &err));
	ck_assert(bytes_append(&image, trailer, sizeof(trailer), &err));
	write_file("bzImage", image.data, image.len);
}

static void check_made_kernel(const char *path)
{
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct kernel_files files = { .kernel = path };
	struct err err = { 0 };

	ck_assert_msg(kernel_open(&kernel, &files, &err), "%s", err.msg);
	ck_assert_str_eq(kernel.release, "6.1.0-made");
	ck_assert_uint_eq(kernel.machine, EM_X86_64);
	ck_assert(view_equal(kernel.vermagic, "6.1.0-made SMP mod_unload "));
	ck_assert_uint_eq(kernel.exports.count, 2);
	const struct export *plain = export_table_find(&kernel.exports, view_of("printk"));
	const struct export *gpl = export_table_find(&kernel.exports, view_of("pci_gpl_thing"));

	ck_assert(plain && plain->has_crc && plain->crc == 0x11223344 && !plain->is_gpl);
	ck_assert(gpl && gpl->has_crc && gpl->crc == 0x55667788 && gpl->is_gpl);
	ck_assert_ptr_null(export_table_find(&kernel.exports, view_of("print")));
}

static const struct {
	const char *command; /* makes "payload" of vmlinux */
	size_t trailer_bytes;
} packings[] = {
	{ "cp vmlinux payload", 0 },	       { "gzip -nc vmlinux > payload", 0 },
	{ "xz -c vmlinux > payload", 4 },      { "zstd -qc vmlinux > payload", 4 },
	{ "lz4 -qlc vmlinux > payload", 4 },
};

enum { PACKING_COUNT = sizeof(packings) / sizeof(packings[0]) };

START_TEST(bzimage_of_each_compression_gives_release_and_exports)
{
	write_vmlinux();
	ck_assert_int_eq(system(packings[_i].command), 0);
	write_bzimage("payload", packings[_i].trailer_bytes);
	check_made_kernel("bzImage");
}
END_TEST

START_TEST(vmlinux_is_read_plain_and_compressed_as_a_whole)
{
	write_vmlinux();
	check_made_kernel("vmlinux");
	ck_assert_int_eq(system("gzip -k vmlinux"), 0);
	check_made_kernel("vmlinux.gz");
}
END_TEST

START_TEST(lzo_is_refused_by_its_name)
{
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct kernel_files files = { .kernel = "bzImage" };
	struct err err = { 0 };

	write_file("payload", "\x89LZO\0\r\n\x1a\n", 9);
	write_bzimage("payload", 0);
	ck_assert(!kernel_open(&kernel, &files, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "lzo"));
}
END_TEST

START_TEST(what_is_no_kernel_or_is_cut_off_is_refused)
{
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct kernel_files files = { .kernel = "bzImage" };
	struct err err = { 0 };

	write_file("bzImage", "#!/bin/sh\n", 10);
	ck_assert(!kernel_open(&kernel, &files, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	write_vmlinux();
	write_bzimage("vmlinux", 5000);
	ck_assert(!kernel_open(&kernel, &files, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
	files.kernel = "none";
	ck_assert(!kernel_open(&kernel, &files, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(arm64_image_takes_its_exports_from_module_symvers)
{
	static const char symvers[] = "0x11223344\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n"
				      "0x00000001\tother\tdrivers/x\tEXPORT_SYMBOL\n"
				      "0x00000002\tgpl\tvmlinux\tEXPORT_SYMBOL_GPL\tNS\n";
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct kernel_files files = { .kernel = "Image", .symvers = "Module.symvers" };
	struct err err = { 0 };
	char image[256] = { 0 };

	memcpy(image + 0x38, "ARM\x64", 4);
	memcpy(image + 0x60, made_banner, sizeof(made_banner));
	write_file("Image", image, sizeof(image));
	write_file("Module.symvers", symvers, sizeof(symvers) - 1);
	ck_assert_msg(kernel_open(&kernel, &files, &err), "%s", err.msg);
	ck_assert_uint_eq(kernel.machine, EM_AARCH64);
	ck_assert_uint_eq(kernel.exports.count, 2);
	const struct export *gpl = export_table_find(&kernel.exports, view_of("gpl"));

	ck_assert(gpl && gpl->is_gpl && gpl->crc == 2);
}
END_TEST

START_TEST(configuration_beside_the_kernel_is_found_by_its_release)
{
	static const char config[] = "CONFIG_MODULES=y\nCONFIG_DRM=m\n# CONFIG_I2C is not set\n"
				     "CONFIG_NR_CPUS=64\n";
	CLEANUP(kernel_freep) struct kernel without = KERNEL_NONE, with = KERNEL_NONE;
	struct kernel_files files = { .kernel = "vmlinux" };
	struct err err = { 0 };

	write_vmlinux();
	ck_assert(kernel_open(&without, &files, &err));
	ck_assert_int_eq(kernel_option(&without, "CONFIG_MODULES"), OPTION_UNKNOWN);
	write_file("config-6.1.0-made", config, sizeof(config) - 1);
	ck_assert(kernel_open(&with, &files, &err));
	ck_assert_int_eq(kernel_option(&with, "CONFIG_MODULES"), OPTION_ON);
	ck_assert_int_eq(kernel_option(&with, "CONFIG_DRM"), OPTION_MODULE);
	ck_assert_int_eq(kernel_option(&with, "CONFIG_I2C"), OPTION_OFF);
	ck_assert_int_eq(kernel_option(&with, "CONFIG_NR_CPUS"), OPTION_ON);
	ck_assert_int_eq(kernel_option(&with, "CONFIG_NR"), OPTION_OFF);
}
END_TEST

START_TEST(configuration_inside_the_kernel_is_unpacked)
{
	CLEANUP(bytes_freep) struct bytes packed = bytes_capped(1 << 16);
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct kernel_files files = { .kernel = "vmlinux" };
	struct err err = { 0 };
	char image[MADE_KERNEL_BYTES];

	ck_assert_int_eq(system("echo CONFIG_INSIDE=y | gzip -n > config.gz"), 0);
	ck_assert(file_slurp(&packed, AT_FDCWD, "config.gz", &err));
	made_kernel(image);
	memcpy(image + 0x800, "IKCFG_ST", 8);
	memcpy(image + 0x808, packed.data, packed.len);
	memcpy(image + 0x808 + packed.len, "IKCFG_ED", 8);
	write_file("vmlinux", image, sizeof(image));
	ck_assert_msg(kernel_open(&kernel, &files, &err), "%s", err.msg);
	ck_assert_int_eq(kernel_option(&kernel, "CONFIG_INSIDE"), OPTION_ON);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kernel");
	TCase *files = tcase_create("files");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(files, enter_folder, leave_folder);
	tcase_add_loop_test(files, bzimage_of_each_compression_gives_release_and_exports, 0,
			    PACKING_COUNT);
	tcase_add_test(files, vmlinux_is_read_plain_and_compressed_as_a_whole);
	tcase_add_test(files, lzo_is_refused_by_its_name);
	tcase_add_test(files, what_is_no_kernel_or_is_cut_off_is_refused);
	tcase_add_test(files, arm64_image_takes_its_exports_from_module_symvers);
	tcase_add_test(files, configuration_beside_the_kernel_is_found_by_its_release);
	tcase_add_test(files, configuration_inside_the_kernel_is_unpacked);
	suite_add_tcase(suite, files);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
