/* An ELF file with one section besides its names: as small as the format allows. Ours, so nothing
 * is checked. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/view.h"

enum { MADE_SECTION_BYTES = 4096 };

/* type: SHT_NOTE, SHT_PROGBITS, … Returns the length. */
size_t made_section(char out[MADE_SECTION_BYTES], const char *name, uint32_t type,
		    struct view content);
