/* One machine, and how each VMM is told of it: a command line, and for Firecracker a configuration.
 * What stands on the kernel's command line comes from here alone. Pure: no I/O.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "words.h"

struct json_t;

/* In the order in which auto tries them: QEMU runs every image, kernel and host that there is. */
enum vmm { VMM_QEMU, VMM_CLOUD_HYPERVISOR, VMM_FIRECRACKER, VMM_COUNT };

enum root_mode {
	ROOT_WRITTEN, /* what the guest writes goes to the image */
	ROOT_SNAPSHOT, /* QEMU keeps it beside the image, and throws it away */
	ROOT_OVERLAY, /* the image is only read, what is written stays in the guest's memory */
};

enum {
	REPORT_VSOCK_PORT = 1024,
	GUEST_VSOCK_CID = 3, /* the first that is a guest's */
	KERNEL_ARGUMENTS_MAX = 2047, /* Linux's own limit on x86-64 and arm64, without the NUL */
};
#define REPORT_PORT_NAME "vmbake" /* of the virtio-serial port, with QEMU */

struct machine {
	enum vmm vmm;
	uint16_t cpu; /* EM_X86_64 or EM_AARCH64, of the guest */
	bool has_kvm; /* false: QEMU emulates */
	bool has_terminal; /* what is typed goes to the guest */
	enum root_mode root;
	const char *image, *kernel; /* absolute, as all paths here */
	const char *initrd; /* NULL: none */
	const char *append; /* of the kernel command line; NULL: nothing */
	const char *settings; /* the settings drive; NULL: none */
	const char *report_socket; /* QEMU: that listens; others: the vsock's. NULL: no report */
	const char *api_socket; /* of the VMM; NULL: none */
	const char *config; /* Firecracker's configuration file */
	uint64_t memory_mib;
	unsigned cpu_count;
	const char *const *gpus; /* gpus[gpu_count]: "0000:01:00.0" */
	size_t gpu_count;
};

/* "qemu", "cloud-hypervisor", "firecracker" */
const char *vmm_name(enum vmm vmm);
/* What is looked for in PATH: "qemu-system-x86_64", … */
const char *vmm_program(enum vmm vmm, uint16_t cpu);

/* Errors: ERR_UNSUPPORTED  longer than a kernel takes */
MUST_CHECK bool vmm_kernel_arguments(struct bytes *out, const struct machine *machine,
				     struct err *err);

/* out:    starts as WORDS_NONE
 * Errors: ERR_UNSUPPORTED  what this VMM cannot be told */
MUST_CHECK bool vmm_words(struct words *out, const struct machine *machine, struct err *err);

/* Firecracker's configuration file; owned.
 * Source: Firecracker's src/firecracker/swagger/firecracker.yaml, FullVmConfiguration
 * Errors: ERR_UNSUPPORTED  a path that is not UTF-8 */
MUST_CHECK bool vmm_firecracker_config(struct json_t **out, const struct machine *machine,
				       struct err *err);
