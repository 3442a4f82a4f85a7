/* --gpu-id, and the product names of a driver's list. */
#include <assert.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "drivers/select/gpu_chip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *name = view_copy((struct view){ (const char *)data, size });
	struct gpu_chip chip = { 0 };
	struct err err = { 0 };

	if (gpu_chip_parse(&chip, (struct view){ (const char *)data, size }, &err)) {
		assert(size == 9);
		assert(!(chip.needs_open && chip.refuses_open));
		assert((chip.architecture == CHIP_UNKNOWN) == (chip.compute == NULL));
	}
	if (name)
		gpu_chip_brand(name);
	return 0;
}
