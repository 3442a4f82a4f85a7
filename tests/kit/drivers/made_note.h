/* A library with the note of CUDA's compat package, as small as ELF allows. */
#pragma once

#include "made_elf_section.h"

enum { MADE_NOTE_BYTES = MADE_SECTION_BYTES };

/* owner: "NVIDIA Corporation"; text: the note's JSON. Returns the length. */
size_t made_note(char out[MADE_NOTE_BYTES], const char *owner, struct view text);
