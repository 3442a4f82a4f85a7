/* What an image's environment wants of the driver: devices and capabilities. */
#include <assert.h>
#include <stdint.h>

#include "base/bytes.h"
#include "drivers/bundle/capability.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_environment(const char *name, struct view text)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(1 << 20);
	struct gpu_request request = { 0 };
	struct err err = { 0 };

	if (!bytes_print(&line, &err, "%s=", name) ||
	    !bytes_append(&line, text.ptr, text.len, &err))
		return;
	const char *env[] = { line.data, "NVIDIA_VISIBLE_DEVICES=all" };

	if (gpu_request_read(&request, env, 2, &err))
		assert((request.capabilities & ~(unsigned)CAPABILITY_ALL) == 0);
	if (gpu_request_read(&request, env, 1, &err))
		assert((request.wish == GPU_NOT_ASKED) == (request.capabilities == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = { (const char *)data, size };

	check_environment("CUDA_VERSION", text);
	check_environment("NVIDIA_VISIBLE_DEVICES", text);
	check_environment("NVIDIA_DRIVER_CAPABILITIES", text);
	return 0;
}
