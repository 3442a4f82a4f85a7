/* SHA-256 of several pieces of memory, two at a time. A processor's SHA instructions wait for their
 * own results, so two hashes that take turns are done in little more than the time of one (seen:
 * 3.3 GB/s a core, 1.75 one behind the other). Elsewhere each is hashed as it is started.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "view.h"

enum { DIGEST_LANES = 2, DIGEST_BLOCK_BYTES = 64 };

/* One hash under way. It must stay where it is until it is done. */
struct digest_lane {
	const unsigned char *next; /* of the bytes, then of the tail */
	size_t block_count; /* from next on */
	size_t tail_block_count; /* to be done after these; 0: next is in the tail */
	unsigned char tail[2 * DIGEST_BLOCK_BYTES]; /* what is left over, padded */
	_Alignas(16) uint32_t state[8];
	bool is_busy;
};

/* bytes: borrowed until the lane is done; len 0 is fine */
void digest_lane_start(struct digest_lane *lane, struct view bytes);

/* Until one that was busy is done; nothing when none is. */
void digest_lanes_run(struct digest_lane lanes[DIGEST_LANES]);

/* Of a lane that was started and is not busy any more. */
struct digest digest_lane_result(const struct digest_lane *lane);
