/* JSON of foreign origin: what is read can be printed, and what is printed reads back the same. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(struct bytes *out, struct view text)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct err err = { 0 };

	if (!json_parse(&json, text, &err)) {
		assert(err.kind == ERR_FORMAT && err.msg[0]);
		return;
	}
	bool ok = json_print(out, json, JSON_ONE_LINE, &err);

	assert(ok);
	(void)ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(bytes_freep) struct bytes once = bytes_capped(1 << 24);
	CLEANUP(bytes_freep) struct bytes twice = bytes_capped(1 << 24);

	print(&once, (struct view){ (const char *)data, size });
	if (once.len == 0)
		return 0;
	print(&twice, bytes_view(&once));
	assert(view_same(bytes_view(&once), bytes_view(&twice)));
	return 0;
}
