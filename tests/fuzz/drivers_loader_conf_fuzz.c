/* An image's ld.so.conf. */
#include <assert.h>
#include <stdint.h>

#include "drivers/image/loader_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = { (const char *)data, size };
	const char *end = text.ptr + size;
	struct loader_conf_line line;

	while (loader_conf_next(&text, &line)) {
		assert(line.text.len > 0);
		assert(line.text.ptr >= (const char *)data);
		assert(line.text.ptr + line.text.len <= end);
		assert(view_find(line.text, '\n') < 0 && view_find(line.text, '#') < 0 &&
		       view_find(line.text, '\0') < 0);
		assert(line.kind != LOADER_CONF_FOLDER || line.text.ptr[line.text.len - 1] != '/');
	}
	return 0;
}
