/* What layers that are unpacked side by side share: memory. However many there are, their buffers
 * and windows together stay within a bound that one image's build can promise.
 *
 * More layers at a time means smaller buffers for each; a zstd window, whose size its blob decides,
 * waits until there is room for it.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
	size_t buffer_bytes; /* of one buffer of a layer: a power of two, 64 KiB to 1 MiB */
	pthread_mutex_t mutex; /* over all below */
	pthread_cond_t changed;
	uint64_t window_bytes; /* of all windows that are in use */
};

enum {
	MEMORY_LAYERS_MAX = 32, /* at a time: more would not leave 64 KiB for a buffer */
};

/* For so many layers at a time, 1 to MEMORY_LAYERS_MAX. */
void memory_init(struct memory *memory, unsigned layer_count);
void memory_closep(struct memory *memory);

/* A layer holds a window of *held bytes and needs one of wanted bytes: waits until it fits. One
 * that fits beside nothing goes alone. A layer that waits holds none, so one of them always goes
 * on. */
void memory_take_window(struct memory *memory, uint64_t *held, uint64_t wanted);
void memory_give_window(struct memory *memory, uint64_t *held);
