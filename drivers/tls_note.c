#include "tls_note.h"

#include <string.h>

#include "elf.h"

/* Lengths of name and content, type, "GNU"; Linux, 2, 3, 99. */
static const unsigned char note[] = { 4, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 'G', 'N', 'U', 0,
				      0, 0, 0, 0, 2,  0, 0, 0, 3, 0, 0, 0, 99,	 0,   0,   0 };

bool tls_note_is_of_today(struct view library)
{
	struct elf_section section;
	struct err ignored = { 0 };
	struct elf elf;

	return elf_open(&elf, library, &ignored) && elf_find(&elf, ".note.ABI-tag", &section) &&
	       section.content.len >= sizeof(note) &&
	       memcmp(section.content.ptr, note, sizeof(note)) == 0;
}
