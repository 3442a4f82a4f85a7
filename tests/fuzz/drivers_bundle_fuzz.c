/* A bundle's manifest: what is taken can be printed, is then taken again, and prints the same. */
#include <assert.h>
#include <stdint.h>

#include "drivers/bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool print(struct bytes *out, struct view text)
{
	CLEANUP(bundle_freep) struct bundle bundle = { 0 };
	struct err err = { 0 };

	if (!bundle_parse(&bundle, text, &err)) {
		assert(err.kind != ERR_NONE && err.msg[0]);
		return false;
	}
	for (size_t i = 0; i < bundle.gpu_count; i++)
		assert(bundle_find_gpu(&bundle, bundle.gpus[i].device) == &bundle.gpus[i]);
	return bundle_print(out, &bundle, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(bytes_freep) struct bytes once = bytes_capped(1 << 24);
	CLEANUP(bytes_freep) struct bytes twice = bytes_capped(1 << 24);

	if (!print(&once, (struct view){ (const char *)data, size }))
		return 0;
	bool ok = print(&twice, bytes_view(&once));

	assert(ok);
	(void)ok;
	assert(view_same(bytes_view(&once), bytes_view(&twice)));
	return 0;
}
