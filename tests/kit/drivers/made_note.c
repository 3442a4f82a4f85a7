#include "made_note.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

size_t made_note(char out[MADE_NOTE_BYTES], const char *owner, struct view text)
{
	static const char names[] = "\0.note.cuda.fwd_compatibility\0.shstrtab";
	const uint32_t lens[3] = { (uint32_t)strlen(owner) + 1, (uint32_t)text.len, 1 };
	size_t names_at = sizeof(Elf64_Ehdr), note_at = (names_at + sizeof(names) + 7) / 8 * 8;
	size_t text_at = note_at + sizeof(lens) + (lens[0] + 3) / 4 * 4;
	size_t table_at = (text_at + text.len + 7) / 8 * 8;
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_shoff = table_at,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	Elf64_Shdr sections[3] = {
		[1] = { .sh_name = 1,
			.sh_type = SHT_NOTE,
			.sh_offset = note_at,
			.sh_size = text_at + text.len - note_at },
		[2] = { .sh_name = sizeof("\0.note.cuda.fwd_compatibility"),
			.sh_type = SHT_STRTAB,
			.sh_offset = names_at,
			.sh_size = sizeof(names) },
	};

	memset(out, 0, MADE_NOTE_BYTES);
	memcpy(out, &header, sizeof(header));
	memcpy(out + names_at, names, sizeof(names));
	memcpy(out + note_at, lens, sizeof(lens));
	memcpy(out + note_at + sizeof(lens), owner, lens[0]);
	memcpy(out + text_at, text.ptr, text.len);
	memcpy(out + table_at, sections, sizeof(sections));
	return table_at + sizeof(sections);
}
