/* libnvidia-tls, which drivers of before 430 have twice, for threads of two kinds: a note tells them
 * apart. Pure. Foreign bytes. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

/* Is that library made for the threads of today: for Linux 2.3.99 and later?
 * Source: libnvidia-container src/nvc_info.c, gABI note of type NT_GNU_ABI_TAG */
bool tls_note_is_of_today(struct view library);
