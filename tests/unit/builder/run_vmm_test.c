#include "builder/run/vmm.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static struct machine machine;
static struct words words;
static struct bytes text;
static struct json_t *config;
static struct err err;

static void start(void)
{
	machine = (struct machine){ .vmm = VMM_QEMU,
				    .cpu = EM_X86_64,
				    .has_kvm = true,
				    .root = ROOT_SNAPSHOT,
				    .image = "/i.ext4",
				    .kernel = "/vmlinuz",
				    .config = "/run/firecracker.json",
				    .memory_mib = 512,
				    .cpu_count = 1 };
	words = WORDS_NONE;
	text = bytes_capped(64 << 10);
	config = NULL;
}

static void end(void)
{
	words_freep(&words);
	bytes_freep(&text);
	json_freep(&config);
}

static const char *line(void)
{
	words_freep(&words);
	words = WORDS_NONE;
	bytes_clear(&text);
	ck_assert_msg(vmm_words(&words, &machine, &err), "%s", err.msg);
	ck_assert(words_quote(&text, &words, &err));
	return text.data;
}

static const char *arguments(void)
{
	bytes_clear(&text);
	ck_assert_msg(vmm_kernel_arguments(&text, &machine, &err), "%s", err.msg);
	return text.data;
}

static bool has(const char *where, const char *part)
{
	return strstr(where, part) != NULL;
}

static void give_all(void)
{
	machine.initrd = "/initrd";
	machine.settings = "/run/settings.img";
	machine.report_socket = "/run/report";
	machine.api_socket = "/run/api";
	machine.append = "debug";
}

START_TEST(qemu_is_told_of_the_smallest_machine)
{
	ck_assert_str_eq(line(), "qemu-system-x86_64 -M q35 -accel kvm -cpu host -smp 1 -m 512M "
		"-nodefaults -no-user-config -display none -no-reboot -chardev stdio,id=console "
		"-serial chardev:console "
		"-drive file=/i.ext4,format=raw,if=none,id=root,snapshot=on "
		"-device virtio-blk-pci,drive=root -kernel /vmlinuz -append 'console=ttyS0 "
		"root=/dev/vda rw init=/.vmbake/init quiet panic=-1'");
}
END_TEST

START_TEST(qemu_is_told_of_all_there_is)
{
	const char *const gpus[] = { "0000:01:00.0", "0000:02:00.0" };

	give_all();
	machine.gpus = gpus;
	machine.gpu_count = 2;
	machine.has_terminal = true;
	line();
	ck_assert(has(text.data, "-cpu host,host-phys-bits=on "));
	ck_assert(has(text.data, "-chardev stdio,id=console,signal=off "));
	ck_assert(has(text.data, "-drive file=/run/settings.img,format=raw,if=none,id=settings,"
				 "readonly=on -device virtio-blk-pci,drive=settings,"
				 "serial=vmbake-run "));
	ck_assert(has(text.data, "-chardev socket,id=report,path=/run/report,server=on,wait=off "
				 "-device virtserialport,chardev=report,name=vmbake "));
	ck_assert(has(text.data, "-device pcie-root-port,id=gpu1,chassis=2 "
				 "-device vfio-pci,host=0000:02:00.0,bus=gpu1 "));
	ck_assert(has(text.data, "-initrd /initrd "));
	ck_assert(has(text.data, " vmbake.report-port=vmbake debug'"));
	ck_assert(!has(text.data, "init=/"));
}
END_TEST

START_TEST(qemu_emulates_an_arm64_guest)
{
	machine.cpu = EM_AARCH64;
	machine.has_kvm = false;
	line();
	ck_assert(has(text.data, "qemu-system-aarch64 -M virt -accel tcg -cpu max "));
	ck_assert(has(text.data, "console=ttyAMA0 "));
}
END_TEST

START_TEST(commas_in_paths_stay_parts_of_paths)
{
	machine.image = "/a,b/i.ext4";
	ck_assert(has(line(), "file=/a,,b/i.ext4,format=raw"));
	machine.vmm = VMM_CLOUD_HYPERVISOR;
	ck_assert(has(line(), "'path=\"/a,b/i.ext4\",readonly=on'"));
	machine.image = "/a\"b.ext4";
	ck_assert(has(line(), "'path=\"/a\"\"b.ext4\",readonly=on'"));
}
END_TEST

START_TEST(hostile_paths_stay_one_word)
{
	machine.kernel = "/k 'q' $(id)\n;rm -rf";
	ck_assert(has(line(), "-kernel '/k '\\''q'\\'' $(id)\n;rm -rf' -append"));
	ck_assert_str_eq(words.text.data, "qemu-system-x86_64");
	ck_assert_uint_eq(words.count, 28);
}
END_TEST

START_TEST(cloud_hypervisor_is_told_of_all_there_is)
{
	const char *const gpus[] = { "0000:01:00.0", "0000:02:00.0" };

	give_all();
	machine.vmm = VMM_CLOUD_HYPERVISOR;
	machine.root = ROOT_OVERLAY;
	machine.cpu_count = 3;
	machine.gpus = gpus;
	machine.gpu_count = 2;
	ck_assert_str_eq(line(), "cloud-hypervisor --kernel /vmlinuz --initramfs /initrd --cmdline "
		"'console=ttyS0 root=/dev/vda ro quiet vmbake.overlay=tmpfs "
		"vmbake.report-vsock-port=1024 debug' --cpus boot=3 --memory size=512M --disk "
		"path=/i.ext4,readonly=on path=/run/settings.img,readonly=on,serial=vmbake-run "
		"--serial tty --console off --vsock cid=3,socket=/run/report --api-socket "
		"path=/run/api --device path=/sys/bus/pci/devices/0000:01:00.0/ "
		"path=/sys/bus/pci/devices/0000:02:00.0/");
}
END_TEST

static const struct json_t *at(const char *key)
{
	const struct json_t *object = NULL;

	ck_assert_msg(json_need_object(config, key, &object, &err), "%s", err.msg);
	return object;
}

static const char *text_at(const struct json_t *object, const char *key)
{
	const char *value = NULL;

	ck_assert_msg(json_need_string(object, key, &value, &err), "%s", err.msg);
	return value;
}

static uint64_t size_at(const struct json_t *object, const char *key)
{
	uint64_t value = 0;

	ck_assert_msg(json_need_size(object, key, &value, &err), "%s", err.msg);
	return value;
}

/* The names and the required members are those of Firecracker's own API description. */
START_TEST(firecracker_gets_every_member_that_its_api_requires)
{
	const struct json_t *drives = NULL;
	bool is_read_only = false;

	give_all();
	machine.vmm = VMM_FIRECRACKER;
	machine.root = ROOT_OVERLAY;
	ck_assert(vmm_firecracker_config(&config, &machine, &err));
	ck_assert_str_eq(text_at(at("boot-source"), "kernel_image_path"), "/vmlinuz");
	ck_assert_str_eq(text_at(at("boot-source"), "initrd_path"), "/initrd");
	ck_assert_str_eq(text_at(at("boot-source"), "boot_args"),
			 "console=ttyS0 root=/dev/vda ro quiet reboot=k panic=-1 "
			 "vmbake.overlay=tmpfs vmbake.report-vsock-port=1024 debug");
	ck_assert_uint_eq(size_at(at("machine-config"), "vcpu_count"), 1);
	ck_assert_uint_eq(size_at(at("machine-config"), "mem_size_mib"), 512);
	ck_assert_uint_eq(size_at(at("vsock"), "guest_cid"), 3);
	ck_assert_str_eq(text_at(at("vsock"), "uds_path"), "/run/report");
	ck_assert(json_need_array(config, "drives", &drives, &err));
	ck_assert_uint_eq(json_count(drives), 2);
	ck_assert_str_eq(text_at(json_item(drives, 0), "path_on_host"), "/i.ext4");
	ck_assert_str_eq(text_at(json_item(drives, 0), "drive_id"), "root");
	ck_assert(json_has(json_item(drives, 0), "is_root_device"));
	ck_assert(json_want_bool(json_item(drives, 0), "is_read_only", &is_read_only, &err));
	ck_assert(is_read_only);
	ck_assert_str_eq(text_at(json_item(drives, 1), "path_on_host"), "/run/settings.img");
	ck_assert_str_eq(line(), "firecracker --config-file /run/firecracker.json --level Error "
				 "--api-sock /run/api");
}
END_TEST

START_TEST(firecracker_gets_no_more_than_there_is)
{
	void *position = NULL;
	const struct json_t *value;
	const char *name;
	size_t count = 0;

	machine.vmm = VMM_FIRECRACKER;
	machine.root = ROOT_WRITTEN;
	ck_assert(vmm_firecracker_config(&config, &machine, &err));
	while (json_next_member(config, &position, &name, &value))
		count++;
	ck_assert_uint_eq(count, 3);
	ck_assert(!json_has(at("boot-source"), "initrd_path"));
	ck_assert(has(text_at(at("boot-source"), "boot_args"), "rw init=/.vmbake/init "));
}
END_TEST

START_TEST(firecracker_is_not_given_another_path_than_the_one_meant)
{
	machine.vmm = VMM_FIRECRACKER;
	machine.image = "/i\xff.ext4";
	ck_assert(!vmm_firecracker_config(&config, &machine, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(kernel_arguments_say_how_the_root_is_written)
{
	ck_assert(has(arguments(), "root=/dev/vda rw "));
	machine.root = ROOT_OVERLAY;
	ck_assert(has(arguments(), "root=/dev/vda ro "));
	ck_assert(has(text.data, "vmbake.overlay=tmpfs"));
	machine.has_kvm = false;
	ck_assert(has(arguments(), "no_timer_check"));
}
END_TEST

START_TEST(more_arguments_than_a_kernel_takes_are_refused)
{
	char append[KERNEL_ARGUMENTS_MAX];

	memset(append, 'x', sizeof(append) - 1);
	append[sizeof(append) - 1] = '\0';
	machine.append = append;
	ck_assert(!vmm_kernel_arguments(&text, &machine, &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_vmm");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, end);
	tcase_add_test(all, qemu_is_told_of_the_smallest_machine);
	tcase_add_test(all, qemu_is_told_of_all_there_is);
	tcase_add_test(all, qemu_emulates_an_arm64_guest);
	tcase_add_test(all, commas_in_paths_stay_parts_of_paths);
	tcase_add_test(all, hostile_paths_stay_one_word);
	tcase_add_test(all, cloud_hypervisor_is_told_of_all_there_is);
	tcase_add_test(all, firecracker_gets_every_member_that_its_api_requires);
	tcase_add_test(all, firecracker_gets_no_more_than_there_is);
	tcase_add_test(all, firecracker_is_not_given_another_path_than_the_one_meant);
	tcase_add_test(all, kernel_arguments_say_how_the_root_is_written);
	tcase_add_test(all, more_arguments_than_a_kernel_takes_are_refused);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
