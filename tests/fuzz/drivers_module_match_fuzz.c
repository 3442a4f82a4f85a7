/* A driver's kernel module, held against a kernel. */
#include <assert.h>
#include <elf.h>
#include <stdint.h>

#include "drivers/kernel/module_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct export items[] = { { .name = { "printk", 6 }, .crc = 7, .has_crc = true } };
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	CLEANUP(export_table_freep) struct export_table own = { 0 };
	struct kernel kernel = { .release = "6.1.0-made", .machine = EM_X86_64 };
	struct view module = { (const char *)data, size };
	struct export_table loaded = { 0 };
	struct err err = { 0 };
	struct elf elf;

	kernel.vermagic = view_of("6.1.0-made SMP mod_unload modversions ");
	kernel.exports.items = items;
	kernel.exports.count = 1;
	if (module_match(&findings, &kernel, &loaded, module, &err))
		assert(findings.count <= RULE_COUNT + 1);
	if (elf_open(&elf, module, &err) && export_table_add_elf(&own, &elf, &err))
		export_table_sort(&own);
	return 0;
}
