/* What NVIDIA's files say of themselves in sections of their ELF files: firmware its version,
 * libnvidia-tls for which threads it is. Pure. Foreign bytes. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

enum { FIRMWARE_VERSION_BYTES_MAX = 63 };

/* "535.309.01" of a gsp_*.bin, borrowed from file; empty when it does not say. */
struct view elf_mark_firmware(struct view file);

/* Drivers of before 430 have libnvidia-tls twice. Is this one for the threads of today: made for
 * Linux 2.3.99 and later?
 * Source: libnvidia-container src/nvc_info.c; note of type NT_GNU_ABI_TAG */
bool elf_mark_is_todays_tls(struct view library);
