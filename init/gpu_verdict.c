#include "gpu_verdict.h"

const char *gpu_verdict_name(const struct gpu_verdict *verdict)
{
	static const char *const names[] = {
		[GPU_NOT_ASKED] = "not-asked",
		[GPU_ABSENT] = "absent",
		[GPU_READY] = "ready",
		[GPU_FAILED] = "failed",
	};

	return names[verdict->state];
}
