#include "made_note.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

size_t made_note(char out[MADE_NOTE_BYTES], const char *owner, struct view text)
{
	const uint32_t lens[3] = { (uint32_t)strlen(owner) + 1, (uint32_t)text.len, 1 };
	size_t text_at = sizeof(lens) + (lens[0] + 3) / 4 * 4;
	char note[MADE_NOTE_BYTES] = { 0 };

	memcpy(note, lens, sizeof(lens));
	memcpy(note + sizeof(lens), owner, lens[0]);
	memcpy(note + text_at, text.ptr, text.len);
	return made_elf_section(out, ET_DYN, ".note.cuda.fwd_compatibility", SHT_NOTE,
				(struct view){ note, text_at + text.len });
}
