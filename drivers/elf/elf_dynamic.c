#include "elf_dynamic.h"

#include <elf.h>
#include <string.h>

#include "elf_program.h"

enum {
	/* Of both kinds in one file; glibc's libc.so.6 defines 40, needs 3. A cap because entries
	 * may overlap, so that a small file could otherwise list them for hours. */
	VERSIONS_MAX = 1 << 20,
};

/* The two tables of versions have the same shape in other numbers. */
enum version_table { VERSIONS_NEEDED, VERSIONS_DEFINED };

/* One row of the outer list, whichever table it is of. */
struct version_file {
	uint32_t count, inner_offset, next_offset; /* offsets are relative to the row */
	uint32_t name;				   /* of the file, for what is needed */
	bool is_base; /* stands for the file itself, and is no version */
};

static bool is_inside(struct view bytes, uint64_t offset, uint64_t len)
{
	uint64_t end = 0;

	return !__builtin_add_overflow(offset, len, &end) && end <= bytes.len;
}

static struct view string_at(const struct elf_dynamic *elf, uint64_t offset)
{
	if (offset >= elf->strings.len)
		return (struct view){ 0 };
	struct view rest = view_from(elf->strings, offset);
	ptrdiff_t len = view_find(rest, '\0');

	return len < 0 ? (struct view){ 0 } : (struct view){ rest.ptr, (size_t)len };
}

static struct elf_header shape_of(const struct elf_dynamic *elf)
{
	return (struct elf_header){ .is_64 = elf->is_64,
				    .dynamic_bytes =
					    elf->is_64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn) };
}

/* The entry at *cursor, which moves on; false at DT_NULL and at the segment's end. */
static bool next_entry(const struct elf_dynamic *elf, size_t *cursor,
		       struct elf_dynamic_entry *entry)
{
	struct elf_header shape = shape_of(elf);

	if (!is_inside(elf->dynamic, *cursor, shape.dynamic_bytes))
		return false;
	*entry = elf_dynamic_entry_read(&shape, elf->dynamic.ptr + *cursor);
	if (entry->tag == DT_NULL)
		return false;
	*cursor += shape.dynamic_bytes;
	return true;
}

static size_t note_align(size_t len)
{
	return len % 4 == 0 ? len : len + 4 - len % 4;
}

/* The ABI note among the notes of one segment. */
static void find_note(struct elf_dynamic *elf, struct view notes)
{
	Elf64_Nhdr note; /* ELF32's is the same */

	while (notes.len >= sizeof(note)) {
		memcpy(&note, notes.ptr, sizeof(note));
		size_t name_bytes = note_align(note.n_namesz);
		size_t content_bytes = note_align(note.n_descsz);
		struct view rest = view_from(notes, sizeof(note));

		if (rest.len < name_bytes || rest.len - name_bytes < note.n_descsz)
			return;
		if (note.n_type == NT_GNU_ABI_TAG && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(rest.ptr, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0) {
			elf->osabi_note = (struct view){ rest.ptr + name_bytes, note.n_descsz };
			return;
		}
		notes = view_from(rest, name_bytes + content_bytes);
	}
}

MUST_CHECK static bool take_segment(struct elf_dynamic *elf, const struct elf_segment *segment,
				    struct err *err)
{
	if (segment->type != PT_INTERP && segment->type != PT_DYNAMIC && segment->type != PT_NOTE)
		return true;
	if (!is_inside(elf->bytes, segment->offset, segment->file_bytes))
		return err_set(err, ERR_FORMAT, "ELF segment of type %u lies outside the file",
			       segment->type);
	struct view content = { elf->bytes.ptr + segment->offset, segment->file_bytes };

	if (segment->type == PT_NOTE && !elf->osabi_note.ptr) {
		find_note(elf, content);
	} else if (segment->type == PT_DYNAMIC && !elf->is_dynamic) {
		elf->is_dynamic = true;
		elf->dynamic = content;
	} else if (segment->type == PT_INTERP && !elf->interpreter.ptr) {
		ptrdiff_t len = view_find(content, '\0');

		if (len < 0)
			return err_set(err, ERR_FORMAT, "an interpreter's name without an end");
		elf->interpreter = (struct view){ content.ptr, (size_t)len };
	}
	return true;
}

MUST_CHECK static bool take_segments(struct elf_dynamic *elf, const struct elf_header *header,
				     struct view *table, struct err *err)
{
	uint64_t table_bytes = header->segment_count * header->segment_bytes;

	if (header->segment_count == 0)
		return true;
	if (!is_inside(elf->bytes, header->segments_offset, table_bytes))
		return err_set(err, ERR_FORMAT, "an ELF file whose program headers are cut off");
	*table = (struct view){ elf->bytes.ptr + header->segments_offset, table_bytes };
	for (size_t at = 0; at < table->len; at += header->segment_bytes) {
		struct elf_segment segment = elf_segment_read(header, table->ptr + at);

		if (!take_segment(elf, &segment, err))
			return false;
	}
	return true;
}

/* What the dynamic entries say, as they say it: addresses, and offsets of strings. */
struct dynamic_values {
	uint64_t strings, strings_bytes, soname, rpath, runpath, verneed, verdef;
	bool has_strings, has_strings_bytes, has_soname, has_rpath, has_runpath, has_verneed,
		has_verdef;
};

static void take_value(struct dynamic_values *values, struct elf_dynamic *elf,
		       const struct elf_dynamic_entry *entry)
{
	const struct {
		int64_t tag;
		uint64_t *value;
		bool *is_there;
	} rows[] = {
		{ DT_STRTAB, &values->strings, &values->has_strings },
		{ DT_STRSZ, &values->strings_bytes, &values->has_strings_bytes },
		{ DT_SONAME, &values->soname, &values->has_soname },
		{ DT_RPATH, &values->rpath, &values->has_rpath },
		{ DT_RUNPATH, &values->runpath, &values->has_runpath },
		{ DT_VERNEED, &values->verneed, &values->has_verneed },
		{ DT_VERDEF, &values->verdef, &values->has_verdef },
		{ DT_VERNEEDNUM, &elf->verneed_count, NULL },
		{ DT_VERDEFNUM, &elf->verdef_count, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (entry->tag != rows[i].tag)
			continue;
		*rows[i].value = entry->value;
		if (rows[i].is_there)
			*rows[i].is_there = true;
	}
}

MUST_CHECK static bool translate(const struct elf_header *header, struct view table,
				 uint64_t address, uint64_t *offset, struct err *err)
{
	for (size_t at = 0; at < table.len; at += header->segment_bytes) {
		struct elf_segment segment = elf_segment_read(header, table.ptr + at);

		if (elf_segment_translate(&segment, address, offset))
			return true;
	}
	return err_set(err, ERR_FORMAT, "an ELF file whose dynamic table leads outside of it");
}

MUST_CHECK static bool take_strings(struct elf_dynamic *elf, const struct elf_header *header,
				    struct view table, const struct dynamic_values *values,
				    struct err *err)
{
	uint64_t offset = 0;

	if (!values->has_strings)
		return true;
	if (!translate(header, table, values->strings, &offset, err))
		return false;
	if (!values->has_strings_bytes || !is_inside(elf->bytes, offset, values->strings_bytes))
		return err_set(err, ERR_FORMAT, "an ELF file whose dynamic strings are cut off");
	elf->strings = (struct view){ elf->bytes.ptr + offset, values->strings_bytes };
	return true;
}

MUST_CHECK static bool take_names(struct elf_dynamic *elf, const struct dynamic_values *values,
				  struct err *err)
{
	const struct {
		bool is_there;
		uint64_t value;
		struct view *out;
	} rows[] = {
		{ values->has_soname, values->soname, &elf->soname },
		{ values->has_rpath, values->rpath, &elf->rpath },
		{ values->has_runpath, values->runpath, &elf->runpath },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].is_there)
			continue;
		*rows[i].out = string_at(elf, rows[i].value);
		if (!rows[i].out->ptr)
			return err_set(err, ERR_FORMAT, "an ELF file with a broken name");
	}
	return true;
}

MUST_CHECK static bool check_needed(const struct elf_dynamic *elf, struct err *err)
{
	struct elf_dynamic_entry entry;

	for (size_t cursor = 0; next_entry(elf, &cursor, &entry);)
		if (entry.tag == DT_NEEDED && !string_at(elf, entry.value).ptr)
			return err_set(err, ERR_FORMAT, "an ELF file with a broken DT_NEEDED");
	return true;
}

bool elf_dynamic_next_needed(const struct elf_dynamic *elf, size_t *cursor, struct view *name)
{
	struct elf_dynamic_entry entry;

	while (next_entry(elf, cursor, &entry))
		if (entry.tag == DT_NEEDED) {
			*name = string_at(elf, entry.value);
			return true;
		}
	return false;
}

static bool read_file_row(const struct elf_dynamic *elf, enum version_table table, uint64_t at,
			  struct version_file *out)
{
	Elf64_Verneed needed; /* ELF32's are the same */
	Elf64_Verdef defined;

	if (table == VERSIONS_NEEDED) {
		if (!is_inside(elf->bytes, at, sizeof(needed)))
			return false;
		memcpy(&needed, elf->bytes.ptr + at, sizeof(needed));
		*out = (struct version_file){ .count = needed.vn_cnt,
					      .inner_offset = needed.vn_aux,
					      .next_offset = needed.vn_next,
					      .name = needed.vn_file };
		return true;
	}
	if (!is_inside(elf->bytes, at, sizeof(defined)))
		return false;
	memcpy(&defined, elf->bytes.ptr + at, sizeof(defined));
	/* Behind the first name come its parents', which have rows of their own. */
	*out = (struct version_file){ .count = defined.vd_cnt > 0 ? 1 : 0,
				      .inner_offset = defined.vd_aux,
				      .next_offset = defined.vd_next,
				      .is_base = defined.vd_flags & VER_FLG_BASE };
	return true;
}

enum version_step { VERSION_NO_MORE, VERSION_FOUND, VERSION_BROKEN };

struct version_found {
	struct view file, version;
	bool is_weak;
};

/* The version at the cursor, which moves on; past a row's last one its number is past all. */
static enum version_step take_version(const struct elf_dynamic *elf, enum version_table table,
				      struct elf_version_cursor *cursor, struct version_found *out)
{
	uint64_t at = cursor->version_offset, next = 0;
	Elf64_Vernaux needed;
	Elf64_Verdaux defined;

	if (table == VERSIONS_NEEDED) {
		if (!is_inside(elf->bytes, at, sizeof(needed)))
			return VERSION_BROKEN;
		memcpy(&needed, elf->bytes.ptr + at, sizeof(needed));
		out->version = string_at(elf, needed.vna_name);
		out->is_weak = needed.vna_flags & VER_FLG_WEAK;
		next = needed.vna_next;
	} else {
		if (!is_inside(elf->bytes, at, sizeof(defined)))
			return VERSION_BROKEN;
		memcpy(&defined, elf->bytes.ptr + at, sizeof(defined));
		out->version = string_at(elf, defined.vda_name);
	}
	cursor->version_offset = at + next;
	cursor->version_number = next == 0 ? UINT64_MAX : cursor->version_number + 1;
	return out->version.ptr ? VERSION_FOUND : VERSION_BROKEN;
}

static enum version_step next_version(const struct elf_dynamic *elf, enum version_table table,
				      struct elf_version_cursor *cursor, struct version_found *out)
{
	bool is_needed = table == VERSIONS_NEEDED;
	uint64_t count = is_needed ? elf->verneed_count : elf->verdef_count;
	struct version_file file;

	if (cursor->file_offset == 0)
		cursor->file_offset = is_needed ? elf->verneed_offset : elf->verdef_offset;
	while (cursor->file_number < count) {
		if (!read_file_row(elf, table, cursor->file_offset, &file))
			return VERSION_BROKEN;
		if (!file.is_base && cursor->version_number < file.count) {
			if (cursor->version_number == 0)
				cursor->version_offset = cursor->file_offset + file.inner_offset;
			out->file = is_needed ? string_at(elf, file.name) : (struct view){ 0 };
			return is_needed && !out->file.ptr ? VERSION_BROKEN
							   : take_version(elf, table, cursor, out);
		}
		cursor->version_number = 0;
		cursor->file_offset += file.next_offset;
		cursor->file_number = file.next_offset == 0 ? count : cursor->file_number + 1;
	}
	return VERSION_NO_MORE;
}

bool elf_dynamic_next_version_needed(const struct elf_dynamic *elf,
				     struct elf_version_cursor *cursor, struct view *file,
				     struct view *version, bool *is_weak)
{
	struct version_found found = { 0 };

	if (next_version(elf, VERSIONS_NEEDED, cursor, &found) != VERSION_FOUND)
		return false;
	*file = found.file;
	*version = found.version;
	*is_weak = found.is_weak;
	return true;
}

bool elf_dynamic_next_version_defined(const struct elf_dynamic *elf,
				      struct elf_version_cursor *cursor, struct view *version)
{
	struct version_found found = { 0 };

	if (next_version(elf, VERSIONS_DEFINED, cursor, &found) != VERSION_FOUND)
		return false;
	*version = found.version;
	return true;
}

/* Walk the whole table once: what was walked here cannot break later. */
MUST_CHECK static bool check_versions(const struct elf_dynamic *elf, enum version_table table,
				      struct err *err)
{
	struct elf_version_cursor cursor = { 0 };
	struct version_found found = { 0 };
	enum version_step step = VERSION_FOUND;

	for (size_t count = 0; step == VERSION_FOUND; count++) {
		if (count == VERSIONS_MAX)
			return err_set(err, ERR_FORMAT, "an ELF file with absurdly many versions");
		step = next_version(elf, table, &cursor, &found);
	}
	if (step == VERSION_BROKEN)
		return err_set(err, ERR_FORMAT, "an ELF file with a broken version table");
	return true;
}

MUST_CHECK static bool take_versions(struct elf_dynamic *elf, const struct elf_header *header,
				     struct view table, const struct dynamic_values *values,
				     struct err *err)
{
	if (values->has_verneed &&
	    !translate(header, table, values->verneed, &elf->verneed_offset, err))
		return false;
	if (values->has_verdef &&
	    !translate(header, table, values->verdef, &elf->verdef_offset, err))
		return false;
	if (!values->has_verneed)
		elf->verneed_count = 0;
	if (!values->has_verdef)
		elf->verdef_count = 0;
	return check_versions(elf, VERSIONS_NEEDED, err) &&
	       check_versions(elf, VERSIONS_DEFINED, err);
}

bool elf_dynamic_open(struct elf_dynamic *out, struct view bytes, struct err *err)
{
	struct elf_dynamic elf = { .bytes = bytes };
	struct dynamic_values values = { 0 };
	struct elf_dynamic_entry entry;
	struct elf_header header;
	struct view table = { 0 }; /* of the program headers */

	if (!elf_header_read(&header, bytes, err))
		return false;
	elf.is_64 = header.is_64;
	elf.type = header.type;
	elf.machine = header.machine;
	elf.flags = header.flags;
	if (!take_segments(&elf, &header, &table, err))
		return false;
	for (size_t cursor = 0; next_entry(&elf, &cursor, &entry);)
		take_value(&values, &elf, &entry);
	if (!take_strings(&elf, &header, table, &values, err) || !take_names(&elf, &values, err) ||
	    !check_needed(&elf, err) || !take_versions(&elf, &header, table, &values, err))
		return false;
	*out = elf;
	return true;
}
