/* Maps of files that somebody may cut short while they are read.
 *
 * A read behind a mapped file's new end is a SIGBUS, which would end vmbake in the middle of what
 * it makes, or, within the last page, silently zeros. Here such a page reads as zeros as well, and
 * the file is remembered: whoever is about to give something its name or to print a result asks
 * map_guard_check first. So nobody who reads a map must know of this, as with any other foreign
 * bytes that make no sense.
 * A jump out of the signal handler would skip the clean-ups of whatever thread it hit, with locks
 * held; reading everything through buffers would cost those who look at a few pages of a large
 * file. A handler belongs to the process, so this is the house's one state that does, too.
 */
#pragma once

#include <stddef.h>

#include "err.h"

/* From the first call on SIGBUS is handled; one that hits no guarded map does what it did before.
 * fd: of the mapped file, borrowed for the call */
MUST_CHECK bool map_guard_add(const void *start, size_t len, int fd, struct err *err);
/* Before munmap. */
void map_guard_remove(const void *start);

/* Errors: ERR_IO  a file was shorter than when it was mapped, or a page could not be read, of any
 *                 map so far */
MUST_CHECK bool map_guard_check(struct err *err);
