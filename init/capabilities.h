/* Linux capabilities by name, as sets of bits. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "init/contract/boot_config.h"

#define CAPABILITIES_ALL UINT64_MAX

/* "all" (also when nothing is given), "docker" (its default 14), or names with or without "CAP_",
 * in any case, added up. Pure.
 * Errors: ERR_FORMAT  a name that is none */
MUST_CHECK bool capabilities_parse(uint64_t *out, const struct text_list *names, struct err *err);

/* In the child, while it is root: no program that it runs can have others. False with errno. */
bool capabilities_bound(uint64_t set);
