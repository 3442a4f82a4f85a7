/* Which bytes of a blob are there: fixed chunks, each received front to back by one connection.
 *
 * Handed out in order, at most a window ahead of the reader, so that hashing and unpacking can
 * follow the contiguous prefix. Pure: no I/O, no locks; part.h puts both around it.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
	CHUNK_BYTES = 8 << 20,
	CHUNK_WINDOW_BYTES = 64 << 20, /* how far ahead of the reader a chunk may be handed out */
};

struct chunk {
	uint32_t received_bytes; /* from its start on */
	bool is_claimed;
};

struct chunks {
	uint64_t size_bytes;
	struct chunk *list; /* list[count], owned */
	size_t count;
	uint64_t prefix_bytes; /* contiguous from the blob's start */
	uint64_t missing_bytes;
};

struct chunk_range {
	uint64_t first, end; /* end is exclusive */
};

MUST_CHECK bool chunks_new(struct chunks *out, uint64_t size_bytes, struct err *err);
void chunks_freep(struct chunks *chunks);
void chunks_clear(struct chunks *chunks); /* nothing is there, nothing is claimed */

/* Hand out what is missing first and belongs to nobody. by_chunk: the rest of one chunk, within
 * the window; else all that is missing from there up to the next byte that is there.
 * False: nothing can be handed out now. */
bool chunks_claim(struct chunks *chunks, bool by_chunk, uint64_t reader_offset,
		  struct chunk_range *out);
/* Everything from the start on, for a server that does not do ranges; only if nobody has a claim.
 */
bool chunks_claim_all(struct chunks *chunks, struct chunk_range *out);
void chunks_release(struct chunks *chunks, const struct chunk_range *range);

/* len bytes at offset have come; returns how many of them are new. */
uint64_t chunks_add(struct chunks *chunks, uint64_t offset, uint64_t len);

/* The map as it stands behind the bytes of a part file, and one entry's place in it. */
enum { CHUNK_MAP_HEADER_BYTES = 24, CHUNK_MAP_ENTRY_BYTES = 4 };
MUST_CHECK bool chunks_save(const struct chunks *chunks, struct bytes *out, struct err *err);
/* False: not the map of a blob of this size; nothing is changed. */
bool chunks_load(struct chunks *chunks, struct view map);
