#include "drivers/kernel/kernel_facts.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "made_kernel.h"

static char folder[] = "/tmp/kernel-facts-test-XXXXXX";
static struct kernel kernel;
static struct bytes facts;
static int dir_fd = -1;
static struct err err;

static void write_file(const char *name, const char *data, size_t len)
{
	ck_assert(file_write_whole(AT_FDCWD, name, 0644, (struct view){ data, len }, &err));
}

static void begin(void)
{
	static const char config[] = "CONFIG_MODULES=y\n";
	char vmlinux[MADE_KERNEL_BYTES];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	made_kernel(vmlinux);
	write_file("vmlinux", vmlinux, sizeof(vmlinux));
	write_file("config", config, sizeof(config) - 1);
	ck_assert(file_make_dirs(AT_FDCWD, "kernels", 0755, &err));
	ck_assert(file_open(&dir_fd, AT_FDCWD, "kernels", O_RDONLY | O_DIRECTORY, &err));
	kernel = KERNEL_NONE;
	facts = bytes_capped(1 << 20);
	err = (struct err){ 0 };
}

static void end(void)
{
	kernel_freep(&kernel);
	bytes_freep(&facts);
	fd_closep(&dir_fd);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert(file_remove_tree(AT_FDCWD, folder, &err));
}

static void check_made(const struct kernel *got)
{
	const struct export *plain = export_table_find(&got->exports, view_of("printk"));
	const struct export *gpl = export_table_find(&got->exports, view_of("pci_gpl_thing"));

	ck_assert_str_eq(got->release, "6.1.0-made");
	ck_assert_uint_eq(got->machine, EM_X86_64);
	ck_assert(view_equal(got->vermagic, "6.1.0-made SMP mod_unload "));
	ck_assert_uint_eq(got->exports.count, 2);
	ck_assert(plain && plain->has_crc && plain->crc == 0x11223344 && !plain->is_gpl);
	ck_assert(gpl && gpl->has_crc && gpl->crc == 0x55667788 && gpl->is_gpl);
}

static void open_kernel(const char *config)
{
	struct kernel_files files = { .kernel = "vmlinux", .config = config };

	kernel_freep(&kernel);
	kernel = KERNEL_NONE;
	ck_assert_msg(kernel_facts_open(&kernel, dir_fd, &files, NULL, &err), "%s", err.msg);
}

/* The only file in the folder. */
static void find_kept(char out[300])
{
	DIR *dir = opendir("kernels");
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(out, 300, "kernels/%s", entry->d_name);
		count++;
	}
	closedir(dir);
	ck_assert_int_eq(count, 1);
}

START_TEST(facts_are_the_kernels_own)
{
	CLEANUP(kernel_freep) struct kernel again = KERNEL_NONE;

	open_kernel("config");
	ck_assert(kernel_facts_print(&facts, &kernel, &err));
	ck_assert_msg(kernel_facts_parse(&again, bytes_view(&facts), &err), "%s", err.msg);
	check_made(&again);
	ck_assert_int_eq(kernel_option(&again, "CONFIG_MODULES"), OPTION_ON);
	ck_assert_int_eq(kernel_option(&again, "CONFIG_PCI"), OPTION_OFF);
}
END_TEST

START_TEST(kept_facts_are_used_instead_of_the_kernel)
{
	char path[300];

	open_kernel("config");
	check_made(&kernel);
	snprintf(kernel.release, sizeof(kernel.release), "from-the-facts");
	ck_assert(kernel_facts_print(&facts, &kernel, &err));
	find_kept(path);
	write_file(path, facts.data, facts.len);
	open_kernel("config");
	ck_assert_str_eq(kernel.release, "from-the-facts");
}
END_TEST

START_TEST(damaged_facts_are_made_again)
{
	char path[300];

	open_kernel(NULL);
	find_kept(path);
	write_file(path, "vmbakeK", 8);
	open_kernel(NULL);
	check_made(&kernel);
	ck_assert(file_slurp(&facts, AT_FDCWD, path, &err));
	ck_assert_uint_gt(facts.len, 100);
}
END_TEST

/* A config beside the kernel may change while the kernel stays what it is. */
START_TEST(configuration_beside_the_kernel_is_read_each_time)
{
	open_kernel(NULL);
	ck_assert_int_eq(kernel_option(&kernel, "CONFIG_DRM"), OPTION_UNKNOWN);
	write_file("config-6.1.0-made", "CONFIG_DRM=m\n", 13);
	open_kernel(NULL);
	ck_assert_int_eq(kernel_option(&kernel, "CONFIG_DRM"), OPTION_MODULE);
	write_file("config-6.1.0-made", "CONFIG_DRM=y\n", 13);
	open_kernel(NULL);
	ck_assert_int_eq(kernel_option(&kernel, "CONFIG_DRM"), OPTION_ON);
}
END_TEST

START_TEST(another_configuration_is_another_kernel)
{
	open_kernel("config");
	ck_assert_int_eq(kernel_option(&kernel, "CONFIG_PCI"), OPTION_OFF);
	write_file("config", "CONFIG_PCI=y\n", 13);
	open_kernel("config");
	ck_assert_int_eq(kernel_option(&kernel, "CONFIG_PCI"), OPTION_ON);
}
END_TEST

START_TEST(every_flipped_byte_and_every_cut_is_noticed)
{
	open_kernel("config");
	ck_assert(kernel_facts_print(&facts, &kernel, &err));
	for (size_t i = 0; i < facts.len; i++) {
		CLEANUP(kernel_freep) struct kernel flipped = KERNEL_NONE, cut = KERNEL_NONE;

		facts.data[i] ^= 0x10;
		ck_assert(!kernel_facts_parse(&flipped, bytes_view(&facts), &err));
		ck_assert_int_eq(err.kind, ERR_INTEGRITY);
		facts.data[i] ^= 0x10;
		ck_assert(!kernel_facts_parse(&cut, (struct view){ facts.data, i }, &err));
		ck_assert_int_eq(err.kind, ERR_INTEGRITY);
	}
}
END_TEST

START_TEST(without_a_folder_the_kernel_itself_is_read)
{
	struct kernel_files files = { .kernel = "vmlinux" }, none = { .kernel = "none" };

	ck_assert(kernel_facts_open(&kernel, -1, &files, NULL, &err));
	check_made(&kernel);
	ck_assert(!kernel_facts_open(&kernel, dir_fd, &none, NULL, &err));
	ck_assert_int_eq(err.kind, ERR_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kernel_facts");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, facts_are_the_kernels_own);
	tcase_add_test(all, kept_facts_are_used_instead_of_the_kernel);
	tcase_add_test(all, damaged_facts_are_made_again);
	tcase_add_test(all, configuration_beside_the_kernel_is_read_each_time);
	tcase_add_test(all, another_configuration_is_another_kernel);
	tcase_add_test(all, every_flipped_byte_and_every_cut_is_noticed);
	tcase_add_test(all, without_a_folder_the_kernel_itself_is_read);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
