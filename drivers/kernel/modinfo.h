/* What a kernel module says of itself: its .modinfo section, "key=value" strings that end in NUL.
 *
 * A key may come more than once (alias, firmware, parm, softdep). Pure: borrowed from the bytes.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct modinfo {
	struct view text; /* the section as it stands */
	uint16_t machine; /* of the ELF header: EM_X86_64, EM_AARCH64, … */
};

/* module: the file's bytes, decompressed
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED  as elf_open; ERR_FORMAT also without .modinfo */
MUST_CHECK bool modinfo_read(struct modinfo *out, struct view module, struct err *err);

/* The first value of that key; empty with NULL when there is none. */
struct view modinfo_get(const struct modinfo *info, const char *key);

/* All values of a key, in order. *rest starts as info->text; false when there are no more. */
bool modinfo_next(struct view *rest, const char *key, struct view *value);

/* Is it that module? name: as a module or a person writes it, where '-' and '_' are the same
 * folded: with '_' only */
bool modinfo_is_name(struct view name, const char *folded);
