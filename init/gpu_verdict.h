/* What became of the GPUs, for the exit report: a scheduler drains a machine by the code. */
#pragma once

#include <stddef.h>

enum gpu_state {
	GPU_NOT_ASKED, /* policy none */
	GPU_ABSENT, /* none on the bus */
	GPU_READY,
	GPU_FAILED,
};

struct gpu_verdict {
	enum gpu_state state;
	size_t gpu_count; /* on the bus */
	unsigned code; /* 0, or a row of the failure table */
	const char *symptom, *hint; /* with code; borrowed for ever */
};

const char *gpu_verdict_name(const struct gpu_verdict *verdict);
