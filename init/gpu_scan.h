/* NVIDIA devices on the PCI bus, as sysfs shows them before any driver is loaded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

enum { GPU_COUNT_MAX = 64 };

struct gpu_device {
	char address[16]; /* "0000:01:00.0" */
	uint16_t device_id;
	bool is_nvswitch;
	bool is_unmapped; /* BAR0 or BAR1 has no size */
	char driver[32]; /* bound already; "" for none */
};

struct gpu_scan {
	struct gpu_device devices[GPU_COUNT_MAX]; /* devices[count], ascending by address */
	size_t count;
	size_t gpu_count; /* of those, no NVSwitches */
};

/* root_fd: where sys/bus/pci is. Without a PCI bus: none. */
void gpu_scan_bus(struct gpu_scan *out, int root_fd);

/* Pure: is one of the first two lines ("start end flags") of a sysfs resource file empty? */
bool gpu_resource_is_unmapped(struct view resource);
