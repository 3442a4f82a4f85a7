/* Asks the disk to start on a file that is being written front to back, so that the sync at its end
 * finds little to do. In a thread of its own: the call waits where the disk's queue is full, and
 * whoever writes must not.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct writeback;

/* fd: borrowed until writeback_freep */
MUST_CHECK bool writeback_start(struct writeback **out, int fd, struct err *err);

/* All before offset is written and will not be changed. */
void writeback_reach(struct writeback *writeback, uint64_t offset);

/* Waits for the thread, not for the disk. */
void writeback_freep(struct writeback **writeback);
