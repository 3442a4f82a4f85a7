#include "elf.h"

#include <elf.h>
#include <string.h>

static bool is_inside(struct view bytes, uint64_t offset, uint64_t len)
{
	uint64_t end = 0;

	return !__builtin_add_overflow(offset, len, &end) && end <= bytes.len;
}

static Elf64_Shdr header_at(const struct elf *elf, uint64_t index)
{
	Elf64_Shdr header;

	memcpy(&header, elf->bytes.ptr + elf->section_offset + index * sizeof(header),
	       sizeof(header));
	return header;
}

/* The name that starts at offset, or a view with NULL when it does not end inside the names. */
static struct view name_at(const struct elf *elf, uint32_t offset)
{
	struct view rest = view_from(elf->names, offset);
	ptrdiff_t len = view_find(rest, '\0');

	return len < 0 ? (struct view){ 0 } : (struct view){ rest.ptr, (size_t)len };
}

MUST_CHECK static bool check_ident(const Elf64_Ehdr *header, struct err *err)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_FORMAT, "not an ELF file");
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return err_set(err, ERR_UNSUPPORTED, "not a 64-bit ELF file");
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(err, ERR_UNSUPPORTED, "not a little-endian ELF file");
	return true;
}

/* Where the section table is and how many entries it has. */
MUST_CHECK static bool find_table(struct elf *elf, const Elf64_Ehdr *header, struct err *err)
{
	uint64_t table_bytes = 0;

	if (header->e_shoff == 0)
		return true;
	if (header->e_shentsize != sizeof(Elf64_Shdr) ||
	    !is_inside(elf->bytes, header->e_shoff, sizeof(Elf64_Shdr)))
		return err_set(err, ERR_FORMAT, "an ELF file whose section table is off");
	elf->section_offset = header->e_shoff;
	elf->section_count = header->e_shnum ? header->e_shnum : header_at(elf, 0).sh_size;
	if (__builtin_mul_overflow(elf->section_count, sizeof(Elf64_Shdr), &table_bytes) ||
	    !is_inside(elf->bytes, header->e_shoff, table_bytes))
		return err_set(err, ERR_FORMAT, "an ELF file whose section table is cut off");
	return true;
}

MUST_CHECK static bool find_names(struct elf *elf, const Elf64_Ehdr *header, struct err *err)
{
	if (elf->section_count == 0)
		return true;
	uint32_t index = header->e_shstrndx == SHN_XINDEX ? header_at(elf, 0).sh_link :
							    header->e_shstrndx;

	if (index == SHN_UNDEF)
		return err_set(err, ERR_FORMAT, "an ELF file without section names");
	if (index >= elf->section_count)
		return err_set(err, ERR_FORMAT, "an ELF file whose section names are nowhere");
	Elf64_Shdr names = header_at(elf, index);

	if (names.sh_type != SHT_STRTAB ||
	    !is_inside(elf->bytes, names.sh_offset, names.sh_size))
		return err_set(err, ERR_FORMAT, "an ELF file whose section names are outside it");
	elf->names = (struct view){ elf->bytes.ptr + names.sh_offset, names.sh_size };
	return true;
}

MUST_CHECK static bool check_sections(const struct elf *elf, struct err *err)
{
	for (uint64_t i = 0; i < elf->section_count; i++) {
		Elf64_Shdr header = header_at(elf, i);
		bool has_bytes = header.sh_type != SHT_NOBITS && header.sh_type != SHT_NULL;

		if (has_bytes && !is_inside(elf->bytes, header.sh_offset, header.sh_size))
			return err_set(err, ERR_FORMAT, "ELF section %llu lies outside the file",
				       (unsigned long long)i);
		if (!name_at(elf, header.sh_name).ptr)
			return err_set(err, ERR_FORMAT, "ELF section %llu has a broken name",
				       (unsigned long long)i);
	}
	return true;
}

bool elf_open(struct elf *out, struct view bytes, struct err *err)
{
	struct elf elf = { .bytes = bytes };
	Elf64_Ehdr header;

	if (bytes.len < sizeof(header))
		return err_set(err, ERR_FORMAT, "not an ELF file: %zu bytes", bytes.len);
	memcpy(&header, bytes.ptr, sizeof(header));
	if (!check_ident(&header, err))
		return false;
	elf.type = header.e_type;
	elf.machine = header.e_machine;
	if (!find_table(&elf, &header, err) || !find_names(&elf, &header, err) ||
	    !check_sections(&elf, err))
		return false;
	*out = elf;
	return true;
}

struct elf_section elf_section_at(const struct elf *elf, uint64_t index)
{
	Elf64_Shdr header = header_at(elf, index);
	bool has_bytes = header.sh_type != SHT_NOBITS && header.sh_type != SHT_NULL;

	return (struct elf_section){
		.name = name_at(elf, header.sh_name),
		.content = has_bytes ? (struct view){ elf->bytes.ptr + header.sh_offset,
						      header.sh_size } :
				       (struct view){ 0 },
		.size = header.sh_size,
		.flags = header.sh_flags,
		.address = header.sh_addr,
		.entry_size = header.sh_entsize,
		.type = header.sh_type,
		.link = header.sh_link,
		.info = header.sh_info,
	};
}

bool elf_find(const struct elf *elf, const char *name, struct elf_section *out)
{
	for (uint64_t i = 0; i < elf->section_count; i++) {
		struct elf_section section = elf_section_at(elf, i);

		if (view_equal(section.name, name)) {
			*out = section;
			return true;
		}
	}
	return false;
}
