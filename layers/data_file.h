/* A layer's data file, written front to back, in pieces that the page cache takes well: what is
 * large straight from the caller's memory, what is small gathered and then written by a thread of
 * its own, so that who reads a layer of many small files does not wait for writing them.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "index.h"

struct data_file;

enum { DATA_ALIGN_BYTES = 64 << 10 }; /* what writes start at multiples of */

/* fd:            an empty file, borrowed; written by offset, not synced, but its writeback is
 *                started early
 * buffer_bytes:  a multiple of DATA_ALIGN_BYTES; four of it when much is small */
MUST_CHECK bool data_file_new(struct data_file **out, int fd, size_t buffer_bytes,
			      struct err *err);
void data_file_freep(struct data_file **file);

/* How many blocks it has: the number of the next one. */
uint64_t data_file_blocks(const struct data_file *file);

/* Where the next block may be built up: INDEX_BLOCK_BYTES of room, until a call that adds. */
char *data_file_room(const struct data_file *file);
/* What was built up there is a block. */
MUST_CHECK bool data_file_add_built(struct data_file *file, struct err *err);
/* Whole blocks from elsewhere; len is a multiple of INDEX_BLOCK_BYTES. */
MUST_CHECK bool data_file_add(struct data_file *file, const char *blocks, size_t len,
			      struct err *err);

/* Write out what is still in memory. */
MUST_CHECK bool data_file_finish(struct data_file *file, struct err *err);
