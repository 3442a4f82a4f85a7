#include "writeback.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"

enum { STEP_BYTES = 32 << 20 }; /* how much is written before the disk is asked to start */

struct writeback {
	int fd;
	pthread_t thread;
	pthread_mutex_t mutex; /* over all below */
	pthread_cond_t changed;
	uint64_t reached;
	bool is_over;
};

/* The end of what is worth asking for behind started, or started itself when nothing comes. */
static uint64_t wait_for_more(struct writeback *writeback, uint64_t started)
{
	pthread_mutex_lock(&writeback->mutex);
	while (writeback->reached - started < STEP_BYTES && !writeback->is_over)
		pthread_cond_wait(&writeback->changed, &writeback->mutex);
	uint64_t end = writeback->is_over ? started : writeback->reached;

	pthread_mutex_unlock(&writeback->mutex);
	return end;
}

static void *run(void *argument)
{
	struct writeback *writeback = argument;
	uint64_t started = 0, end = 0;

	while ((end = wait_for_more(writeback, started)) > started) {
		sync_file_range(writeback->fd, (off_t)started, (off_t)(end - started),
				SYNC_FILE_RANGE_WRITE); /* a hint: fsync tells what failed */
		started = end;
	}
	return NULL;
}

bool writeback_start(struct writeback **out, int fd, struct err *err)
{
	CLEANUP(freep) struct writeback *writeback = calloc(1, sizeof(*writeback));

	if (!writeback)
		return err_memory(err, "a layer's data");
	writeback->fd = fd;
	pthread_mutex_init(&writeback->mutex, NULL);
	pthread_cond_init(&writeback->changed, NULL);
	errno = pthread_create(&writeback->thread, NULL, run, writeback);
	if (errno)
		return err_os(err, "start a thread");
	*out = ptr_take(&writeback);
	return true;
}

void writeback_reach(struct writeback *writeback, uint64_t offset)
{
	pthread_mutex_lock(&writeback->mutex);
	writeback->reached = offset;
	pthread_cond_signal(&writeback->changed);
	pthread_mutex_unlock(&writeback->mutex);
}

void writeback_freep(struct writeback **writeback)
{
	if (!*writeback)
		return;
	pthread_mutex_lock(&(*writeback)->mutex);
	(*writeback)->is_over = true;
	pthread_cond_signal(&(*writeback)->changed);
	pthread_mutex_unlock(&(*writeback)->mutex);
	pthread_join((*writeback)->thread, NULL);
	pthread_cond_destroy(&(*writeback)->changed);
	pthread_mutex_destroy(&(*writeback)->mutex);
	free(*writeback);
	*writeback = NULL;
}
