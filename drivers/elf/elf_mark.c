#include "elf_mark.h"

#include <string.h>

#include "elf.h"

/* The section's content; empty when the file is no ELF file or has no such section. */
static struct view section_of(struct view file, const char *name)
{
	struct elf_section section;
	struct err ignored = { 0 };
	struct elf elf;

	if (!elf_open(&elf, file, &ignored) || !elf_find(&elf, name, &section))
		return (struct view){ 0 };
	return section.content;
}

struct view elf_mark_firmware(struct view file)
{
	struct view version = section_of(file, ".fwversion");

	if (version.len > 0)
		version.len = strnlen(version.ptr, version.len);
	return version.len > FIRMWARE_VERSION_BYTES_MAX ? (struct view){ 0 } : version;
}

bool elf_mark_is_todays_tls(struct view library)
{
	/* Lengths of name and content, type, "GNU"; Linux, 2, 3, 99. */
	static const unsigned char wanted[] = { 4, 0, 0, 0, 16,	 0,   0,   0, 1,  0, 0,
						0, 'G', 'N', 'U', 0, 0,	 0,   0,   0, 2,  0,
						0, 0, 3, 0, 0,	 0,   99,  0, 0,  0 };
	struct view note = section_of(library, ".note.ABI-tag");

	return note.len >= sizeof(wanted) && memcmp(note.ptr, wanted, sizeof(wanted)) == 0;
}
