#include "made_ko.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "base/le.h"

enum {
	INFO_AT = 0x100,
	VERSIONS_AT = 0x400,
	SYMBOLS_AT = 0x500,
	STRINGS_AT = 0x580,
	NAMES_AT = 0x600,
	TABLE_AT = 0x680,
	SECTION_COUNT = 6,
	SYMBOL_BYTES_MAX = 55,
};

static const char section_names[] = "\0.modinfo\0__versions\0.symtab\0.strtab\0.shstrtab";
static const char signature[] = "~Module signature appended~\n";

static Elf64_Shdr section_of(uint32_t name, uint32_t type, uint64_t at, uint64_t size)
{
	return (Elf64_Shdr){ .sh_name = name, .sh_type = type, .sh_offset = at, .sh_size = size };
}

static size_t add_info(char *out, size_t len, const char *key, const char *value)
{
	if (!value)
		return len;
	return len + 1 +
	       (size_t)snprintf(out + len, VERSIONS_AT - INFO_AT - len, "%s=%s", key, value);
}

struct view made_ko(char out[MADE_KO_BYTES], const struct made_ko *ko)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_shoff = TABLE_AT,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTION_COUNT,
		.e_shstrndx = 5,
	};
	Elf64_Sym symbol = { .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE) };
	const char *name = ko->symbol ? ko->symbol : "";
	size_t len = 0, end = TABLE_AT + SECTION_COUNT * sizeof(Elf64_Shdr);

	memset(out, 0, MADE_KO_BYTES);
	len = add_info(out + INFO_AT, len, "name", ko->name);
	len = add_info(out + INFO_AT, len, "version", ko->version);
	len = add_info(out + INFO_AT, len, "license", ko->licence);
	len = add_info(out + INFO_AT, len, "depends", ko->depends);
	len = add_info(out + INFO_AT, len, "firmware", ko->firmware);
	len = add_info(out + INFO_AT, len, "vermagic", ko->vermagic);
	Elf64_Shdr sections[SECTION_COUNT] = {
		[1] = section_of(1, SHT_PROGBITS, INFO_AT, len),
		[2] = section_of(10, SHT_PROGBITS, VERSIONS_AT, ko->crc ? 64 : 0),
		[3] = section_of(21, SHT_SYMTAB, SYMBOLS_AT, (ko->symbol ? 2 : 1) * sizeof(symbol)),
		[4] = section_of(29, SHT_STRTAB, STRINGS_AT, SYMBOL_BYTES_MAX + 2),
		[5] = section_of(37, SHT_STRTAB, NAMES_AT, sizeof(section_names)),
	};

	sections[3].sh_link = 4;
	memcpy(out, &header, sizeof(header));
	le64_put(out + VERSIONS_AT, ko->crc);
	memcpy(out + VERSIONS_AT + 8, name, strnlen(name, SYMBOL_BYTES_MAX));
	memcpy(out + SYMBOLS_AT + sizeof(symbol), &symbol, sizeof(symbol));
	memcpy(out + STRINGS_AT + 1, name, strnlen(name, SYMBOL_BYTES_MAX));
	memcpy(out + NAMES_AT, section_names, sizeof(section_names));
	memcpy(out + TABLE_AT, sections, sizeof(sections));
	if (ko->is_signed)
		memcpy(out + end, signature, strlen(signature));
	return (struct view){ out, end + (ko->is_signed ? strlen(signature) : 0) };
}
