#include "library_head.h"

#include <elf.h>
#include <string.h>

#include "base/le.h"
#include "elf_program.h"
#include "layers/content.h"

enum {
	HEAD_BYTES = 1024,  /* one read has the header and, nearly always, all program headers */
	SEGMENTS_MAX = 256, /* glibc's own have 13 */
	DYNAMIC_BYTES_MAX = 16 << 10, /* 1,000 entries: libraries need some dozen others */
	NAME_BYTES_MAX = 1024,
	PROPERTY_BYTES_MAX = 4096,
};

struct reader {
	const struct image_files *files;
	uint32_t inode;
	uint64_t size;
	struct elf_header header;
	struct elf_segment segments[SEGMENTS_MAX]; /* segments[header.segment_count] */
	char dynamic[DYNAMIC_BYTES_MAX];	   /* dynamic[dynamic_len] */
	size_t dynamic_len;
	uint64_t strings; /* file offset */
};

/* As many bytes from offset as there are, at most len; *got 0 past the end. */
MUST_CHECK static bool read_some(const struct reader *reader, uint64_t offset, void *out,
				 size_t len, size_t *got, struct err *err)
{
	*got = 0;
	if (offset >= reader->size)
		return true;
	if (len > reader->size - offset)
		len = (size_t)(reader->size - offset);
	if (!content_read(reader->files->tree, reader->files->data_fds, reader->inode, offset, out,
			  len, err))
		return false;
	*got = len;
	return true;
}

MUST_CHECK static bool read_segments(struct reader *reader, bool *is_elf, struct err *err)
{
	char head[HEAD_BYTES], table[SEGMENTS_MAX * ELF_SEGMENT_BYTES_MAX];
	struct err ignored = { 0 };
	const char *from = table;
	size_t got = 0;

	*is_elf = false;
	if (!read_some(reader, 0, head, sizeof(head), &got, err))
		return false;
	if (!elf_header_read(&reader->header, (struct view){ head, got }, &ignored) ||
	    reader->header.segment_count > SEGMENTS_MAX)
		return true;
	uint64_t at = reader->header.segments_offset;
	size_t len = reader->header.segment_count * reader->header.segment_bytes;

	if (at <= got && len <= got - at)
		from = head + at;
	else if (!read_some(reader, at, table, len, &got, err))
		return false;
	else if (got < len)
		return true;
	for (size_t i = 0; i < reader->header.segment_count; i++)
		reader->segments[i] =
			elf_segment_read(&reader->header, from + i * reader->header.segment_bytes);
	*is_elf = true;
	return true;
}

static const struct elf_segment *find_segment(const struct reader *reader, uint32_t type)
{
	for (size_t i = 0; i < reader->header.segment_count; i++)
		if (reader->segments[i].type == type)
			return &reader->segments[i];
	return NULL;
}

static uint64_t offset_of(const struct reader *reader, uint64_t address)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < reader->header.segment_count; i++)
		if (elf_segment_translate(&reader->segments[i], address, &offset))
			return offset;
	return address; /* as ldconfig takes it */
}

/* The next dynamic entry of that tag from *cursor on. */
static bool next_value(const struct reader *reader, int64_t tag, size_t *cursor, uint64_t *value)
{
	size_t step = reader->header.dynamic_bytes;

	while (*cursor + step <= reader->dynamic_len) {
		struct elf_dynamic_entry entry =
			elf_dynamic_entry_read(&reader->header, reader->dynamic + *cursor);

		if (entry.tag == DT_NULL)
			return false;
		*cursor += step;
		if (entry.tag == tag) {
			*value = entry.value;
			return true;
		}
	}
	return false;
}

/* The dynamic segment into reader->dynamic; *is_there false for what is no library. */
MUST_CHECK static bool read_dynamic(struct reader *reader, bool *is_there, struct err *err)
{
	const struct elf_segment *segment = find_segment(reader, PT_DYNAMIC);
	uint64_t address = 0;
	size_t cursor = 0;

	*is_there = false;
	if (!segment)
		return true;
	size_t len = segment->file_bytes < DYNAMIC_BYTES_MAX ? (size_t)segment->file_bytes
							     : DYNAMIC_BYTES_MAX;

	if (!read_some(reader, segment->offset, reader->dynamic, len, &reader->dynamic_len, err))
		return false;
	if (!next_value(reader, DT_STRTAB, &cursor, &address))
		return true;
	reader->strings = offset_of(reader, address);
	*is_there = reader->strings < reader->size;
	return true;
}

/* A dynamic string; *len 0 when it does not end in time. */
MUST_CHECK static bool read_string(const struct reader *reader, uint64_t offset,
				   char out[NAME_BYTES_MAX], size_t *len, struct err *err)
{
	uint64_t at = 0;
	size_t got = 0;

	*len = 0;
	if (__builtin_add_overflow(reader->strings, offset, &at))
		return true;
	if (!read_some(reader, at, out, NAME_BYTES_MAX, &got, err))
		return false;
	const char *end = memchr(out, '\0', got);

	*len = end ? (size_t)(end - out) : 0;
	return true;
}

MUST_CHECK static bool read_soname(const struct reader *reader, struct library_head *head,
				   struct arena *arena, struct err *err)
{
	char name[NAME_BYTES_MAX];
	size_t cursor = 0, len = 0;
	uint64_t value = 0;

	if (!next_value(reader, DT_SONAME, &cursor, &value))
		return true;
	if (!read_string(reader, value, name, &len, err))
		return false;
	if (len == 0) {
		head->is_library = false;
		return true;
	}
	head->soname = arena_copy(arena, name, len);
	return head->soname ? true : err_memory(err, "a library's name");
}

/* Only 32-bit x86 libraries were ever told apart by it. */
MUST_CHECK static bool read_needs(const struct reader *reader, struct library_head *head,
				  struct err *err)
{
	char name[NAME_BYTES_MAX];
	size_t len = 0;
	uint64_t value = 0;

	head->needs_libc6 = head->is_64 || head->interpreter;
	for (size_t cursor = 0; !head->needs_libc6 && head->machine == EM_386 &&
				next_value(reader, DT_NEEDED, &cursor, &value);) {
		if (!read_string(reader, value, name, &len, err))
			return false;
		struct view needed = { name, len };

		head->needs_libc6 =
			view_equal(needed, "libc.so.6") || view_equal(needed, "libm.so.6");
	}
	return true;
}

/* The highest bit of GNU_PROPERTY_X86_ISA_1_NEEDED among the properties of one note. */
static unsigned isa_level_of(struct view properties, size_t align)
{
	while (properties.len >= 8) {
		uint32_t type = le32_get(properties.ptr), len = le32_get(properties.ptr + 4);
		struct view rest = view_from(properties, 8);

		if (len > rest.len || type > GNU_PROPERTY_X86_ISA_1_NEEDED)
			return 0;
		if (type == GNU_PROPERTY_X86_ISA_1_NEEDED) {
			uint32_t bits = len == 4 ? le32_get(rest.ptr) : 0;

			return bits == 0 ? 0 : 31 - (unsigned)__builtin_clz(bits);
		}
		properties = view_from(rest, (len + align - 1) / align * align);
	}
	return 0;
}

MUST_CHECK static bool read_isa_level(const struct reader *reader, struct library_head *head,
				      struct err *err)
{
	const struct elf_segment *segment = find_segment(reader, PT_GNU_PROPERTY);
	size_t align = head->is_64 ? 8 : 4, got = 0;
	char notes[PROPERTY_BYTES_MAX];

	if (!segment || segment->file_bytes > sizeof(notes))
		return true;
	if (!read_some(reader, segment->offset, notes, (size_t)segment->file_bytes, &got, err))
		return false;
	struct view rest = { notes, got };

	while (rest.len >= sizeof(Elf64_Nhdr)) {
		uint64_t name_bytes = ((uint64_t)le32_get(rest.ptr) + 3) / 4 * 4;
		uint64_t bytes = le32_get(rest.ptr + 4), type = le32_get(rest.ptr + 8);
		struct view content = view_from(rest, sizeof(Elf64_Nhdr) + name_bytes);

		if (rest.len - sizeof(Elf64_Nhdr) < name_bytes || bytes > content.len)
			return true;
		if (type == NT_GNU_PROPERTY_TYPE_0 && name_bytes == 4 &&
		    memcmp(rest.ptr + sizeof(Elf64_Nhdr), ELF_NOTE_GNU, 4) == 0) {
			content.len = bytes;
			head->isa_level = isa_level_of(content, align);
			return true;
		}
		rest = view_from(content, (bytes + align - 1) / align * align);
	}
	return true;
}

MUST_CHECK static bool read_interpreter(const struct reader *reader, struct library_head *head,
					struct arena *arena, struct err *err)
{
	const struct elf_segment *segment = find_segment(reader, PT_INTERP);
	char name[NAME_BYTES_MAX];
	size_t got = 0;

	if (!segment)
		return true;
	if (!read_some(reader, segment->offset, name, sizeof(name), &got, err))
		return false;
	const char *end = memchr(name, '\0', got);

	if (!end)
		return true;
	head->interpreter = arena_copy(arena, name, (size_t)(end - name));
	return head->interpreter ? true : err_memory(err, "an interpreter's name");
}

bool library_head_read(struct library_head *out, const struct image_files *files, uint32_t inode,
		       struct arena *arena, struct err *err)
{
	struct library_head head = { 0 };
	struct reader reader;

	reader.files = files;
	reader.inode = inode;
	reader.size = image_file_bytes(files, inode);
	reader.dynamic_len = 0;
	if (!read_segments(&reader, &head.is_elf, err))
		return false;
	if (head.is_elf) {
		head.is_64 = reader.header.is_64;
		head.machine = reader.header.machine;
		head.elf_flags = reader.header.flags;
		if (!read_interpreter(&reader, &head, arena, err))
			return false;
	}
	if (head.is_elf && reader.header.type == ET_DYN &&
	    !read_dynamic(&reader, &head.is_library, err))
		return false;
	if (head.is_library &&
	    (!read_soname(&reader, &head, arena, err) || !read_needs(&reader, &head, err) ||
	     !read_isa_level(&reader, &head, err)))
		return false;
	*out = head;
	return true;
}
