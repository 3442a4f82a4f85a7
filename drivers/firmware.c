#include "firmware.h"

#include <string.h>

#include "elf.h"

struct view firmware_version(struct view file)
{
	struct elf_section section;
	struct err ignored = { 0 };
	struct elf elf;

	if (!elf_open(&elf, file, &ignored) || !elf_find(&elf, ".fwversion", &section) ||
	    section.content.len == 0)
		return (struct view){ 0 };
	size_t len = strnlen(section.content.ptr, section.content.len);

	return len > FIRMWARE_VERSION_BYTES_MAX ? (struct view){ 0 } :
						  (struct view){ section.content.ptr, len };
}
