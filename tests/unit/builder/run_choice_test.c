#include "builder/run/vmm_choice.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

static struct vmm_host host;
static struct vmm_wish wish;
static struct vmm_choice choice;
static struct err err;

/* A host with everything, and a machine that everything can run. */
static void start(void)
{
	host = (struct vmm_host){ .has_program = { true, true, true },
				  .has_kvm = true,
				  .cpu = EM_X86_64 };
	wish = (struct vmm_wish){ .cpu = EM_X86_64, .is_elf = true, .cpu_count = 1 };
	err = (struct err){ 0 };
}

static void take_kvm(void)
{
	host.has_kvm = false;
	snprintf(host.why_no_kvm, sizeof(host.why_no_kvm), "open /dev/kvm: Permission denied");
}

static void choose(enum vmm vmm, bool has_kvm)
{
	ck_assert_msg(vmm_choose(&choice, &wish, &host, &err), "%s", err.msg);
	ck_assert_int_eq(choice.vmm, vmm);
	ck_assert_int_eq(choice.has_kvm, has_kvm);
}

static void refuse(enum err_kind kind, const char *part)
{
	ck_assert(!vmm_choose(&choice, &wish, &host, &err));
	ck_assert_int_eq(err.kind, kind);
	ck_assert_msg(strstr(err.msg, part) != NULL, "%s", err.msg);
}

START_TEST(auto_takes_the_first_that_is_here)
{
	choose(VMM_QEMU, true);
	ck_assert_str_eq(choice.note, "");
	host.has_program[VMM_QEMU] = false;
	choose(VMM_CLOUD_HYPERVISOR, true);
	host.has_program[VMM_CLOUD_HYPERVISOR] = false;
	choose(VMM_FIRECRACKER, true);
}
END_TEST

START_TEST(auto_names_what_to_install_when_nothing_is_here)
{
	memset(host.has_program, 0, sizeof(host.has_program));
	refuse(ERR_NOT_FOUND, "qemu-system-x86");
}
END_TEST

START_TEST(auto_says_why_the_only_one_here_cannot)
{
	host.has_program[VMM_QEMU] = host.has_program[VMM_CLOUD_HYPERVISOR] = false;
	wish.gpu_count = 1;
	refuse(ERR_UNSUPPORTED, "no GPU");
	wish.gpu_count = 0;
	take_kvm();
	refuse(ERR_UNSUPPORTED, "firecracker needs KVM: open /dev/kvm: Permission denied");
}
END_TEST

START_TEST(qemu_emulates_without_kvm_and_says_so)
{
	take_kvm();
	choose(VMM_QEMU, false);
	ck_assert_ptr_nonnull(strstr(choice.note, "Permission denied"));
}
END_TEST

START_TEST(emulation_that_was_asked_for_needs_no_note)
{
	wish.accel = "tcg";
	choose(VMM_QEMU, false);
	ck_assert_str_eq(choice.note, "");
}
END_TEST

START_TEST(guest_of_another_architecture_is_emulated)
{
	wish.cpu = EM_AARCH64;
	choose(VMM_QEMU, false);
	wish.vmm = "cloud-hypervisor";
	refuse(ERR_UNSUPPORTED, "architecture");
}
END_TEST

START_TEST(vmm_that_is_named_and_not_here_is_not_found)
{
	host.has_program[VMM_FIRECRACKER] = false;
	wish.vmm = "firecracker";
	refuse(ERR_NOT_FOUND, "github.com/firecracker-microvm");
}
END_TEST

START_TEST(kvm_that_is_asked_for_has_to_be_there)
{
	wish.accel = "kvm";
	choose(VMM_QEMU, true);
	take_kvm();
	refuse(ERR_UNSUPPORTED, "Permission denied");
}
END_TEST

START_TEST(others_than_qemu_do_not_emulate)
{
	wish.vmm = "firecracker";
	wish.accel = "tcg";
	refuse(ERR_UNSUPPORTED, "KVM");
}
END_TEST

START_TEST(gpu_is_for_kvm_alone)
{
	wish.gpu_count = 1;
	choose(VMM_QEMU, true);
	wish.vmm = "firecracker";
	refuse(ERR_UNSUPPORTED, "cloud-hypervisor and qemu do");
	wish.vmm = "qemu";
	take_kvm();
	refuse(ERR_UNSUPPORTED, "to hand over a GPU");
}
END_TEST

START_TEST(firecracker_has_its_own_limits)
{
	wish.vmm = "firecracker";
	wish.is_elf = false;
	refuse(ERR_UNSUPPORTED, "vmlinux");
	wish.is_elf = true;
	wish.cpu_count = 3;
	refuse(ERR_UNSUPPORTED, "even number");
	wish.cpu_count = 34;
	refuse(ERR_UNSUPPORTED, "34");
	wish.cpu_count = 32;
	choose(VMM_FIRECRACKER, true);
}
END_TEST

START_TEST(what_is_only_printed_need_not_be_here)
{
	memset(host.has_program, 0, sizeof(host.has_program));
	take_kvm();
	wish.only_prints = true;
	wish.vmm = "firecracker";
	choose(VMM_FIRECRACKER, true);
	wish.vmm = "qemu";
	choose(VMM_QEMU, false);
	wish.accel = "kvm";
	choose(VMM_QEMU, true);
}
END_TEST

START_TEST(words_that_are_none_are_named)
{
	wish.vmm = "xen";
	refuse(ERR_USAGE, "xen");
	wish.vmm = "auto";
	wish.accel = "hvf";
	refuse(ERR_USAGE, "hvf");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_choice");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, start, NULL);
	tcase_add_test(all, auto_takes_the_first_that_is_here);
	tcase_add_test(all, auto_names_what_to_install_when_nothing_is_here);
	tcase_add_test(all, auto_says_why_the_only_one_here_cannot);
	tcase_add_test(all, qemu_emulates_without_kvm_and_says_so);
	tcase_add_test(all, emulation_that_was_asked_for_needs_no_note);
	tcase_add_test(all, guest_of_another_architecture_is_emulated);
	tcase_add_test(all, vmm_that_is_named_and_not_here_is_not_found);
	tcase_add_test(all, kvm_that_is_asked_for_has_to_be_there);
	tcase_add_test(all, others_than_qemu_do_not_emulate);
	tcase_add_test(all, gpu_is_for_kvm_alone);
	tcase_add_test(all, firecracker_has_its_own_limits);
	tcase_add_test(all, what_is_only_printed_need_not_be_here);
	tcase_add_test(all, words_that_are_none_are_named);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
