/* A blob's stream becomes the tar inside it: gzip, zstd or plain, told apart by its first bytes,
 * whatever the media type says. Runs in a thread of its own, so that receiving, inflating and
 * parsing overlap.
 *
 * The one place that includes isa-l's igzip and zstd. Several gzip members, zstd frames and
 * skippable frames are one stream; zeros behind the last are padding; anything else is an error.
 * The blob is always read to its verified end: where its digest is wrong, that is the error, not
 * the nonsense that came out of it.
 */
#pragma once

#include "base/err.h"
#include "base/hasher.h"
#include "base/queue.h"
#include "base/report.h"
#include "base/stream.h"
#include "memory.h"

struct inflate;

/* That the consumer may be done with and the hasher not: where a plain tar comes, a buffer is what
 * a read of source has filled. */
enum { INFLATE_BUFFERS_HELD = STREAM_READS_HELD };

/* Start filling the queue. All pointers are borrowed until inflate_freep. The result comes out of
 * the queue: its good end, or the error.
 * queue:  of more than INFLATE_BUFFERS_HELD buffers when there is a hasher
 * hasher: what comes out is added to hash on its content lane, before the queue has it, and it is
 *         lent to source; NULL: nothing is hashed here
 * ratio_max: uncompressed to compressed bytes, looked at once there is more than a little
 * Errors there: ERR_FORMAT       broken or truncated compression, wrong CRC or length
 *               ERR_UNSUPPORTED  a zstd window over 128 MiB, more than ratio_max
 *               and those of source */
MUST_CHECK bool inflate_start(struct inflate **out, struct stream *source, struct queue *queue,
			      struct hasher *hasher, struct sha256 *hash, uint64_t ratio_max,
			      struct memory *memory, struct report *report, struct err *err);

/* Waits for the thread and the hasher. A consumer that leaves early calls queue_abandon first. */
void inflate_freep(struct inflate **inflate);
