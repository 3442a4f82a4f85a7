#include "exports.h"

#include <elf.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/le.h"

enum {
	NAME_AT = 4, /* of the relative name in an entry: behind the relative address */
	ENTRY_WITH_NAMESPACE = 12, /* three relative offsets, since 5.4 */
	ENTRY_PLAIN = 8, /* two, since 4.19 */
};

void export_table_freep(struct export_table *table)
{
	free(table->items);
	*table = (struct export_table){ 0 };
}

MUST_CHECK static bool add_export(struct export_table *table, const struct export *item,
				  struct err *err)
{
	if (table->count == table->capacity) {
		size_t capacity = table->capacity ? table->capacity * 2 : 1024;
		struct export *items = reallocarray(table->items, capacity, sizeof(*items));

		if (!items)
			return err_memory(err, "a kernel's exports");
		table->items = items;
		table->capacity = capacity;
	}
	table->items[table->count++] = *item;
	return true;
}

/* One of the two pairs of tables: all modules' symbols, and those for GPL modules. */
struct tables {
	const struct elf *elf;
	struct elf_section symbols, checksums, strings;
	struct elf_section relocations, elf_symbols; /* of an ET_REL file */
	bool has_checksums, is_gpl;
	size_t entry_bytes;
};

static uint32_t u32_at(struct view table, size_t at)
{
	return table.ptr && at + sizeof(uint32_t) <= table.len ? le32_get(table.ptr + at) : 0;
}

static struct view text_at(struct view text, uint64_t offset)
{
	struct view rest = offset < text.len ? view_from(text, offset) : (struct view){ 0 };
	ptrdiff_t len = view_find(rest, '\0');

	return len <= 0 ? (struct view){ 0 } : (struct view){ rest.ptr, (size_t)len };
}

/* In a linked kernel the name's place is where the offset stands, plus the offset. */
static struct view linked_name(const struct tables *tables, size_t index)
{
	size_t at = index * tables->entry_bytes + NAME_AT;
	int32_t relative = (int32_t)u32_at(tables->symbols.content, at);
	uint64_t address = tables->symbols.address + at + (uint64_t)(int64_t)relative;

	return text_at(tables->strings.content, address - tables->strings.address);
}

/* Where a relocation of an ET_REL file points to: offset in the section of the names. */
static struct view relocated_name(const struct tables *tables, const Elf64_Rela *relocation)
{
	uint64_t symbol = ELF64_R_SYM(relocation->r_info);
	struct view symbols = tables->elf_symbols.content;
	Elf64_Sym entry;

	if (symbol >= symbols.len / sizeof(entry))
		return (struct view){ 0 };
	memcpy(&entry, symbols.ptr + symbol * sizeof(entry), sizeof(entry));
	if (entry.st_shndx >= tables->elf->section_count ||
	    elf_section_at(tables->elf, entry.st_shndx).content.ptr !=
		    tables->strings.content.ptr)
		return (struct view){ 0 };
	return text_at(tables->strings.content,
		       entry.st_value + (uint64_t)relocation->r_addend);
}

/* In a module the names are still relocations: put each to its entry. names[count] */
static void collect_relocated(const struct tables *tables, struct view *names, size_t count)
{
	struct view table = tables->relocations.content;
	Elf64_Rela relocation;

	for (size_t at = 0; at + sizeof(relocation) <= table.len; at += sizeof(relocation)) {
		memcpy(&relocation, table.ptr + at, sizeof(relocation));
		uint64_t index = relocation.r_offset / tables->entry_bytes;

		if (index < count && relocation.r_offset % tables->entry_bytes == NAME_AT)
			names[index] = relocated_name(tables, &relocation);
	}
}

static bool collect_names(const struct tables *tables, struct view *names, size_t count)
{
	if (tables->elf->type == ET_REL)
		collect_relocated(tables, names, count);
	else
		for (size_t i = 0; i < count; i++)
			names[i] = linked_name(tables, i);
	for (size_t i = 0; i < count; i++)
		if (names[i].len == 0)
			return false;
	return true;
}

/* Which of the two shapes do the entries have? Only with the right one do all names lead to a
 * string. *names: owned by the caller. */
MUST_CHECK static bool find_shape(struct tables *tables, struct view **names, size_t *count,
				  struct err *err)
{
	static const size_t shapes[] = { ENTRY_WITH_NAMESPACE, ENTRY_PLAIN };
	size_t len = tables->symbols.content.len;

	*names = calloc(len / ENTRY_PLAIN + 1, sizeof(**names));
	if (!*names)
		return err_memory(err, "a kernel's exports");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		tables->entry_bytes = shapes[i];
		*count = len / shapes[i];
		memset(*names, 0, (len / ENTRY_PLAIN + 1) * sizeof(**names));
		if (len % shapes[i] == 0 && collect_names(tables, *names, *count))
			return true;
	}
	return err_set(err, ERR_FORMAT, "exported symbols (%.*s) whose names are not to be found",
		       VIEW_ARGS(tables->symbols.name));
}

MUST_CHECK static bool add_tables(struct export_table *table, struct tables *tables,
				  struct err *err)
{
	CLEANUP(freep) struct view *names = NULL;
	size_t count = 0;

	if (!find_shape(tables, &names, &count, err))
		return false;
	if (tables->has_checksums && tables->checksums.content.len != count * sizeof(uint32_t))
		return err_set(err, ERR_FORMAT, "%zu exported symbols with %zu bytes of checksums",
			       count, tables->checksums.content.len);
	for (size_t i = 0; i < count; i++) {
		struct export item = { .name = names[i],
				       .has_crc = tables->has_checksums,
				       .is_gpl = tables->is_gpl };

		if (item.has_crc)
			item.crc = u32_at(tables->checksums.content, i * sizeof(uint32_t));
		if (!add_export(table, &item, err))
			return false;
	}
	return true;
}

bool export_table_add_elf(struct export_table *table, const struct elf *elf, struct err *err)
{
	static const struct {
		const char *symbols, *checksums, *relocations;
		bool is_gpl;
	} pairs[] = {
		{ "__ksymtab", "__kcrctab", ".rela__ksymtab", false },
		{ "__ksymtab_gpl", "__kcrctab_gpl", ".rela__ksymtab_gpl", true },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct tables tables = { .elf = elf, .is_gpl = pairs[i].is_gpl };

		if (!elf_find(elf, pairs[i].symbols, &tables.symbols) ||
		    tables.symbols.content.len == 0)
			continue;
		if (!elf_find(elf, "__ksymtab_strings", &tables.strings))
			return err_set(err, ERR_FORMAT, "exported symbols without their names");
		if (elf_find(elf, pairs[i].relocations, &tables.relocations) &&
		    tables.relocations.link < elf->section_count)
			tables.elf_symbols = elf_section_at(elf, tables.relocations.link);
		tables.has_checksums = elf_find(elf, pairs[i].checksums, &tables.checksums) &&
				       tables.checksums.content.len > 0;
		if (!add_tables(table, &tables, err))
			return false;
	}
	return true;
}

bool export_table_add_symvers(struct export_table *table, struct view text, struct err *err)
{
	for (size_t line = 1; text.len > 0; line++) {
		struct view rest = view_trim(view_cut(&text, '\n'));
		struct view crc = view_cut(&rest, '\t'), name = view_cut(&rest, '\t');
		struct view owner = view_cut(&rest, '\t'), kind = view_cut(&rest, '\t');
		uint64_t value = 0;

		if (crc.len == 0)
			continue;
		if (!view_starts(crc, "0x") || name.len == 0 || !view_starts(kind, "EXPORT_") ||
		    !view_number(view_from(crc, 2), 16, UINT32_MAX, &value))
			return err_set(err, ERR_FORMAT, "Module.symvers: line %zu makes no sense",
				       line);
		if (!view_equal(owner, "vmlinux"))
			continue;
		/* Without MODVERSIONS all of the column is zeros. */
		struct export item = { .name = name,
				       .crc = (uint32_t)value,
				       .has_crc = value != 0,
				       .is_gpl = view_starts(kind, "EXPORT_SYMBOL_GPL") };

		if (!add_export(table, &item, err))
			return false;
	}
	return true;
}

static int compare_exports(const void *left, const void *right)
{
	const struct export *a = left, *b = right;

	return view_compare(a->name, b->name);
}

void export_table_sort(struct export_table *table)
{
	if (table->count > 0)
		qsort(table->items, table->count, sizeof(*table->items), compare_exports);
}

const struct export *export_table_find(const struct export_table *table, struct view name)
{
	struct export key = { .name = name };

	return table->count == 0 ? NULL :
				   bsearch(&key, table->items, table->count, sizeof(key),
					   compare_exports);
}
