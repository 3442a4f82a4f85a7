#include "gpu_open.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	OPENING_COUNT_MAX = 256, /* minors end at 253 */
	STACK_BYTES = 64 << 10,
};

/* One GPU's open. */
struct opening {
	struct openings *all;
	const char *path;
	int code; /* errno, 0 when open */
	bool is_done;
};

struct openings {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t done_count;
	struct opening items[OPENING_COUNT_MAX];
};

static void *open_one(void *argument)
{
	struct opening *opening = argument;
	int fd = open(opening->path, O_RDWR | O_CLOEXEC); /* kept for ever */
	int code = fd < 0 ? errno : 0;

	pthread_mutex_lock(&opening->all->mutex);
	opening->code = code;
	opening->is_done = true;
	opening->all->done_count++;
	pthread_cond_signal(&opening->all->changed);
	pthread_mutex_unlock(&opening->all->mutex);
	return NULL;
}

/* Where no thread can be had, one after the other. */
static void start(struct opening *opening)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (pthread_create(&thread, &attributes, open_one, opening) != 0)
		open_one(opening);
	pthread_attr_destroy(&attributes);
}

static void wait_for_all(struct openings *openings, size_t count, uint32_t timeout_seconds)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += timeout_seconds;
	pthread_mutex_lock(&openings->mutex);
	while (openings->done_count < count &&
	       pthread_cond_timedwait(&openings->changed, &openings->mutex, &deadline) == 0)
		continue;
	pthread_mutex_unlock(&openings->mutex);
}

MUST_CHECK static bool check(struct openings *openings, size_t count, uint32_t timeout_seconds,
			     struct err *err)
{
	bool ok = true;

	pthread_mutex_lock(&openings->mutex);
	for (size_t i = 0; ok && i < count; i++) {
		const struct opening *opening = &openings->items[i];

		errno = opening->code;
		if (!opening->is_done)
			ok = err_set(err, ERR_BUSY, "%s did not open in %u s", opening->path,
				     timeout_seconds);
		else if (opening->code != 0)
			ok = err_os(err, "open %s", opening->path);
	}
	pthread_mutex_unlock(&openings->mutex);
	return ok;
}

bool gpu_open_all(const struct gpu_nodes *nodes, uint32_t timeout_seconds, struct err *err)
{
	/* A thread that hangs in the driver cannot be stopped and writes here when it wakes. */
	struct openings *openings = calloc(1, sizeof(*openings));
	size_t count = nodes->gpu_count < OPENING_COUNT_MAX ? nodes->gpu_count :
							      OPENING_COUNT_MAX;

	if (!openings)
		return err_memory(err, "opening GPUs");
	pthread_mutex_init(&openings->mutex, NULL);
	pthread_cond_init(&openings->changed, NULL);
	for (size_t i = 0; i < count; i++) {
		openings->items[i].all = openings;
		openings->items[i].path = nodes->nodes[i].path;
		start(&openings->items[i]);
	}
	wait_for_all(openings, count, timeout_seconds);
	if (!check(openings, count, timeout_seconds, err))
		return false;
	free(openings);
	return true;
}
