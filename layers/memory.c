#include "memory.h"

enum {
	BUFFER_BYTES_MIN = 64 << 10,
	BUFFER_BYTES_MAX = 1 << 20, /* more does not make it faster */
	BUFFERS_BYTES_MAX = 34 << 20, /* of all layers together */
	WINDOWS_BYTES_MAX = 12 << 20, /* unless one is larger by itself */
	FIXED_BYTES = 512 << 10, /* of a layer, beside its buffers: stacks, states of libraries */
};

/* Four of the queue, four of the data file, five eighths of one in front of inflate. */
static size_t layer_bytes(size_t buffer_bytes)
{
	return 8 * buffer_bytes + buffer_bytes / 8 * 5 + FIXED_BYTES;
}

void memory_init(struct memory *memory, unsigned layer_count)
{
	size_t buffer_bytes = BUFFER_BYTES_MAX;

	while (buffer_bytes > BUFFER_BYTES_MIN &&
	       layer_count * layer_bytes(buffer_bytes) > BUFFERS_BYTES_MAX)
		buffer_bytes /= 2;
	memory->buffer_bytes = buffer_bytes;
	memory->window_bytes = 0;
	pthread_mutex_init(&memory->mutex, NULL);
	pthread_cond_init(&memory->changed, NULL);
}

void memory_closep(struct memory *memory)
{
	pthread_cond_destroy(&memory->changed);
	pthread_mutex_destroy(&memory->mutex);
}

void memory_take_window(struct memory *memory, uint64_t *held, uint64_t wanted)
{
	memory_give_window(memory, held);
	pthread_mutex_lock(&memory->mutex);
	while (memory->window_bytes > 0 && memory->window_bytes + wanted > WINDOWS_BYTES_MAX)
		pthread_cond_wait(&memory->changed, &memory->mutex);
	memory->window_bytes += wanted;
	*held = wanted;
	pthread_mutex_unlock(&memory->mutex);
}

void memory_give_window(struct memory *memory, uint64_t *held)
{
	pthread_mutex_lock(&memory->mutex);
	memory->window_bytes -= *held;
	*held = 0;
	pthread_cond_broadcast(&memory->changed);
	pthread_mutex_unlock(&memory->mutex);
}
