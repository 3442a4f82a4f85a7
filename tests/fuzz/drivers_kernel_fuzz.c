/* A guest kernel's file: boot image, export tables, Module.symvers. */
#include <assert.h>
#include <stdint.h>

#include "drivers/kernel/exports.h"
#include "drivers/kernel/kernel_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(struct export_table *table)
{
	export_table_sort(table);
	for (size_t i = 0; i < table->count; i++) {
		assert(table->items[i].name.len > 0);
		assert(export_table_find(table, table->items[i].name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(export_table_freep) struct export_table from_elf = { 0 }, from_text = { 0 };
	CLEANUP(bytes_freep) struct bytes image = bytes_capped(4 << 20);
	struct view file = { (const char *)data, size };
	struct err err = { 0 };
	struct elf elf;

	if (kernel_image_unpack(&image, file, &err) && elf_open(&elf, bytes_view(&image), &err) &&
	    export_table_add_elf(&from_elf, &elf, &err))
		check_table(&from_elf);
	if (export_table_add_symvers(&from_text, file, &err))
		check_table(&from_text);
	return 0;
}
