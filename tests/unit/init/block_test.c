#include "init/block.h"

#include <string.h>
#include <unistd.h>

#include "init/device_mapper.h"
#include "init/ending.h"
#include "init/partition.h"
#include "init/settings_source.h"
#include "made_root.h"
#include "suite.h"

static struct err err;

/* In place of a device node, which a test may not make, stands a file. */
static void put_disk(const char *name, const char *serial, const char *content)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/class/block/%s/size", name);
	made_root_put(path, "2048\n");
	snprintf(path, sizeof(path), "sys/class/block/%s/serial", name);
	made_root_put(path, serial);
	snprintf(path, sizeof(path), "dev/%s", name);
	made_root_put(path, content);
}

START_TEST(disks_are_listed_in_order_without_empty_ones)
{
	CLEANUP(block_names_freep) struct block_names names = { 0 };

	put_disk("vdb", "", "");
	put_disk("vda", "", "");
	made_root_put("sys/class/block/loop0/size", "0\n");
	ck_assert(block_list(&names, made_root, &err));
	ck_assert_uint_eq(names.count, 2);
	ck_assert_str_eq(names.items[0], "vda");
}
END_TEST

START_TEST(machine_without_disks_has_none)
{
	CLEANUP(block_names_freep) struct block_names names = { 0 };

	ck_assert(block_list(&names, made_root, &err));
	ck_assert_uint_eq(names.count, 0);
}
END_TEST

START_TEST(disk_is_found_by_serial)
{
	char path[64];

	put_disk("vda", "one\n", "");
	ck_assert(block_find(made_root, view_of("SERIAL=one"), path));
	ck_assert_str_eq(path, "/dev/vda");
	ck_assert(!block_find(made_root, view_of("SERIAL=on"), path));
	ck_assert(!block_find(made_root, view_of("SERIAL="), path));
	ck_assert(!block_find(made_root, view_of("LABEL="), path));
	ck_assert(!block_find(made_root, view_of("/dev/vda"), path)); /* a file is no disk */
}
END_TEST

/* As sysfs has it: sys/class/block/vda1 is a link into the disk's folder. */
START_TEST(partition_is_found_by_its_disks_table)
{
	char table[PARTITION_TABLE_BYTES], path[64];

	memset(table, 'x', sizeof(table));
	memcpy(table + 440, "\x78\x56\x34\x12", 4);
	memcpy(table + 510, "\x55\xaa", 2);
	table[sizeof(table) - 1] = '\0';
	put_disk("vda", "", table);
	made_root_put("sys/devices/pci/block/vda/vda1/partition", "1\n");
	made_root_put("sys/devices/pci/block/vda/vda1/size", "8\n");
	ck_assert_int_eq(symlinkat("../../devices/pci/block/vda/vda1", made_root,
				   "sys/class/block/vda1"), 0);
	ck_assert(!block_find(made_root, view_of("PARTUUID=12345678-01"), path)); /* too short */
	table[sizeof(table) - 1] = 'x';
	ck_assert(file_write_whole(made_root, "dev/vda", 0644,
				   (struct view){ table, sizeof(table) }, &err));
	ck_assert(block_find(made_root, view_of("PARTUUID=12345678-01"), path));
	ck_assert_str_eq(path, "/dev/vda1");
	ck_assert(!block_find(made_root, view_of("PARTUUID=12345678-02"), path));
	ck_assert(!block_find(made_root, view_of("PARTUUID="), path));
}
END_TEST

static bool gather(struct settings *settings, const char *cmdline)
{
	return settings_gather(settings, made_root, view_of(cmdline), false, &err);
}

START_TEST(broken_settings_disk_is_a_failure_by_its_serial)
{
	CLEANUP(settings_freep) struct settings settings = { 0 };

	put_disk("vdb", "vmbake-run\n", "something else that is long enough");
	ck_assert(!gather(&settings, ""));
	ck_assert_ptr_nonnull(strstr(err.msg, "settings disk vdb"));
}
END_TEST

START_TEST(machine_without_settings_disk_has_the_command_line)
{
	CLEANUP(settings_freep) struct settings settings = { 0 };

	put_disk("vda", "", "an image");
	ck_assert(gather(&settings, "vmbake.hostname=x"));
	ck_assert_str_eq(settings.hostname, "x");
}
END_TEST

START_TEST(two_settings_disks_are_a_failure)
{
	CLEANUP(settings_freep) struct settings settings = { 0 };

	put_disk("vda", "vmbake-run\n", "");
	put_disk("vdb", "vmbake-run\n", "");
	ck_assert(!gather(&settings, ""));
	ck_assert_ptr_nonnull(strstr(err.msg, "vda and vdb"));
}
END_TEST

START_TEST(firecracker_ends_by_reboot_and_others_by_power_off)
{
	made_root_put("sys/firmware/acpi/tables/FACP", "FACPxxxx..FIRECKFCVMFADT");
	ck_assert_int_eq(ending_method_of_machine(made_root), END_BY_REBOOT);
	made_root_put("sys/firmware/acpi/tables/FACP", "FACPxxxx..BOCHS BXPC    ");
	ck_assert_int_eq(ending_method_of_machine(made_root), END_BY_POWER_OFF);
	made_root_put("sys/firmware/acpi/tables/FACP", "FACP");
	ck_assert_int_eq(ending_method_of_machine(made_root), END_BY_POWER_OFF);
}
END_TEST

START_TEST(mapped_device_is_read_as_the_kernel_reads_it)
{
	struct view rest = view_of("a,,4,ro,0 8 verity 1 /dev/vda x, 8 16 zero;b,u,,rw,0 1 zero");
	struct mapped_device device;

	ck_assert_msg(mapped_device_parse(&device, &rest, &err), "%s", err.msg);
	ck_assert(view_equal(device.name, "a") && device.is_read_only);
	ck_assert_uint_eq(device.table_count, 2);
	ck_assert(view_equal(device.tables[0].arguments, "1 /dev/vda x"));
	ck_assert_uint_eq(device.tables[1].start, 8);
	ck_assert(mapped_device_parse(&device, &rest, &err));
	ck_assert(view_equal(device.uuid, "u") && !device.is_read_only);
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

static const char *const broken_maps[] = {
	"a", "a,,,ro", ",,,ro,0 1 zero", "a,,,ro,0 x zero", "a,,,ro,0 1",
	"a,,,ro,0 1 a-target-with-a-very-long-name",
	"a,,,rw,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,0 1 z,"
	"0 1 z,0 1 z,0 1 z,0 1 z",
};

START_TEST(each_broken_map_is_refused)
{
	struct view rest = view_of(broken_maps[_i]);
	struct mapped_device device;

	ck_assert(!mapped_device_parse(&device, &rest, &err));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("block");

	tcase_add_checked_fixture(tests, made_root_start, made_root_end);
	tcase_add_test(tests, disks_are_listed_in_order_without_empty_ones);
	tcase_add_test(tests, machine_without_disks_has_none);
	tcase_add_test(tests, disk_is_found_by_serial);
	tcase_add_test(tests, partition_is_found_by_its_disks_table);
	tcase_add_test(tests, broken_settings_disk_is_a_failure_by_its_serial);
	tcase_add_test(tests, machine_without_settings_disk_has_the_command_line);
	tcase_add_test(tests, two_settings_disks_are_a_failure);
	tcase_add_test(tests, firecracker_ends_by_reboot_and_others_by_power_off);
	tcase_add_test(tests, mapped_device_is_read_as_the_kernel_reads_it);
	tcase_add_loop_test(tests, each_broken_map_is_refused, 0,
			    sizeof(broken_maps) / sizeof(broken_maps[0]));
	return suite_run(tests, "block");
}
