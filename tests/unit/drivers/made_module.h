/* A kernel module as small as ELF allows: a null section, .modinfo and the section names. */
#pragma once

#include <elf.h>
#include <string.h>

#include "base/view.h"

enum { MADE_MODULE_BYTES = 4096 };

static const char made_names[] = "\0.modinfo\0.shstrtab";

/* info: "key=value" strings that end in NUL, all in one string literal. Returns the length. */
static inline size_t made_module(char out[MADE_MODULE_BYTES], struct view info)
{
	size_t names_at = sizeof(Elf64_Ehdr), info_at = names_at + sizeof(made_names);
	size_t table_at = (info_at + info.len + 7) / 8 * 8;
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_shoff = table_at,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	Elf64_Shdr sections[3] = {
		[1] = { .sh_name = 1,
			.sh_type = SHT_PROGBITS,
			.sh_offset = info_at,
			.sh_size = info.len },
		[2] = { .sh_name = 10,
			.sh_type = SHT_STRTAB,
			.sh_offset = names_at,
			.sh_size = sizeof(made_names) },
	};

	memset(out, 0, MADE_MODULE_BYTES);
	memcpy(out, &header, sizeof(header));
	memcpy(out + names_at, made_names, sizeof(made_names));
	memcpy(out + info_at, info.ptr, info.len);
	memcpy(out + table_at, sections, sizeof(sections));
	return table_at + sizeof(sections);
}

#define MADE_INFO(literal) ((struct view){ literal, sizeof(literal) })
