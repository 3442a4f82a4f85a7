/* A kernel module that asks for symbols: as small as ELF allows, with the parts that a check looks
 * at. Ours, so nothing is checked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/view.h"

enum { MADE_KO_BYTES = 4096 };

struct made_ko {
	const char *name, *version, *licence, *vermagic;
	const char *depends, *firmware; /* NULL: the key is not there */
	const char *symbol; /* that it leaves open; NULL: none */
	uint32_t crc; /* of the symbol, as it was when the module was built; 0: no __versions */
	bool is_signed;
};

/* Returns the module, in out. */
struct view made_ko(char out[MADE_KO_BYTES], const struct made_ko *ko);
