#include "gpu_verdict.h"

#include <fnmatch.h>

#include "base/cleanup.h"

/* The most telling first: one cause often brings the general complaints along. */
static const struct gpu_symptom symptoms[] = {
	{ GPU_FAILURE_IRQ, "*NVRM: Can't find an IRQ for your NVIDIA card*",
	  "the GPU got no interrupt", "the VMM has to offer MSI-X, the kernel needs CONFIG_PCI_MSI",
	  false },
	{ GPU_FAILURE_BAR, "*NVRM: *BAR0 is 0M*", "the GPU's registers are not mapped",
	  "the VMM's MMIO window is too small, or pci=realloc is needed", false },
	{ GPU_FAILURE_BAR, "*NVRM: *BAR1 is 0M*", "the GPU's memory is not mapped",
	  "the VMM's 64-bit MMIO window is too small", false },
	{ GPU_FAILURE_OFF_THE_BUS, "*has fallen off the bus*", "the GPU fell off the bus",
	  "the host has to reset it or look at its PCIe link", true },
	{ GPU_FAILURE_DIRTY, "*unexpected WPR2 already up*",
	  "the GPU is still as its last user left it", "the host has to reset it (FLR)", true },
	{ GPU_FAILURE_DIRTY, "*RmInitAdapter failed! (0x62:0x40:*",
	  "the GPU is still as its last user left it", "the host has to reset it (FLR)", true },
	{ GPU_FAILURE_NEEDS_OPEN, "*requires use of the NVIDIA open kernel modules*",
	  "this GPU works only with the open kernel modules", "bake a driver of flavor open",
	  false },
	{ GPU_FAILURE_NEEDS_OPEN, "*RmInitAdapter failed! (0x22:0x56:*",
	  "this GPU works only with the open kernel modules", "bake a driver of flavor open",
	  false },
	{ GPU_FAILURE_NEEDS_CLOSED, "*is not supported by open*nvidia.ko*",
	  "this GPU does not work with the open kernel modules",
	  "bake a driver of flavor proprietary", false },
	{ GPU_FAILURE_LEGACY, "*.xx Legacy*", "this GPU needs an older driver branch",
	  "bake a driver of the branch that the kernel's log names", false },
	{ GPU_FAILURE_LEGACY, "*ignoring the legacy GPU*", "this GPU needs an older driver branch",
	  "bake a driver of the branch that the kernel's log names", false },
	{ GPU_FAILURE_UNSUPPORTED, "*is not supported by the NVIDIA * driver release*",
	  "this driver does not know this GPU", "bake a newer driver", false },
	{ GPU_FAILURE_FIRMWARE, "*Direct firmware load for nvidia/*failed*",
	  "the GPU's firmware is not in the image", "bake again with a complete driver bundle",
	  false },
	{ GPU_FAILURE_FIRMWARE, "*No firmware image found*",
	  "the GPU's firmware is not in the image", "bake again with a complete driver bundle",
	  false },
	{ GPU_FAILURE_FIRMWARE, "*RmInitAdapter failed! (0x61:0x56:*",
	  "the GPU's firmware is not in the image", "bake again with a complete driver bundle",
	  false },
	{ GPU_FAILURE_FIRMWARE, "*Cannot initialize GSP firmware RM*",
	  "the GPU's firmware did not start", "firmware and driver have to be of one version",
	  false },
	{ GPU_FAILURE_API_MISMATCH, "*NVRM: API mismatch*",
	  "the image's own driver libraries are in the way",
	  "remove libcuda and libnvidia-ml of another version from the image", false },
	{ GPU_FAILURE_ADAPTER, "*RmInitAdapter failed!*", "the GPU could not be started",
	  "the kernel's log has the driver's codes; a reset by the host may help", true },
	{ GPU_FAILURE_OTHER_DRIVER, "*probe routine was not called*",
	  "another driver has taken the GPU", "nouveau, nvidiafb or vfio-pci must not load",
	  false },
	{ GPU_FAILURE_OTHER_DRIVER, "*No NVIDIA devices probed*",
	  "another driver has taken the GPU", "nouveau, nvidiafb or vfio-pci must not load",
	  false },
	{ GPU_FAILURE_VERMAGIC, "*: version magic '*' should be '*'*",
	  "the driver was built for another kernel", "bake with this kernel's modules", false },
	{ GPU_FAILURE_SYMBOL_VERSION, "*: disagrees about version of symbol *",
	  "the driver was built for another kernel", "bake with this kernel's modules", false },
	{ GPU_FAILURE_SYMBOL, "*: Unknown symbol *", "the driver needs what this kernel lacks",
	  "the kernel's log names the symbol; a module may be missing from the image", false },
	{ GPU_FAILURE_SIGNATURE, "*Loading of *module*rejected*",
	  "the kernel refuses unsigned modules", "sign the modules or boot without enforcement",
	  false },
	{ GPU_FAILURE_NO_GPU, "*NVRM: No NVIDIA GPU found*", "there is no NVIDIA GPU",
	  "the VMM's device list", false },
	/* Found by init itself. */
	{ GPU_FAILURE_TIMEOUT, NULL, "the GPU did not answer in time",
	  "gpu-timeout-seconds gives it longer", true },
	{ GPU_FAILURE_VERSION, NULL, "another driver version is loaded than was baked",
	  "a module of the initrd or the kernel is in the way", false },
	{ GPU_FAILURE_UVM, NULL, "/dev/nvidia-uvm does not open",
	  "nvidia-uvm is missing or failed to load: CUDA would say 999", false },
	{ GPU_FAILURE_OPEN, NULL, "the GPU does not open", "the kernel's log says more", true },
	{ GPU_FAILURE_MODULE, NULL, "the driver did not load", "the kernel's log says more",
	  false },
	{ GPU_FAILURE_NODES, NULL, "the GPU's device nodes could not be made",
	  "the console says which", false },
	{ GPU_FAILURE_REQUIREMENT, NULL, "the image does not want this GPU",
	  "give it another one, or the environment NVIDIA_DISABLE_REQUIRE=true", false },
	{ GPU_FAILURE_FABRIC, NULL, "the fabric manager does not run: CUDA would say 802",
	  "/run/vmbake/fabricmanager.log; it has to be of the driver's version", true },
};

enum { SYMPTOM_COUNT = sizeof(symptoms) / sizeof(symptoms[0]) };

const char *gpu_state_name(enum gpu_state state)
{
	static const char *const names[] = {
		[GPU_NOT_ASKED] = "not-asked",
		[GPU_ABSENT] = "absent",
		[GPU_READY] = "ready",
		[GPU_FAILED] = "failed",
	};

	return names[state];
}

const struct gpu_symptom *gpu_symptom_of(enum gpu_failure failure)
{
	for (size_t i = 0; i < SYMPTOM_COUNT; i++)
		if (symptoms[i].failure == failure)
			return &symptoms[i];
	return NULL;
}

static bool is_in_log(const char *pattern, struct view log)
{
	while (log.len > 0) {
		CLEANUP(freep) char *line = view_copy(view_cut(&log, '\n'));

		if (line && fnmatch(pattern, line, 0) == 0)
			return true;
	}
	return false;
}

const struct gpu_symptom *gpu_symptom_in_log(struct view log)
{
	for (size_t i = 0; i < SYMPTOM_COUNT; i++)
		if (symptoms[i].pattern && is_in_log(symptoms[i].pattern, log))
			return &symptoms[i];
	return NULL;
}

/* What programs can bring about that only use the driver. */
static bool is_late(enum gpu_failure failure)
{
	return failure == GPU_FAILURE_OFF_THE_BUS || failure == GPU_FAILURE_API_MISMATCH;
}

bool gpu_verdict_review(struct gpu_verdict *verdict, struct view log)
{
	for (size_t i = 0; i < SYMPTOM_COUNT; i++) {
		if (verdict->symptom == &symptoms[i])
			return false;
		if (!is_late(symptoms[i].failure) || !is_in_log(symptoms[i].pattern, log))
			continue;
		verdict->state = GPU_FAILED;
		verdict->symptom = &symptoms[i];
		return true;
	}
	return false;
}
