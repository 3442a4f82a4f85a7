/* The symbols that a kernel or one of its modules exports, each with the checksum of its type.
 *
 * Read from the ELF file itself (__ksymtab*, __kcrctab*), or from the text Module.symvers where
 * that is all there is. Pure: no I/O. Foreign bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "drivers/elf/elf.h"

struct export {
	struct view name; /* borrowed from the bytes that it was read from */
	uint32_t crc; /* 0 without has_crc */
	bool has_crc; /* a kernel with CONFIG_MODVERSIONS */
	bool is_gpl; /* only for modules with a GPL-compatible licence */
};

struct export_table {
	struct export *items; /* items[count]; owned */
	size_t count, capacity;
};
void export_table_freep(struct export_table *table);

/* Add what a linked kernel (vmlinux, ET_EXEC or ET_DYN) or a module (ET_REL) exports; nothing when
 * it has no such sections.
 * Errors: ERR_FORMAT  tables that do not fit together, a name outside of its section */
MUST_CHECK bool export_table_add_elf(struct export_table *table, const struct elf *elf,
				     struct err *err);

/* Add the lines of a Module.symvers that stand for the kernel itself ("vmlinux").
 * Errors: ERR_FORMAT  a line of another form */
MUST_CHECK bool export_table_add_symvers(struct export_table *table, struct view text,
					 struct err *err);

/* Sort by name, once all is added; then export_table_find works. */
void export_table_sort(struct export_table *table);
const struct export *export_table_find(const struct export_table *table, struct view name);
