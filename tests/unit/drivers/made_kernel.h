/* A kernel as small as the readers allow: vmlinux with two exported symbols and a banner. */
#pragma once

#include <elf.h>
#include <string.h>

#include "base/le.h"
#include "base/view.h"

enum {
	MADE_KERNEL_BYTES = 4096,
	MADE_ADDRESS = 0x1000000, /* of file offset 0 */
	MADE_SYMTAB_AT = 0x100, /* one entry of 12 bytes */
	MADE_SYMTAB_GPL_AT = 0x140,
	MADE_CRCTAB_AT = 0x180,
	MADE_CRCTAB_GPL_AT = 0x1c0,
	MADE_STRINGS_AT = 0x200,
	MADE_BANNER_AT = 0x280,
	MADE_NAMES_AT = 0x380,
	MADE_TABLE_AT = 0x400,
	MADE_SECTION_COUNT = 8,
};

static const char made_strings[] = "printk\0pci_gpl_thing";
static const char made_banner[] = "Linux version %s\0Linux version 6.1.0-made (us@here) #1\0"
				  "6.1.0-made\0" "6.1.0-made SMP mod_unload ";
static const char made_section_names[] =
	"\0__ksymtab\0__ksymtab_gpl\0__kcrctab\0__kcrctab_gpl\0__ksymtab_strings\0.rodata\0.shstr";

static inline Elf64_Shdr made_section(uint32_t name, uint32_t type, uint64_t at, uint64_t size)
{
	return (Elf64_Shdr){ .sh_name = name,
			     .sh_type = type,
			     .sh_addr = MADE_ADDRESS + at,
			     .sh_offset = at,
			     .sh_size = size };
}

static inline void made_kernel(char out[MADE_KERNEL_BYTES])
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_shoff = MADE_TABLE_AT,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = MADE_SECTION_COUNT,
		.e_shstrndx = 7,
	};
	Elf64_Shdr sections[MADE_SECTION_COUNT] = {
		[1] = made_section(1, SHT_PROGBITS, MADE_SYMTAB_AT, 12),
		[2] = made_section(11, SHT_PROGBITS, MADE_SYMTAB_GPL_AT, 12),
		[3] = made_section(25, SHT_PROGBITS, MADE_CRCTAB_AT, 4),
		[4] = made_section(35, SHT_PROGBITS, MADE_CRCTAB_GPL_AT, 4),
		[5] = made_section(49, SHT_PROGBITS, MADE_STRINGS_AT, sizeof(made_strings)),
		[6] = made_section(67, SHT_PROGBITS, MADE_BANNER_AT, sizeof(made_banner)),
		[7] = made_section(75, SHT_STRTAB, MADE_NAMES_AT, sizeof(made_section_names)),
	};

	memset(out, 0, MADE_KERNEL_BYTES);
	memcpy(out, &header, sizeof(header));
	memcpy(out + MADE_STRINGS_AT, made_strings, sizeof(made_strings));
	memcpy(out + MADE_BANNER_AT, made_banner, sizeof(made_banner));
	memcpy(out + MADE_NAMES_AT, made_section_names, sizeof(made_section_names));
	memcpy(out + MADE_TABLE_AT, sections, sizeof(sections));
	le32_put(out + MADE_SYMTAB_AT + 4, MADE_STRINGS_AT - (MADE_SYMTAB_AT + 4));
	le32_put(out + MADE_SYMTAB_GPL_AT + 4, MADE_STRINGS_AT + 7 - (MADE_SYMTAB_GPL_AT + 4));
	le32_put(out + MADE_CRCTAB_AT, 0x11223344);
	le32_put(out + MADE_CRCTAB_GPL_AT, 0x55667788);
}
