/* A bounded ring of buffers from one producer thread to one consumer thread.
 *
 * Bytes are never copied: the producer fills a buffer in place, the consumer reads it in place.
 * The bound is the back-pressure; memory is buffer_count × buffer_bytes, whatever flows through.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "err.h"

struct queue;

MUST_CHECK bool queue_new(struct queue **out, size_t buffer_count, size_t buffer_bytes,
			  struct err *err);
size_t queue_buffer_bytes(const struct queue *queue);
void queue_freep(struct queue **queue); /* when neither side uses it any more */

/* Producer: an empty buffer of buffer_bytes, waiting for one; NULL when the consumer gave up. */
uint8_t *queue_fill(struct queue *queue);
/* Producer: hand over the buffer that queue_fill gave, with 1 to buffer_bytes bytes in it. */
void queue_push(struct queue *queue, size_t len);
/* Producer: nothing more comes. failure: why, or NULL for a good end; copied. */
void queue_end(struct queue *queue, const struct err *failure);

/* Consumer: the next buffer, waiting for it; *len is 0 at a good end. A producer's failure comes
 * out here, after all that it pushed before. The buffer is borrowed until the next call. */
MUST_CHECK bool queue_next(struct queue *queue, const uint8_t **data, size_t *len, struct err *err);
/* Consumer: no interest any more; wakes the producer. */
void queue_abandon(struct queue *queue);
