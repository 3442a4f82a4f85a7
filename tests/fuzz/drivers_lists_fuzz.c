/* The lists that a driver brings: .manifest, sandboxutils-filelist.json, supported-gpus.json. The
 * first byte says which. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "drivers/import/driver_lists.h"
#include "drivers/import/install_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void free_arena(struct arena *arena)
{
	arena_freep(arena);
}

static bool parse_install_list(struct arena *arena, struct view text, struct err *err)
{
	struct install_list list;

	if (!install_list_parse(&list, arena, text, err))
		return false;
	for (size_t i = 0; i < list.entry_count; i++)
		assert(install_list_find(&list, list.entries[i].path.ptr));
	return true;
}

static bool parse_file_list(struct arena *arena, struct view text, struct err *err)
{
	struct file_list list;

	if (!file_list_parse(&list, arena, text, NULL, err))
		return false;
	for (size_t i = 0; i < list.file_count; i++) {
		struct view name = view_of(list.files[i].name);

		assert(name.len >= 256 ||
		       file_list_capabilities(&list, name) == list.files[i].capabilities);
	}
	return true;
}

static bool parse_gpu_list(struct arena *arena, struct view text, struct err *err)
{
	const struct bundle_gpu *gpus;
	size_t count;

	if (!gpu_list_parse(&gpus, &count, arena, text, err))
		return false;
	for (size_t i = 1; i < count; i++)
		assert(gpus[i - 1].device < gpus[i].device);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(free_arena))) struct arena arena = { 0 };
	struct view text = { (const char *)data, size };
	struct err err = { 0 };
	bool ok;

	if (size == 0)
		return 0;
	text = view_from(text, 1);
	if (data[0] == 'm')
		ok = parse_install_list(&arena, text, &err);
	else if (data[0] == 'f')
		ok = parse_file_list(&arena, text, &err);
	else
		ok = parse_gpu_list(&arena, text, &err);
	assert(ok || (err.kind != ERR_NONE && err.msg[0]));
	return 0;
}
