/* What is kept of a kernel: with a checksum that fits, so that the rest is seen too. */
#include <assert.h>
#include <stdint.h>

#include "base/le.h"
#include "drivers/kernel/kernel_facts.h"
#include "layers/crc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(bytes_freep) struct bytes facts = bytes_capped(4 << 20);
	CLEANUP(bytes_freep) struct bytes again = bytes_capped(8 << 20);
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct err err = { 0 };

	if (size < 4 || !bytes_append(&facts, data, size, &err))
		return 0;
	le32_put(facts.data + size - 4, crc32c_add(0, data, size - 4));
	if (!kernel_facts_parse(&kernel, bytes_view(&facts), &err))
		return 0;
	for (size_t i = 0; i < kernel.exports.count; i++)
		assert(export_table_find(&kernel.exports, kernel.exports.items[i].name));
	assert(strlen(kernel.release) > 0);
	assert(kernel_facts_print(&again, &kernel, &err));
	return 0;
}
