/* A library or program of an image or a driver. */
#include <assert.h>
#include <stdint.h>

#include "drivers/elf/elf_dynamic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct view bytes, struct view part)
{
	assert(!part.ptr ||
	       (part.ptr >= bytes.ptr && part.ptr + part.len <= bytes.ptr + bytes.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = { (const char *)data, size };
	struct elf_version_cursor needs = { 0 }, defines = { 0 };
	struct view file, version;
	struct elf_dynamic elf;
	struct err err = { 0 };
	bool is_weak;

	if (!elf_dynamic_open(&elf, bytes, &err))
		return 0;
	check_inside(bytes, elf.interpreter);
	check_inside(bytes, elf.soname);
	check_inside(bytes, elf.rpath);
	check_inside(bytes, elf.runpath);
	check_inside(bytes, elf.osabi_note);
	for (size_t cursor = 0; elf_dynamic_next_needed(&elf, &cursor, &file);)
		check_inside(bytes, file);
	while (elf_dynamic_next_version_needed(&elf, &needs, &file, &version, &is_weak)) {
		check_inside(bytes, file);
		check_inside(bytes, version);
	}
	while (elf_dynamic_next_version_defined(&elf, &defines, &version))
		check_inside(bytes, version);
	return 0;
}
