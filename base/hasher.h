/* A thread that hashes two streams of pieces at once: a layer's blob and what comes out of it. One
 * at a time would take 1.7 times the time.
 *
 * Each stream has a lane, used by one thread. A piece waits for one on the other lane to be hashed
 * with, but not for long: not when its lane's user waits, nor when several wait.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

struct hasher;

enum hasher_lane { HASHER_BLOB, HASHER_CONTENT, HASHER_LANES };

MUST_CHECK bool hasher_start(struct hasher **out, struct err *err);
/* Hashes what is still waiting, then ends the thread. */
void hasher_freep(struct hasher **hasher);

/* One more piece, and its number, counted from 1 in its lane; waits while many others do.
 * hash, data: borrowed until hasher_wait has returned for that number; len > 0 */
uint64_t hasher_add(struct hasher *hasher, enum hasher_lane lane, struct sha256 *hash,
		    const void *data, size_t len);
/* Until the pieces of a lane up to that number are hashed; 0: there is nothing to wait for. */
void hasher_wait(struct hasher *hasher, enum hasher_lane lane, uint64_t number);
/* Until all pieces of both lanes are. Nobody adds meanwhile. */
void hasher_drain(struct hasher *hasher);
