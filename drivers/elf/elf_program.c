#include "elf_program.h"

#include <elf.h>
#include <string.h>

MUST_CHECK static bool check_ident(struct view head, struct err *err)
{
	if (head.len < EI_NIDENT || memcmp(head.ptr, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_FORMAT, "not an ELF file");
	if (head.ptr[EI_DATA] == ELFDATA2MSB)
		return err_set(err, ERR_UNSUPPORTED, "not a little-endian ELF file");
	if (head.ptr[EI_DATA] != ELFDATA2LSB ||
	    (head.ptr[EI_CLASS] != ELFCLASS64 && head.ptr[EI_CLASS] != ELFCLASS32))
		return err_set(err, ERR_FORMAT, "an ELF file of no known class");
	return true;
}

static struct elf_header from_64(struct view head, uint16_t *entry_bytes)
{
	Elf64_Ehdr header;

	memcpy(&header, head.ptr, sizeof(header));
	*entry_bytes = header.e_phentsize;
	return (struct elf_header){ .is_64 = true,
				    .type = header.e_type,
				    .machine = header.e_machine,
				    .flags = header.e_flags,
				    .segments_offset = header.e_phoff,
				    .segment_count = header.e_phnum,
				    .segment_bytes = sizeof(Elf64_Phdr),
				    .dynamic_bytes = sizeof(Elf64_Dyn) };
}

static struct elf_header from_32(struct view head, uint16_t *entry_bytes)
{
	Elf32_Ehdr header;

	memcpy(&header, head.ptr, sizeof(header));
	*entry_bytes = header.e_phentsize;
	return (struct elf_header){ .type = header.e_type,
				    .machine = header.e_machine,
				    .flags = header.e_flags,
				    .segments_offset = header.e_phoff,
				    .segment_count = header.e_phnum,
				    .segment_bytes = sizeof(Elf32_Phdr),
				    .dynamic_bytes = sizeof(Elf32_Dyn) };
}

bool elf_header_read(struct elf_header *out, struct view head, struct err *err)
{
	uint16_t entry_bytes = 0;

	if (!check_ident(head, err))
		return false;
	bool is_64 = head.ptr[EI_CLASS] == ELFCLASS64;

	if (head.len < (is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return err_set(err, ERR_FORMAT, "an ELF file that is cut off");
	struct elf_header header =
		is_64 ? from_64(head, &entry_bytes) : from_32(head, &entry_bytes);

	if (header.segment_count > 0 && entry_bytes != header.segment_bytes)
		return err_set(err, ERR_FORMAT, "an ELF file with program headers of %u bytes",
			       entry_bytes);
	/* The escape for more is for core dumps. */
	if (header.segment_count == PN_XNUM)
		return err_set(err, ERR_FORMAT, "an ELF file with absurdly many segments");
	*out = header;
	return true;
}

struct elf_segment elf_segment_read(const struct elf_header *header, const char *at)
{
	Elf64_Phdr long_header;
	Elf32_Phdr short_header;

	if (header->is_64) {
		memcpy(&long_header, at, sizeof(long_header));
		return (struct elf_segment){ .type = long_header.p_type,
					     .offset = long_header.p_offset,
					     .file_bytes = long_header.p_filesz,
					     .address = long_header.p_vaddr };
	}
	memcpy(&short_header, at, sizeof(short_header));
	return (struct elf_segment){ .type = short_header.p_type,
				     .offset = short_header.p_offset,
				     .file_bytes = short_header.p_filesz,
				     .address = short_header.p_vaddr };
}

struct elf_dynamic_entry elf_dynamic_entry_read(const struct elf_header *header, const char *at)
{
	Elf64_Dyn long_entry;
	Elf32_Dyn short_entry;

	if (header->is_64) {
		memcpy(&long_entry, at, sizeof(long_entry));
		return (struct elf_dynamic_entry){ long_entry.d_tag, long_entry.d_un.d_val };
	}
	memcpy(&short_entry, at, sizeof(short_entry));
	return (struct elf_dynamic_entry){ short_entry.d_tag, short_entry.d_un.d_val };
}

bool elf_segment_translate(const struct elf_segment *segment, uint64_t address, uint64_t *offset)
{
	return segment->type == PT_LOAD && address >= segment->address &&
	       address - segment->address < segment->file_bytes &&
	       !__builtin_add_overflow(segment->offset, address - segment->address, offset);
}
