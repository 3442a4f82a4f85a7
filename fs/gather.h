/* libext2fs's writes, gathered in memory to be written with ours: it writes block by block and
 * syncs each time it flushes, where one write a run and no sync will do.
 *
 * An I/O manager for ext2fs_initialize; the name is the file descriptor's number, which stays the
 * caller's. Nothing reaches the file before gather_give, save that more than 16 MiB are not kept.
 */
#pragma once

#include <stdint.h>

#include <ext2fs/ext2fs.h>

#include "base/err.h"
#include "span.h"

io_manager gather_manager(void);

/* Forget what was written to a block: someone else writes it. */
void gather_forget(io_channel channel, uint64_t block);

/* Give all that is gathered to what writes the image. */
MUST_CHECK bool gather_give(io_channel channel, struct span *span, struct err *err);
