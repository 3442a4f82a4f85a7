#include "library_head.h"

#include <elf.h>
#include <string.h>

#include "base/le.h"
#include "library_reader.h"

enum {
	INTERPRETER_BYTES_MAX = 1024,
	PROPERTY_BYTES_MAX = 4096,
};

MUST_CHECK static bool read_soname(struct library_reader *reader, struct library_head *head,
				   struct arena *arena, struct err *err)
{
	size_t cursor = 0;
	uint64_t value = 0;
	struct view name;

	if (!library_reader_value(reader, DT_SONAME, &cursor, &value))
		return true;
	if (!library_reader_string(reader, value, &name, err))
		return false;
	if (name.len == 0) {
		head->is_library = false;
		return true;
	}
	head->soname = arena_copy(arena, name.ptr, name.len);
	return head->soname ? true : err_memory(err, "a library's name");
}

/* Only 32-bit x86 libraries were ever told apart by it. */
MUST_CHECK static bool read_needs(struct library_reader *reader, struct library_head *head,
				  struct err *err)
{
	uint64_t value = 0;
	struct view needed;

	head->needs_libc6 = head->is_64 || head->interpreter;
	for (size_t cursor = 0; !head->needs_libc6 && head->machine == EM_386 &&
				library_reader_value(reader, DT_NEEDED, &cursor, &value);) {
		if (!library_reader_string(reader, value, &needed, err))
			return false;
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

MUST_CHECK static bool read_isa_level(const struct library_reader *reader,
				      struct library_head *head, struct err *err)
{
	const struct elf_segment *segment = library_reader_segment(reader, PT_GNU_PROPERTY);
	size_t align = head->is_64 ? 8 : 4, got = 0;
	char notes[PROPERTY_BYTES_MAX];

	if (!segment || segment->file_bytes > sizeof(notes))
		return true;
	if (!library_reader_some(reader, segment->offset, notes, (size_t)segment->file_bytes, &got,
				 err))
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

MUST_CHECK static bool read_interpreter(const struct library_reader *reader,
					struct library_head *head, struct arena *arena,
					struct err *err)
{
	const struct elf_segment *segment = library_reader_segment(reader, PT_INTERP);
	char name[INTERPRETER_BYTES_MAX];
	size_t got = 0;

	if (!segment)
		return true;
	if (!library_reader_some(reader, segment->offset, name, sizeof(name), &got, err))
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
	struct library_reader reader;
	struct err fault = { 0 };

	if (!library_reader_open(&reader, files, inode, &fault, err))
		return false;
	head.is_elf = fault.kind == ERR_NONE;
	if (head.is_elf) {
		head.is_64 = reader.header.is_64;
		head.machine = reader.header.machine;
		head.elf_flags = reader.header.flags;
		if (!read_interpreter(&reader, &head, arena, err))
			return false;
	}
	if (head.is_elf && reader.header.type == ET_DYN &&
	    !library_reader_dynamic(&reader, &head.is_library, err))
		return false;
	if (head.is_library &&
	    (!read_soname(&reader, &head, arena, err) || !read_needs(&reader, &head, err) ||
	     !read_isa_level(&reader, &head, err)))
		return false;
	*out = head;
	return true;
}
