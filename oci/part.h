/* A blob on its way: HEX.part in the store, filled by one or more threads, read by another.
 *
 * Behind the blob's own bytes the file holds the map of what has come (chunks.h), written after
 * the bytes it speaks of, so that a later process goes on where a killed one stopped. The file is
 * held by flock: who wants the same blob waits. After a power cut the map may claim bytes that
 * never reached the disk; the digest tells.
 */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "chunks.h"

struct part;

/* Open or make the file and wait for its lock.
 * dir_fd: borrowed until part_closep */
MUST_CHECK bool part_open(struct part **out, int dir_fd, const struct digest *digest,
			  uint64_t size_bytes, struct err *err);
void part_closep(struct part **part); /* the file stays */
int part_fd(const struct part *part); /* borrowed */

/* Bytes that an earlier process received; 0 after part_reset and part_trust. */
uint64_t part_resumed_bytes(const struct part *part);
uint64_t part_missing_bytes(struct part *part);
void part_trust(struct part *part); /* they were checked: part_resumed_bytes is 0 from now on */
MUST_CHECK bool part_reset(struct part *part, struct err *err); /* forget what is there */
void part_discard(struct part *part); /* remove the file as far as that can be done */

/* Under its own name, synced; or gone. Nothing may be missing; nobody may be fetching. */
MUST_CHECK bool part_keep(struct part *part, struct err *err);
MUST_CHECK bool part_remove(struct part *part, struct err *err);

/* Fetching, from any thread.
 * part_claim waits for something to fetch; false: all is there, or somebody failed or stopped. */
bool part_claim(struct part *part, bool by_chunk, struct chunk_range *out);
void part_release(struct part *part, const struct chunk_range *range);
MUST_CHECK bool part_write(struct part *part, uint64_t offset, const void *data, size_t len,
			   uint64_t *new_bytes, struct err *err);
uint64_t part_size_bytes(const struct part *part);
/* The server does ranges: until this is known, one claim is out at a time when by_chunk. So it is
 * for 16 ms more: if a whole chunk comes in that time, one connection brings all that can be
 * unpacked, others would only cost, and it gets the rest as one claim. */
void part_allow_ranges(struct part *part);
/* Between writes to such a claim, up to offset: wait where it is a window ahead of the reader. When
 * it has become slow after all, *end, the claim's end, is moved forward to leave the rest to
 * others; true then. */
bool part_pace(struct part *part, uint64_t offset, uint64_t *end);
/* It does not: from now on the only claim is all of the blob from its start. */
void part_forbid_ranges(struct part *part);
bool part_forbids_ranges(struct part *part);
void part_fail(struct part *part, const struct err *failure); /* the first one counts */
void part_stop(struct part *part);
/* Wait; false when somebody stopped or failed meanwhile. */
bool part_pause(struct part *part, uint64_t wait_ms);

/* Reading, from one thread: wait until want bytes from offset on are there (fewer before the end),
 * or a fetching thread failed. */
MUST_CHECK bool part_wait(struct part *part, uint64_t offset, uint64_t want, uint64_t *available,
			  struct err *err);
