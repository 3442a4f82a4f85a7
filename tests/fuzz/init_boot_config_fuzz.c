/* boot.json: what is taken can be printed, and that is taken again and prints the same. */
#include <assert.h>
#include <stdint.h>

#include "init/contract/boot_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool print(struct bytes *out, struct view text)
{
	CLEANUP(boot_config_freep) struct boot_config config = { 0 };
	struct err err = { 0 };

	if (!boot_config_parse(&config, text, &err)) {
		assert(err.kind != ERR_NONE && err.msg[0]);
		return false;
	}
	return boot_config_print(out, &config, &err);
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
