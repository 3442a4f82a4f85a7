#include "init/gpu_nodes.h"
#include "init/gpu_scan.h"
#include "init/gpu_verdict.h"

#include <string.h>
#include <sys/stat.h>

#include "init/kernel_log.h"
#include "made_root.h"
#include "suite.h"

static struct gpu_scan scan;
static struct gpu_nodes nodes;
static struct arena arena;
static struct err err;

static void end(void)
{
	arena_freep(&arena);
	made_root_end();
}

#define MAPPED                                                        \
	"0x00000000fb000000 0x00000000fbffffff 0x0000000000040200\n" \
	"0x000000e000000000 0x000000efffffffff 0x000000000014220c\n"
#define UNMAPPED                                                      \
	"0x00000000fb000000 0x00000000fbffffff 0x0000000000040200\n" \
	"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static void put_device(const char *address, const char *vendor, const char *class,
		       const char *resource)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vendor", address);
	made_root_put(path, vendor);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/class", address);
	made_root_put(path, class);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/device", address);
	made_root_put(path, "0x2330\n");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/resource", address);
	made_root_put(path, resource);
}

START_TEST(bus_without_gpu_has_none)
{
	put_device("0000:00:01.0", "0x1af4\n", "0x030000\n", MAPPED);
	put_device("0000:00:02.0", "0x10de\n", "0x040300\n", MAPPED); /* its sound card */
	gpu_scan_bus(&scan, made_root);
	ck_assert_uint_eq(scan.count, 0);
}
END_TEST

START_TEST(gpus_and_switches_are_told_apart_and_ordered)
{
	put_device("0000:00:05.0", "0x10de\n", "0x030200\n", MAPPED);
	put_device("0000:00:04.0", "0x10de\n", "0x068000\n", UNMAPPED);
	put_device("0000:00:03.0", "0x10de\n", "0x030000\n", UNMAPPED);
	gpu_scan_bus(&scan, made_root);
	ck_assert_uint_eq(scan.count, 3);
	ck_assert_uint_eq(scan.gpu_count, 2);
	ck_assert_str_eq(scan.devices[0].address, "0000:00:03.0");
	ck_assert(scan.devices[0].is_unmapped && !scan.devices[2].is_unmapped);
	ck_assert(scan.devices[1].is_nvswitch && !scan.devices[1].is_unmapped);
	ck_assert_uint_eq(scan.devices[2].device_id, 0x2330);
}
END_TEST

START_TEST(driver_that_holds_a_gpu_is_named)
{
	put_device("0000:00:05.0", "0x10de\n", "0x030200\n", MAPPED);
	ck_assert_int_eq(symlinkat("../../../bus/pci/drivers/nouveau", made_root,
				   "sys/bus/pci/devices/0000:00:05.0/driver"),
			 0);
	gpu_scan_bus(&scan, made_root);
	ck_assert_str_eq(scan.devices[0].driver, "nouveau");
}
END_TEST

#define DEVICES                                                                       \
	"Character devices:\n  1 mem\n195 nvidia-frontend\n508 nvidia-uvm\n509 nvidia-caps\n" \
	"\nBlock devices:\n254 virtblk\n507 nvidia-nvlink\n"

START_TEST(majors_are_those_of_character_devices_by_exact_name)
{
	uint32_t major = 0;

	ck_assert(gpu_devices_major(view_of(DEVICES), "nvidia-uvm", &major));
	ck_assert_uint_eq(major, 508);
	ck_assert(!gpu_devices_major(view_of(DEVICES), "nvidia", &major));
	ck_assert(!gpu_devices_major(view_of(DEVICES), "nvidia-nvlink", &major));
	ck_assert(!gpu_devices_major(view_of("Character devices:\nx nvidia\n"), "nvidia", &major));
}
END_TEST

static void list(void)
{
	ck_assert_msg(gpu_nodes_list(&nodes, made_root, &arena, &err), "%s", err.msg);
}

START_TEST(nodes_take_the_drivers_own_numbers)
{
	made_root_put("proc/devices", DEVICES);
	made_root_put("proc/driver/nvidia/gpus/0000:00:05.0/information",
		      "Model: \t\t NVIDIA L40S\nDevice Minor: \t 3\n");
	made_root_put("proc/driver/nvidia/capabilities/mig/config",
		      "DeviceFileMinor: 1\nDeviceFileMode: 256\nDeviceFileModify: 1\n");
	made_root_put("proc/driver/nvidia/params", "DeviceFileMode: 432\nDeviceFileGID: 44\n");
	list();
	ck_assert_uint_eq(nodes.gpu_count, 1);
	ck_assert_str_eq(nodes.nodes[0].path, "/dev/nvidia3");
	ck_assert_uint_eq(nodes.nodes[0].mode, S_IFCHR | 0660);
	ck_assert_uint_eq(nodes.nodes[0].gid, 44);
	ck_assert_str_eq(nodes.nodes[1].path, "/dev/nvidiactl");
	ck_assert_uint_eq(nodes.nodes[1].minor, 255);
	ck_assert_str_eq(nodes.nodes[2].path, "/dev/nvidia-uvm");
	ck_assert_uint_eq(nodes.nodes[2].major, 508);
	ck_assert_str_eq(nodes.nodes[4].path, "/dev/nvidia-caps/nvidia-cap1");
	ck_assert_uint_eq(nodes.nodes[4].mode, S_IFCHR | 0400);
	ck_assert_uint_eq(nodes.count, 5);
}
END_TEST

START_TEST(nodes_are_open_to_all_by_default)
{
	made_root_put("proc/devices", DEVICES);
	list();
	ck_assert_uint_eq(nodes.gpu_count, 0);
	ck_assert_uint_eq(nodes.nodes[0].mode, S_IFCHR | 0666);
}
END_TEST

START_TEST(gpu_without_a_minor_is_a_format_error)
{
	made_root_put("proc/devices", DEVICES);
	made_root_put("proc/driver/nvidia/gpus/0000:00:05.0/information", "Device Minor: 254\n");
	ck_assert(!gpu_nodes_list(&nodes, made_root, &arena, &err));
	ck_assert_int_eq(err.kind, ERR_FORMAT);
}
END_TEST

static const struct {
	const char *log;
	enum gpu_failure failure;
} logs[] = {
	{ "NVRM: No NVIDIA GPU found.\n", GPU_FAILURE_NO_GPU },
	{ "NVRM: GPU 0000:00:05.0 ... 470.xx Legacy\nNVRM: No NVIDIA GPU found.\n",
	  GPU_FAILURE_LEGACY },
	{ "NVRM: BAR1 is 0M @ 0x0 (PCI:0000:00:05.0)\nNVRM: RmInitAdapter failed! (0x61:0x56:1)\n",
	  GPU_FAILURE_BAR },
	{ "NVRM: BAR3 is 0M @ 0x0\n", GPU_FAILURE_NONE },
	{ "nvidia 0000:00:05.0: Direct firmware load for nvidia/535/gsp_ga10x.bin failed with "
	  "error -2\n",
	  GPU_FAILURE_FIRMWARE },
	{ "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x62:0x40:2471)\n", GPU_FAILURE_DIRTY },
	{ "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0x56:1482)\n",
	  GPU_FAILURE_ADAPTER },
	{ "NVRM: Can't find an IRQ for your NVIDIA card!\n", GPU_FAILURE_IRQ },
	{ "NVRM: The NVIDIA GPU 0000:00:01.0 (PCI ID: 10de:26b9) installed in this system is not "
	  "supported by the NVIDIA 535.309.01 driver release.\n",
	  GPU_FAILURE_UNSUPPORTED },
	{ "nvidia: version magic '6.1.0-1 ' should be '6.1.0-2 '\n", GPU_FAILURE_VERMAGIC },
	{ "nvidia: disagrees about version of symbol module_layout\n",
	  GPU_FAILURE_SYMBOL_VERSION },
	{ "nvidia_uvm: Unknown symbol nvUvmInterfaceX (err -2)\n", GPU_FAILURE_SYMBOL },
	{ "Loading of unsigned module is rejected\n", GPU_FAILURE_SIGNATURE },
	{ "NVRM: Xid (PCI:0000:00:05): 79, GPU has fallen off the bus.\n",
	  GPU_FAILURE_OFF_THE_BUS },
	{ "NVRM: API mismatch: the client has the version 1\n", GPU_FAILURE_API_MISMATCH },
	{ "all is well\n", GPU_FAILURE_NONE },
	{ "", GPU_FAILURE_NONE },
};

START_TEST(each_log_has_its_row)
{
	const struct gpu_symptom *symptom = gpu_symptom_in_log(view_of(logs[_i].log));

	ck_assert_int_eq(symptom ? symptom->failure : GPU_FAILURE_NONE, logs[_i].failure);
}
END_TEST

START_TEST(every_failure_has_a_sentence_and_a_hint)
{
	for (int i = GPU_FAILURE_NO_GPU; i <= GPU_FAILURE_FABRIC; i++) {
		const struct gpu_symptom *symptom = gpu_symptom_of((enum gpu_failure)i);

		ck_assert_ptr_nonnull(symptom);
		ck_assert(symptom->sentence[0] && symptom->hint[0]);
	}
}
END_TEST

/* What was known when the entrypoint started, what was logged since, what is known then. */
static const struct {
	enum gpu_failure before;
	const char *log;
	enum gpu_failure after;
} reviews[] = {
	{ GPU_FAILURE_NONE, "NVRM: API mismatch: the client has the version 470.256.02\n",
	  GPU_FAILURE_API_MISMATCH },
	{ GPU_FAILURE_ADAPTER, "NVRM: API mismatch: the client has the version 470.256.02\n",
	  GPU_FAILURE_API_MISMATCH },
	{ GPU_FAILURE_NONE, "NVRM: Xid (PCI:0000:00:05): 79, GPU has fallen off the bus.\n",
	  GPU_FAILURE_OFF_THE_BUS },
	{ GPU_FAILURE_IRQ, "NVRM: API mismatch: the client has the version 470.256.02\n",
	  GPU_FAILURE_IRQ },
	/* Somebody else's module, and a GPU that had its row before. */
	{ GPU_FAILURE_NONE, "other: Unknown symbol x (err -2)\n", GPU_FAILURE_NONE },
	{ GPU_FAILURE_NONE, "", GPU_FAILURE_NONE },
};

START_TEST(what_the_entrypoint_brings_about_is_told_when_it_tells_more)
{
	enum gpu_failure before = reviews[_i].before, after = reviews[_i].after;
	struct gpu_verdict verdict = { .state = before ? GPU_FAILED : GPU_READY,
				       .symptom = gpu_symptom_of(before) };

	ck_assert(gpu_verdict_review(&verdict, view_of(reviews[_i].log)) == (before != after));
	ck_assert_ptr_eq(verdict.symptom, gpu_symptom_of(after));
	ck_assert_int_eq(verdict.state, after ? GPU_FAILED : GPU_READY);
}
END_TEST

START_TEST(log_records_give_their_message)
{
	CLEANUP(bytes_freep) struct bytes log = bytes_capped(256);

	ck_assert(kernel_log_add(&log, view_of("6,339,5140900,-;NVRM: x; y\n KEY=v\n"), &err));
	ck_assert(kernel_log_add(&log, view_of("garbage"), &err));
	ck_assert_str_eq(log.data, "NVRM: x; y\n\n");
}
END_TEST

START_TEST(sentence_over_several_lines_of_the_driver_becomes_one)
{
	CLEANUP(bytes_freep) struct bytes log = bytes_capped(256);

	ck_assert(kernel_log_add(&log,
				 view_of("3,340,5140901,-;NVRM: installed in this system is not "
					 "supported by the\\x0aNVRM: NVIDIA 535.309.01 driver "
					 "release.\\x0aNVRM: Please see\\x0a\n"),
				 &err));
	ck_assert_str_eq(log.data, "NVRM: installed in this system is not supported by the NVIDIA "
				   "535.309.01 driver release. Please see\n");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("gpu");

	tcase_add_checked_fixture(tests, made_root_start, end);
	tcase_add_test(tests, bus_without_gpu_has_none);
	tcase_add_test(tests, gpus_and_switches_are_told_apart_and_ordered);
	tcase_add_test(tests, driver_that_holds_a_gpu_is_named);
	tcase_add_test(tests, majors_are_those_of_character_devices_by_exact_name);
	tcase_add_test(tests, nodes_take_the_drivers_own_numbers);
	tcase_add_test(tests, nodes_are_open_to_all_by_default);
	tcase_add_test(tests, gpu_without_a_minor_is_a_format_error);
	tcase_add_loop_test(tests, each_log_has_its_row, 0, sizeof(logs) / sizeof(logs[0]));
	tcase_add_test(tests, every_failure_has_a_sentence_and_a_hint);
	tcase_add_loop_test(tests, what_the_entrypoint_brings_about_is_told_when_it_tells_more, 0,
			    sizeof(reviews) / sizeof(reviews[0]));
	tcase_add_test(tests, log_records_give_their_message);
	tcase_add_test(tests, sentence_over_several_lines_of_the_driver_becomes_one);
	return suite_run(tests, "gpu");
}
