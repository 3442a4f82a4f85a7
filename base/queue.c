#include "queue.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t buffer_count, buffer_bytes;
	size_t pushed, released; /* how many buffers ever; pushed - released are in use */
	bool is_held; /* the consumer holds buffer number `released` */
	bool is_ended, is_abandoned, has_failed;
	struct err failure;
	size_t *lens; /* lens[buffer_count], owned */
	uint8_t *buffers; /* buffer_count × buffer_bytes, owned */
};

bool queue_new(struct queue **out, size_t buffer_count, size_t buffer_bytes, struct err *err)
{
	CLEANUP(queue_freep) struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return err_memory(err, "a queue");
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->changed, NULL);
	queue->buffer_count = buffer_count;
	queue->buffer_bytes = buffer_bytes;
	queue->lens = calloc(buffer_count, sizeof(*queue->lens));
	queue->buffers = aligned_alloc(4096, buffer_count * buffer_bytes);
	if (!queue->lens || !queue->buffers)
		return err_memory(err, "a queue");
	*out = ptr_take(&queue);
	return true;
}

size_t queue_buffer_bytes(const struct queue *queue)
{
	return queue->buffer_bytes;
}

void queue_freep(struct queue **queue)
{
	if (!*queue)
		return;
	pthread_cond_destroy(&(*queue)->changed);
	pthread_mutex_destroy(&(*queue)->mutex);
	free((*queue)->lens);
	free((*queue)->buffers);
	free(*queue);
	*queue = NULL;
}

static uint8_t *buffer_at(struct queue *queue, size_t number)
{
	return queue->buffers + number % queue->buffer_count * queue->buffer_bytes;
}

uint8_t *queue_fill(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	while (queue->pushed - queue->released == queue->buffer_count && !queue->is_abandoned)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	uint8_t *buffer = queue->is_abandoned ? NULL : buffer_at(queue, queue->pushed);

	pthread_mutex_unlock(&queue->mutex);
	return buffer;
}

void queue_push(struct queue *queue, size_t len)
{
	pthread_mutex_lock(&queue->mutex);
	queue->lens[queue->pushed % queue->buffer_count] = len;
	queue->pushed++;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}

void queue_end(struct queue *queue, const struct err *failure)
{
	pthread_mutex_lock(&queue->mutex);
	queue->is_ended = true;
	queue->has_failed = failure != NULL;
	if (failure)
		queue->failure = *failure;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}

static void release_held(struct queue *queue)
{
	if (!queue->is_held)
		return;
	queue->is_held = false;
	queue->released++;
	pthread_cond_signal(&queue->changed);
}

bool queue_next(struct queue *queue, const uint8_t **data, size_t *len, struct err *err)
{
	bool ok = true;

	pthread_mutex_lock(&queue->mutex);
	release_held(queue);
	while (queue->pushed == queue->released && !queue->is_ended)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	if (queue->pushed > queue->released) {
		*data = buffer_at(queue, queue->released);
		*len = queue->lens[queue->released % queue->buffer_count];
		queue->is_held = true;
	} else if (queue->has_failed) {
		*err = queue->failure;
		ok = false;
	} else {
		*len = 0;
	}
	pthread_mutex_unlock(&queue->mutex);
	return ok;
}

void queue_abandon(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->is_abandoned = true;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}
