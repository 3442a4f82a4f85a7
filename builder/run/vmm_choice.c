#include "vmm_choice.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "base/cleanup.h"
#include "base/view.h"

/* As execvp looks, so that what is found here is what will run. */
static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	struct view rest = view_of(path ? path : "/bin:/usr/bin");

	while (rest.ptr) {
		struct view folder = view_cut(&rest, ':');
		char file[4096];
		int len = snprintf(file, sizeof(file), "%.*s%s%s", VIEW_ARGS(folder),
				   folder.len > 0 ? "/" : "", program);

		if (len > 0 && (size_t)len < sizeof(file) && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* There may be a device and no right to it, or a right and no machine to be had. */
static bool can_use_kvm(char why[128])
{
	CLEANUP(fd_closep) int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	CLEANUP(fd_closep) int machine_fd = -1;

	if (fd < 0) {
		snprintf(why, 128, "open /dev/kvm: %s", strerror(errno));
		return false;
	}
	machine_fd = ioctl(fd, KVM_CREATE_VM, 0);
	if (machine_fd < 0) {
		snprintf(why, 128, "/dev/kvm makes no machine: %s", strerror(errno));
		return false;
	}
	why[0] = '\0';
	return true;
}

void vmm_host_look(struct vmm_host *out, uint16_t guest_cpu)
{
#if defined(__x86_64__)
	*out = (struct vmm_host){ .cpu = EM_X86_64 };
#elif defined(__aarch64__)
	*out = (struct vmm_host){ .cpu = EM_AARCH64 };
#else
	*out = (struct vmm_host){ .cpu = EM_NONE };
#endif
	for (int i = 0; i < VMM_COUNT; i++)
		out->has_program[i] = is_in_path(vmm_program((enum vmm)i, guest_cpu));
	out->has_kvm = can_use_kvm(out->why_no_kvm);
}

static const char *origin(enum vmm vmm, uint16_t cpu)
{
	if (vmm == VMM_CLOUD_HYPERVISOR)
		return "github.com/cloud-hypervisor/cloud-hypervisor/releases";
	if (vmm == VMM_FIRECRACKER)
		return "github.com/firecracker-microvm/firecracker/releases";
	return cpu == EM_AARCH64 ? "Debian's package qemu-system-arm" :
				   "Debian's package qemu-system-x86";
}

/* What no host can change. */
MUST_CHECK static bool can_do(enum vmm vmm, const struct vmm_wish *wish, struct err *err)
{
	enum { FIRECRACKER_CPUS_MAX = 32 };
	bool is_firecracker = vmm == VMM_FIRECRACKER;

	if (is_firecracker && wish->gpu_count > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "firecracker hands over no PCI devices, so no GPU; "
			       "cloud-hypervisor and qemu do");
	if (is_firecracker && wish->cpu == EM_X86_64 && !wish->is_elf)
		return err_set(err, ERR_UNSUPPORTED,
			       "firecracker boots an uncompressed vmlinux, which this kernel is "
			       "not");
	if (is_firecracker && wish->cpu_count != 1 &&
	    (wish->cpu_count % 2 != 0 || wish->cpu_count > FIRECRACKER_CPUS_MAX))
		return err_set(err, ERR_UNSUPPORTED,
			       "firecracker takes one processor or an even number up to %d, "
			       "not %u", FIRECRACKER_CPUS_MAX, wish->cpu_count);
	return true;
}

/* What this host can change; has_kvm: whether it may be used. */
MUST_CHECK static bool can_here(enum vmm vmm, const struct vmm_wish *wish,
				const struct vmm_host *host, bool has_kvm, struct err *err)
{
	if (wish->only_prints)
		return true;
	if (!host->has_program[vmm])
		return err_set(err, ERR_NOT_FOUND, "%s is not in PATH; it comes from %s",
			       vmm_program(vmm, wish->cpu), origin(vmm, wish->cpu));
	if (vmm != VMM_QEMU && wish->cpu != host->cpu)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s runs guests of its host's architecture alone", vmm_name(vmm));
	if (has_kvm || (vmm == VMM_QEMU && wish->gpu_count == 0))
		return true;
	return err_set(err, ERR_UNSUPPORTED, "%s needs KVM%s%s%s", vmm_name(vmm),
		       vmm == VMM_QEMU ? " to hand over a GPU" : "",
		       host->why_no_kvm[0] ? ": " : "", host->why_no_kvm);
}

MUST_CHECK static bool can_run(enum vmm vmm, const struct vmm_wish *wish,
			       const struct vmm_host *host, bool has_kvm, struct err *err)
{
	return can_do(vmm, wish, err) && can_here(vmm, wish, host, has_kvm, err);
}

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG, ACCEL_COUNT };

MUST_CHECK static bool read_accel(enum accel *out, const char *word, struct err *err)
{
	static const char *const words[ACCEL_COUNT] = { "auto", "kvm", "tcg" };

	for (size_t i = 0; i < ACCEL_COUNT; i++) {
		if (strcmp(word ? word : words[0], words[i]) != 0)
			continue;
		*out = (enum accel)i;
		return true;
	}
	return err_set(err, ERR_USAGE, "--accel: \"%s\" is not auto, kvm or tcg", word);
}

/* *vmm: VMM_COUNT for auto */
MUST_CHECK static bool read_vmm(enum vmm *vmm, const char *word, struct err *err)
{
	*vmm = VMM_COUNT;
	if (!word || strcmp(word, "auto") == 0)
		return true;
	for (int i = 0; i < VMM_COUNT; i++) {
		if (strcmp(word, vmm_name((enum vmm)i)) != 0)
			continue;
		*vmm = (enum vmm)i;
		return true;
	}
	return err_set(err, ERR_USAGE,
		       "--vmm: \"%s\" is not auto, qemu, cloud-hypervisor or firecracker", word);
}

/* The first that can. When none is here at all, the sentence names what to install. */
MUST_CHECK static bool find_vmm(enum vmm *out, const struct vmm_wish *wish,
				const struct vmm_host *host, bool has_kvm, struct err *err)
{
	struct vmm_wish here = *wish;
	struct err first = { 0 };

	here.only_prints = false;
	for (int i = 0; i < VMM_COUNT; i++) {
		struct err why = { 0 };

		if (can_run((enum vmm)i, &here, host, has_kvm, &why)) {
			*out = (enum vmm)i;
			return true;
		}
		if (host->has_program[i] && first.kind == ERR_NONE)
			first = why;
	}
	if (first.kind != ERR_NONE) {
		*err = first;
		return false;
	}
	return err_set(err, ERR_NOT_FOUND,
		       "no VMM in PATH: %s (%s), cloud-hypervisor or firecracker",
		       vmm_program(VMM_QEMU, wish->cpu), origin(VMM_QEMU, wish->cpu));
}

static void note_emulation(struct vmm_choice *choice, const struct vmm_wish *wish,
			   const struct vmm_host *host)
{
	if (wish->cpu != host->cpu)
		snprintf(choice->note, sizeof(choice->note),
			 "the guest's processor is another one than the host's, so it is emulated");
	else if (host->why_no_kvm[0])
		snprintf(choice->note, sizeof(choice->note),
			 "no KVM, so the guest is emulated and slow: %s", host->why_no_kvm);
}

/* What --accel asked for, by a VMM that can run the machine. */
MUST_CHECK static bool settle_accel(struct vmm_choice *choice, enum accel accel,
				    const struct vmm_wish *wish, const struct vmm_host *host,
				    struct err *err)
{
	if (accel == ACCEL_TCG && choice->vmm != VMM_QEMU)
		return err_set(err, ERR_UNSUPPORTED, "--accel tcg: %s does not emulate, qemu does",
			       vmm_name(choice->vmm));
	if (accel == ACCEL_KVM && !choice->has_kvm && !wish->only_prints)
		return err_set(err, ERR_UNSUPPORTED, "--accel kvm: %s",
			       wish->cpu != host->cpu ? "the guest's processor is another one" :
							host->why_no_kvm);
	if (accel == ACCEL_KVM || choice->vmm != VMM_QEMU)
		choice->has_kvm = true;
	if (accel == ACCEL_AUTO && !choice->has_kvm)
		note_emulation(choice, wish, host);
	return true;
}

bool vmm_choose(struct vmm_choice *out, const struct vmm_wish *wish, const struct vmm_host *host,
		struct err *err)
{
	struct vmm_choice choice = { .vmm = VMM_COUNT };
	enum accel accel = ACCEL_AUTO;

	if (!read_vmm(&choice.vmm, wish->vmm, err) || !read_accel(&accel, wish->accel, err))
		return false;
	choice.has_kvm = accel != ACCEL_TCG && host->has_kvm && wish->cpu == host->cpu;
	if (choice.vmm == VMM_COUNT ?
		    !find_vmm(&choice.vmm, wish, host, choice.has_kvm, err) :
		    !can_run(choice.vmm, wish, host, choice.has_kvm, err))
		return false;
	if (!settle_accel(&choice, accel, wish, host, err))
		return false;
	*out = choice;
	return true;
}
