/* The loader's cache of an image. */
#include <assert.h>
#include <stdint.h>

#include "base/bytes.h"
#include "drivers/image/ldcache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read can be written, and is the same when it is read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	CLEANUP(ldcache_freep) struct ldcache again = { 0 };
	CLEANUP(bytes_freep) struct bytes out = bytes_capped(64 << 20);
	struct err err = { 0 };

	if (!ldcache_read(&cache, (struct view){ (const char *)data, size }, &err) ||
	    !ldcache_write(&out, &cache, &err))
		return 0;
	assert(ldcache_read(&again, bytes_view(&out), &err));
	assert(again.count == cache.count);
	for (size_t i = 0; i < cache.count; i++) {
		assert(view_same(again.entries[i].name, cache.entries[i].name));
		assert(view_same(again.entries[i].path, cache.entries[i].path));
		assert(view_same(again.entries[i].hwcaps, cache.entries[i].hwcaps));
	}
	return 0;
}
