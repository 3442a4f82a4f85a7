/* What a module says of itself and wants loaded before it, and a kernel's configuration. The first
 * byte says whether the rest is a whole module ('m'), the text of its .modinfo ('t') or a
 * configuration ('c'). */
#include <assert.h>
#include <elf.h>
#include <stdint.h>

#include "drivers/kernel/closure.h"
#include "drivers/kernel/kernel_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct view whole, struct view part)
{
	assert(part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void read_info(const struct modinfo *info)
{
	static const char *const keys[] = { "name", "vermagic", "license", "version", "firmware" };
	struct need_cursor cursor = { 0 };
	enum need_kind kind;
	struct view name;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct view rest = info->text, value;

		check_inside(info->text, modinfo_get(info, keys[i]));
		while (modinfo_next(&rest, keys[i], &value))
			check_inside(info->text, value);
	}
	while (module_next_need(info, &cursor, &name, &kind)) {
		assert(name.len > 0);
		check_inside(info->text, name);
	}
}

static void read_config(struct view text)
{
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	struct err err = { 0 };

	kernel.machine = EM_X86_64;
	if (bytes_append(&kernel.config, text.ptr, text.len, &err))
		assert(kernel_config_check(&findings, &kernel, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct modinfo info = { 0 };
	struct err err = { 0 };

	if (size == 0)
		return 0;
	struct view rest = { (const char *)data + 1, size - 1 };

	if (data[0] == 'c') {
		read_config(rest);
	} else if (data[0] == 't') {
		info.text = rest;
		read_info(&info);
	} else if (modinfo_read(&info, rest, &err)) {
		check_inside(rest, info.text);
		read_info(&info);
	}
	return 0;
}
