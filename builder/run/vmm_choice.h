/* Which VMM runs a machine: what was asked for, held against what this host has and each VMM can.
 * Looking (vmm_host_look) is apart from deciding (vmm_choose), which is pure.
 */
#pragma once

#include "vmm.h"

/* What this host has. */
struct vmm_host {
	bool has_program[VMM_COUNT]; /* in PATH */
	bool has_kvm; /* /dev/kvm makes machines */
	uint16_t cpu; /* EM_X86_64, EM_AARCH64, or EM_NONE for others */
	char why_no_kvm[128]; /* "open /dev/kvm: Permission denied"; "" with KVM */
};

/* guest_cpu: which QEMU is looked for */
void vmm_host_look(struct vmm_host *out, uint16_t guest_cpu);

struct vmm_wish {
	const char *vmm, *accel; /* words of the command line; NULL: auto */
	uint16_t cpu; /* of the guest */
	bool is_elf; /* the kernel is a vmlinux */
	unsigned cpu_count;
	size_t gpu_count;
	bool only_prints; /* a VMM that was named need not be here */
};

struct vmm_choice {
	enum vmm vmm;
	bool has_kvm;
	char note[256]; /* what the user should know of it; "": nothing */
};

/* Errors: ERR_USAGE        a word that is none
 *         ERR_NOT_FOUND    it is not installed; where it comes from
 *         ERR_UNSUPPORTED  it cannot run this machine, or not on this host; why */
MUST_CHECK bool vmm_choose(struct vmm_choice *out, const struct vmm_wish *wish,
			   const struct vmm_host *host, struct err *err);
