/* An ELF file with one section besides its names: as small as the format allows. Ours, so nothing
 * is checked. */
#pragma once

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/view.h"

enum { MADE_SECTION_BYTES = 4096 };

/* file_type: ET_DYN, ET_REL; type: SHT_NOTE, SHT_PROGBITS, … Returns the length. */
static inline size_t made_elf_section(char out[MADE_SECTION_BYTES], uint16_t file_type,
				      const char *name, uint32_t type, struct view content)
{
	static const char names_name[] = ".shstrtab";
	size_t name_len = strlen(name), names_at = sizeof(Elf64_Ehdr);
	size_t names_len = 1 + name_len + 1 + sizeof(names_name);
	size_t content_at = (names_at + names_len + 7) / 8 * 8;
	size_t table_at = (content_at + content.len + 7) / 8 * 8;
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = file_type,
		.e_machine = EM_X86_64,
		.e_shoff = table_at,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	Elf64_Shdr sections[3] = {
		[1] = { .sh_name = 1,
			.sh_type = type,
			.sh_offset = content_at,
			.sh_size = content.len },
		[2] = { .sh_name = (uint32_t)(1 + name_len + 1),
			.sh_type = SHT_STRTAB,
			.sh_offset = names_at,
			.sh_size = names_len },
	};

	memset(out, 0, MADE_SECTION_BYTES);
	memcpy(out, &header, sizeof(header));
	memcpy(out + names_at + 1, name, name_len);
	memcpy(out + names_at + 1 + name_len + 1, names_name, sizeof(names_name));
	memcpy(out + content_at, content.ptr, content.len);
	memcpy(out + table_at, sections, sizeof(sections));
	return table_at + sizeof(sections);
}
