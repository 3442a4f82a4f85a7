#include "made_library.h"

#include <assert.h>
#include <elf.h>
#include <string.h>

enum { STRINGS_BYTES = 2048, SEGMENTS_MAX = 4, ENTRIES_MAX = 24 };

struct maker {
	const struct made_library *library;
	char *out;
	size_t len;
	char strings[STRINGS_BYTES];
	size_t strings_len;
	Elf64_Phdr segments[SEGMENTS_MAX];
	size_t segment_count;
	Elf64_Dyn entries[ENTRIES_MAX];
	size_t entry_count;
	struct made_library_parts parts;
};

static size_t put(struct maker *maker, const void *data, size_t len)
{
	size_t at = (maker->len + 7) / 8 * 8;

	assert(at + len <= MADE_LIBRARY_BYTES);
	memcpy(maker->out + at, data, len);
	maker->len = at + len;
	return at;
}

static uint32_t put_string(struct maker *maker, const char *text)
{
	size_t at = maker->strings_len, len = strlen(text) + 1;

	assert(at + len <= STRINGS_BYTES);
	memcpy(maker->strings + at, text, len);
	maker->strings_len += len;
	return (uint32_t)at;
}

static void add_segment(struct maker *maker, uint32_t type, size_t at, size_t len)
{
	assert(maker->segment_count < SEGMENTS_MAX);
	maker->segments[maker->segment_count++] = (Elf64_Phdr){ .p_type = type,
								.p_offset = at,
								.p_vaddr = at + MADE_LIBRARY_BASE,
								.p_filesz = len,
								.p_memsz = len };
}

static void add_entry(struct maker *maker, int64_t tag, uint64_t value)
{
	assert(maker->entry_count < ENTRIES_MAX);
	maker->entries[maker->entry_count++] = (Elf64_Dyn){ .d_tag = tag, .d_un.d_val = value };
}

static void add_name(struct maker *maker, int64_t tag, const char *name)
{
	if (name)
		add_entry(maker, tag, put_string(maker, name));
}

static void add_versions_needed(struct maker *maker)
{
	const struct made_library *library = maker->library;
	size_t count = 0, at = 0;

	while (library->versions_needed[count])
		count++;
	for (size_t i = 0; i < count; i++) {
		bool is_last = i + 1 == count;
		struct {
			Elf64_Verneed file;
			Elf64_Vernaux version;
		} row = {
			.file = { .vn_version = VER_NEED_CURRENT,
				  .vn_cnt = 1,
				  .vn_file = put_string(maker, library->version_files[i]),
				  .vn_aux = sizeof(Elf64_Verneed),
				  .vn_next = is_last ? 0 : sizeof(row) },
			.version = { .vna_name = put_string(maker, library->versions_needed[i]),
				     .vna_flags = library->is_weak ? VER_FLG_WEAK : 0 },
		};
		size_t here = put(maker, &row, sizeof(row));

		at = i == 0 ? here : at;
	}
	if (count > 0) {
		add_entry(maker, DT_VERNEED, at + MADE_LIBRARY_BASE);
		add_entry(maker, DT_VERNEEDNUM, count);
		maker->parts.verneed = at;
	}
}

/* The base version first, which is the library's own name. */
static void add_versions_defined(struct maker *maker)
{
	const struct made_library *library = maker->library;
	size_t count = 0, at = 0;

	while (library->versions_defined[count])
		count++;
	if (count == 0)
		return;
	for (size_t i = 0; i <= count; i++) {
		const char *name = i == 0 ? library->soname : library->versions_defined[i - 1];
		struct {
			Elf64_Verdef file;
			Elf64_Verdaux version;
			uint32_t pad;
		} row = {
			.file = { .vd_version = VER_DEF_CURRENT,
				  .vd_flags = i == 0 ? VER_FLG_BASE : 0,
				  .vd_cnt = 1,
				  .vd_aux = sizeof(Elf64_Verdef),
				  .vd_next = i == count ? 0 : sizeof(row) },
			.version = { .vda_name = put_string(maker, name ? name : "") },
		};
		size_t here = put(maker, &row, sizeof(row));

		at = i == 0 ? here : at;
	}
	add_entry(maker, DT_VERDEF, at + MADE_LIBRARY_BASE);
	add_entry(maker, DT_VERDEFNUM, count + 1);
	maker->parts.verdef = at;
}

static void put_dynamic(struct maker *maker)
{
	Elf32_Dyn short_entries[ENTRIES_MAX];
	size_t entry_bytes = maker->library->is_32 ? sizeof(Elf32_Dyn) : sizeof(Elf64_Dyn);
	size_t len = maker->entry_count * entry_bytes;

	for (size_t i = 0; i < maker->entry_count; i++)
		short_entries[i] =
			(Elf32_Dyn){ .d_tag = (int32_t)maker->entries[i].d_tag,
				     .d_un.d_val = (uint32_t)maker->entries[i].d_un.d_val };
	size_t at = put(maker, maker->library->is_32 ? (void *)short_entries : maker->entries, len);

	add_segment(maker, PT_DYNAMIC, at, len);
	maker->parts.dynamic = at;
	maker->parts.dynamic_entry_bytes = entry_bytes;
}

static void add_dynamic(struct maker *maker)
{
	const struct made_library *library = maker->library;

	(void)put_string(maker, "");
	add_name(maker, DT_SONAME, library->soname);
	add_name(maker, DT_RPATH, library->rpath);
	add_name(maker, DT_RUNPATH, library->runpath);
	for (size_t i = 0; library->needed[i]; i++)
		add_name(maker, DT_NEEDED, library->needed[i]);
	add_versions_needed(maker);
	add_versions_defined(maker);
	maker->parts.strings = put(maker, maker->strings, maker->strings_len);
	maker->parts.strings_bytes = maker->strings_len;
	add_entry(maker, DT_STRTAB, maker->parts.strings + MADE_LIBRARY_BASE);
	add_entry(maker, DT_STRSZ, maker->strings_len);
	add_entry(maker, DT_NULL, 0);
	put_dynamic(maker);
}

static void add_note(struct maker *maker)
{
	static const struct {
		Elf64_Nhdr header;
		char name[4];
		uint32_t words[4]; /* Linux, 3.2.0 */
	} note = { { sizeof(ELF_NOTE_GNU), 16, NT_GNU_ABI_TAG }, ELF_NOTE_GNU, { 0, 3, 2, 0 } };

	add_segment(maker, PT_NOTE, put(maker, &note, sizeof(note)), sizeof(note));
}

static void write_header_64(struct maker *maker)
{
	const struct made_library *library = maker->library;
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = library->type ? library->type : ET_DYN,
		.e_machine = library->machine ? library->machine : EM_X86_64,
		.e_phoff = maker->parts.segments,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)maker->segment_count,
	};

	memcpy(maker->out, &header, sizeof(header));
	memcpy(maker->out + header.e_phoff, maker->segments, sizeof(maker->segments));
}

static void write_header_32(struct maker *maker)
{
	const struct made_library *library = maker->library;
	Elf32_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, 1 },
		.e_type = library->type ? library->type : ET_DYN,
		.e_machine = library->machine ? library->machine : EM_386,
		.e_phoff = (uint32_t)maker->parts.segments,
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = (uint16_t)maker->segment_count,
	};
	Elf32_Phdr segments[SEGMENTS_MAX];

	for (size_t i = 0; i < SEGMENTS_MAX; i++)
		segments[i] = (Elf32_Phdr){ .p_type = maker->segments[i].p_type,
					    .p_offset = (uint32_t)maker->segments[i].p_offset,
					    .p_vaddr = (uint32_t)maker->segments[i].p_vaddr,
					    .p_filesz = (uint32_t)maker->segments[i].p_filesz,
					    .p_memsz = (uint32_t)maker->segments[i].p_memsz };
	memcpy(maker->out, &header, sizeof(header));
	memcpy(maker->out + header.e_phoff, segments, sizeof(segments));
}

size_t made_library(char out[MADE_LIBRARY_BYTES], const struct made_library *library,
		    struct made_library_parts *parts)
{
	struct maker maker = { .library = library, .out = out, .len = sizeof(Elf64_Ehdr) };

	memset(out, 0, MADE_LIBRARY_BYTES);
	maker.parts.segments = put(&maker, maker.segments, sizeof(maker.segments));
	add_segment(&maker, PT_LOAD, 0, 0);
	if (library->interpreter) {
		size_t len = strlen(library->interpreter) + 1;

		add_segment(&maker, PT_INTERP, put(&maker, library->interpreter, len), len);
	}
	if (library->has_note)
		add_note(&maker);
	if (!library->is_static)
		add_dynamic(&maker);
	maker.segments[0].p_filesz = maker.segments[0].p_memsz = maker.len;
	if (library->is_32)
		write_header_32(&maker);
	else
		write_header_64(&maker);
	if (parts)
		*parts = maker.parts;
	return maker.len;
}
