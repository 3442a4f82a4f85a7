/* A kernel module as small as ELF allows: a null section, .modinfo and the section names. */
#pragma once

#include "tests/kit/drivers/made_elf_section.h"

enum { MADE_MODULE_BYTES = MADE_SECTION_BYTES };

/* info: "key=value" strings that end in NUL, all in one string literal. Returns the length. */
static inline size_t made_module(char out[MADE_MODULE_BYTES], struct view info)
{
	return made_elf_section(out, ET_REL, ".modinfo", SHT_PROGBITS, info);
}

#define MADE_INFO(literal) ((struct view){ literal, sizeof(literal) })
