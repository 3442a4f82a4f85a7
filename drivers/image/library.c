#include "library.h"

#include <elf.h>
#include <stdlib.h>

#include "library_reader.h"

enum { NAMES_BYTES_MAX = 64 << 20 };

struct maker {
	struct library_reader *reader;
	struct arena *arena;
	struct library library;
};

static void set_fault(struct maker *maker, const char *fault)
{
	maker->library.fault = fault;
}

/* A dynamic string into the arena; NULL and a fault where it is broken. */
MUST_CHECK static bool take_string(struct maker *maker, uint64_t offset, const char **out,
				   struct err *err)
{
	struct view text;

	*out = NULL;
	if (!library_reader_string(maker->reader, offset, &text, err))
		return false;
	if (!text.ptr) {
		set_fault(maker, "an ELF file with a broken name");
		return true;
	}
	*out = arena_copy(maker->arena, text.ptr, text.len);
	return *out ? true : err_memory(err, "a library's names");
}

MUST_CHECK static bool take_names(struct maker *maker, struct err *err)
{
	const struct {
		int64_t tag;
		const char **out;
	} rows[] = {
		{ DT_SONAME, &maker->library.soname },
		{ DT_RPATH, &maker->library.rpath },
		{ DT_RUNPATH, &maker->library.runpath },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 0;
		size_t cursor = 0;

		if (library_reader_value(maker->reader, rows[i].tag, &cursor, &value) &&
		    !take_string(maker, value, rows[i].out, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool take_needed(struct maker *maker, struct err *err)
{
	struct library *library = &maker->library;
	uint64_t value = 0;
	size_t count = 0;

	for (size_t cursor = 0; library_reader_value(maker->reader, DT_NEEDED, &cursor, &value);)
		count++;
	library->needed = arena_take(maker->arena, (count + 1) * sizeof(*library->needed));
	if (!library->needed)
		return err_memory(err, "a library's names");
	for (size_t cursor = 0; library->needed_count < count && !library->fault &&
				library_reader_value(maker->reader, DT_NEEDED, &cursor, &value);)
		if (!take_string(maker, value, &library->needed[library->needed_count++], err))
			return false;
	return true;
}

/* Versions as they are found; the array moves in the arena when it grows. */
struct version_list {
	struct library_version *items;
	size_t count, capacity;
};

/* hash and is_weak come with version; its name is string number name. */
MUST_CHECK static bool add_version(struct maker *maker, struct version_list *list,
				   struct library_version version, uint32_t name, struct err *err)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct library_version *items = arena_take(maker->arena, capacity * sizeof(*items));

		if (!items)
			return err_memory(err, "a library's versions");
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	if (!take_string(maker, name, &version.name, err))
		return false;
	list->items[list->count++] = version;
	return true;
}

/* A row of a version table; false with a fault where it is not in the file. */
MUST_CHECK static bool take_row(struct maker *maker, uint64_t offset, void *out, size_t len,
				struct err *err)
{
	const char *row = NULL;

	if (!library_reader_table(maker->reader, offset, len, &row, err))
		return false;
	if (row)
		memcpy(out, row, len);
	else
		set_fault(maker, "an ELF file with a broken version table");
	return true;
}

static bool is_over(struct maker *maker, size_t count)
{
	if (count >= LIBRARY_VERSIONS_MAX)
		set_fault(maker, "an ELF file with absurdly many versions");
	return maker->library.fault;
}

/* The versions that are needed of one file. *row_count: rows of both kinds so far */
MUST_CHECK static bool take_versions_of(struct maker *maker, uint64_t at, const Elf64_Verneed *file,
					struct version_list *list, size_t *row_count,
					struct err *err)
{
	const char *name = NULL;
	Elf64_Vernaux row;

	if (!take_string(maker, file->vn_file, &name, err))
		return false;
	at += file->vn_aux;
	for (uint16_t i = 0; i < file->vn_cnt && !is_over(maker, (*row_count)++); i++) {
		if (!take_row(maker, at, &row, sizeof(row), err))
			return false;
		struct library_version version = { .file = name,
						   .hash = row.vna_hash,
						   .is_weak = row.vna_flags & VER_FLG_WEAK };

		if (!maker->library.fault && !add_version(maker, list, version, row.vna_name, err))
			return false;
		if (row.vna_next == 0)
			return true;
		at += row.vna_next;
	}
	return true;
}

/* ELF32's rows are the same. The links count, not DT_VERNEEDNUM: that is how ld.so goes. */
MUST_CHECK static bool take_versions_needed(struct maker *maker, struct err *err)
{
	struct version_list list = { 0 };
	uint64_t at = 0;
	size_t cursor = 0, row_count = 0;
	Elf64_Verneed row = { .vn_next = 1 };

	if (!library_reader_value(maker->reader, DT_VERNEED, &cursor, &at))
		return true;
	at = library_reader_offset(maker->reader, at);
	while (row.vn_next != 0 && !is_over(maker, row_count++)) {
		if (!take_row(maker, at, &row, sizeof(row), err))
			return false;
		if (!maker->library.fault &&
		    !take_versions_of(maker, at, &row, &list, &row_count, err))
			return false;
		at += row.vn_next;
	}
	maker->library.versions_needed = list.items;
	maker->library.versions_needed_count = list.count;
	return true;
}

/* Only the first name of a row is the version's own; its parents have rows of their own. */
MUST_CHECK static bool take_versions_defined(struct maker *maker, struct err *err)
{
	struct version_list list = { 0 };
	uint64_t at = 0;
	size_t cursor = 0;
	Elf64_Verdef row = { .vd_next = 1 };
	Elf64_Verdaux name;

	if (!library_reader_value(maker->reader, DT_VERDEF, &cursor, &at))
		return true;
	at = library_reader_offset(maker->reader, at);
	while (row.vd_next != 0 && !is_over(maker, list.count)) {
		if (!take_row(maker, at, &row, sizeof(row), err) ||
		    (!maker->library.fault &&
		     !take_row(maker, at + row.vd_aux, &name, sizeof(name), err)))
			return false;
		struct library_version version = { .hash = row.vd_hash };

		if (!maker->library.fault &&
		    !add_version(maker, &list, version, name.vda_name, err))
			return false;
		at += row.vd_next;
	}
	maker->library.versions_defined = list.items;
	maker->library.versions_defined_count = list.count;
	return true;
}

MUST_CHECK static bool take_interpreter(struct maker *maker, struct err *err)
{
	const struct elf_segment *segment = library_reader_segment(maker->reader, PT_INTERP);
	char name[LIBRARY_PIECE_BYTES];
	size_t got = 0;

	if (!segment)
		return true;
	if (!library_reader_some(maker->reader, segment->offset, name, sizeof(name), &got, err))
		return false;
	const char *end = memchr(name, '\0', got);

	if (!end) {
		set_fault(maker, "an ELF file whose interpreter's name has no end");
		return true;
	}
	maker->library.interpreter = arena_copy(maker->arena, name, (size_t)(end - name));
	return maker->library.interpreter ? true : err_memory(err, "a library's names");
}

/* Is all that is to be mapped in the file? ld.so maps it anyhow, and dies of SIGBUS later. */
static bool is_whole(const struct library_reader *reader)
{
	for (size_t i = 0; i < reader->header.segment_count; i++) {
		const struct elf_segment *segment = &reader->segments[i];
		uint64_t end = 0;

		if ((segment->type == PT_LOAD || segment->type == PT_DYNAMIC) &&
		    (__builtin_add_overflow(segment->offset, segment->file_bytes, &end) ||
		     end > reader->size))
			return false;
	}
	return true;
}

MUST_CHECK static bool take_all(struct maker *maker, struct err *err)
{
	struct library_reader *reader = maker->reader;
	bool is_dynamic = false;

	maker->library.is_64 = reader->header.is_64;
	maker->library.machine = reader->header.machine;
	maker->library.type = reader->header.type;
	if (!is_whole(reader)) {
		set_fault(maker, "an ELF file that is cut off");
		return true;
	}
	return take_interpreter(maker, err) && library_reader_dynamic(reader, &is_dynamic, err) &&
	       (!is_dynamic ||
		(take_names(maker, err) && take_needed(maker, err) &&
		 take_versions_needed(maker, err) && take_versions_defined(maker, err)));
}

MUST_CHECK static bool make_library(struct library_table *table, uint32_t inode,
				    const struct library **out, struct err *err)
{
	struct library_reader reader;
	struct maker maker = { .reader = &reader, .arena = &table->arena };
	struct err fault = { 0 };

	if (!library_reader_open(&reader, table->files, inode, &fault, err))
		return false;
	if (fault.kind != ERR_NONE) {
		maker.library.fault = arena_copy(&table->arena, fault.msg, strlen(fault.msg));
		if (!maker.library.fault)
			return err_memory(err, "a library's fault");
	} else if (!take_all(&maker, err)) {
		return false;
	}
	struct library *made = arena_take(&table->arena, sizeof(*made));

	if (!made)
		return err_memory(err, "a library's names");
	*made = maker.library;
	*out = made;
	return true;
}

bool library_table_new(struct library_table *out, const struct image_files *files, struct err *err)
{
	size_t count = (size_t)tree_inode_max(files->tree) + 1;
	struct library_table table = { .files = files };

	table.by_inode = calloc(count, sizeof(*table.by_inode));
	if (!table.by_inode)
		return err_memory(err, "the image's libraries");
	*out = table;
	return true;
}

void library_table_freep(struct library_table *table)
{
	free(table->by_inode);
	arena_freep(&table->arena);
	*table = (struct library_table){ 0 };
}

bool library_table_get(struct library_table *table, uint32_t inode, const struct library **out,
		       struct err *err)
{
	static const struct library no_file = { .fault = "no regular file" };

	if (!image_is_file(table->files, inode)) {
		*out = &no_file;
		return true;
	}
	if (!table->by_inode[inode]) {
		if (table->count >= LIBRARIES_MAX || table->arena.total_bytes > NAMES_BYTES_MAX)
			return err_set(err, ERR_UNSUPPORTED,
				       "the driver's libraries lead to absurdly many others");
		if (!make_library(table, inode, &table->by_inode[inode], err))
			return false;
		table->count++;
	}
	*out = table->by_inode[inode];
	return true;
}
