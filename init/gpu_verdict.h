/* What became of the GPUs, for the exit report: a scheduler drains a machine by the code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/view.h"

/* Stable numbers: they leave the machine. */
enum gpu_failure {
	GPU_FAILURE_NONE = 0,
	GPU_FAILURE_NO_GPU = 1,
	GPU_FAILURE_OTHER_DRIVER = 2,
	GPU_FAILURE_BAR = 3,
	GPU_FAILURE_IRQ = 4,
	GPU_FAILURE_FIRMWARE = 5,
	GPU_FAILURE_DIRTY = 6,
	GPU_FAILURE_NEEDS_OPEN = 7,
	GPU_FAILURE_NEEDS_CLOSED = 8,
	GPU_FAILURE_UNSUPPORTED = 9,
	GPU_FAILURE_LEGACY = 10,
	GPU_FAILURE_OFF_THE_BUS = 11,
	GPU_FAILURE_API_MISMATCH = 12,
	GPU_FAILURE_VERMAGIC = 13,
	GPU_FAILURE_SYMBOL_VERSION = 14,
	GPU_FAILURE_SYMBOL = 15,
	GPU_FAILURE_SIGNATURE = 16,
	GPU_FAILURE_ADAPTER = 17,
	GPU_FAILURE_TIMEOUT = 18,
	GPU_FAILURE_VERSION = 19,
	GPU_FAILURE_UVM = 20,
	GPU_FAILURE_OPEN = 21,
	GPU_FAILURE_MODULE = 22,
	GPU_FAILURE_NODES = 23,
	GPU_FAILURE_REQUIREMENT = 24,
	GPU_FAILURE_FABRIC = 25,
};

/* A row of the failure table. */
struct gpu_symptom {
	enum gpu_failure failure;
	const char *pattern; /* a glob over one line of the kernel's log; NULL: found otherwise */
	const char *sentence; /* what it means */
	const char *hint; /* what to look at */
	bool is_drain; /* this GPU should get no more work before the host has looked at it */
};

enum gpu_state {
	GPU_NOT_ASKED, /* policy none */
	GPU_ABSENT, /* none on the bus, and that is fine */
	GPU_READY,
	GPU_FAILED,
};

struct gpu_verdict {
	enum gpu_state state;
	size_t gpu_count; /* on the bus */
	size_t nvswitch_count;
	size_t unknown_count; /* requirements of the image that nobody could judge */
	const struct gpu_symptom *symptom; /* with GPU_FAILED; constant */
};

const char *gpu_state_name(enum gpu_state state);

/* The first row of that failure. */
const struct gpu_symptom *gpu_symptom_of(enum gpu_failure failure);

/* What the kernel's log says, the most telling row first; NULL when nothing is known. Pure. */
const struct gpu_symptom *gpu_symptom_in_log(struct view log);

/* What the kernel's log says of the time while the entrypoint ran: a GPU that was lost, libraries
 * of another version than the driver. True: it tells more than what was known, and the verdict is
 * now that. Pure. */
bool gpu_verdict_review(struct gpu_verdict *verdict, struct view log);
