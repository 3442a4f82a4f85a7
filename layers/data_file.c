#include "data_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "writeback.h"

enum {
	BLOCK = INDEX_BLOCK_BYTES,
	RESERVE_BYTES = 64 << 20, /* blocks for so much are asked for at a time */
	BUFFERS = 4, /* as the thread that fills them and the one that writes are not in step */
};

/* The thread that brings full buffers to the file. */
struct porter {
	pthread_t thread;
	pthread_mutex_t mutex; /* over all below */
	pthread_cond_t changed;
	uint64_t given, done; /* buffers, ever: number n is buffers[n % BUFFERS] */
	struct err failure; /* of the last one; kind is ERR_NONE when none */
	bool is_started, is_over;
};

struct data_file {
	int fd;
	/* While the porter has a buffer it writes, and nobody else, and these two are its own. */
	uint64_t written; /* a multiple of DATA_ALIGN_BYTES until the end */
	uint64_t reserved; /* end of the part of the file that has blocks */
	struct writeback *writeback; /* owned */
	struct porter porter;
	size_t buffer_bytes;
	uint64_t offset; /* of buffer[0] in the file */
	char *buffer; /* one of the next: whole blocks, then room for one */
	size_t buffer_len; /* of the whole blocks; less than buffer_bytes */
	char *buffers[BUFFERS]; /* owned; only the first is there until there is a porter */
};

bool data_file_new(struct data_file **out, int fd, size_t buffer_bytes, struct err *err)
{
	CLEANUP(data_file_freep) struct data_file *file = calloc(1, sizeof(*file));

	if (!file)
		return err_memory(err, "a layer's data");
	file->fd = fd;
	file->buffer_bytes = buffer_bytes;
	pthread_mutex_init(&file->porter.mutex, NULL);
	pthread_cond_init(&file->porter.changed, NULL);
	file->buffer = file->buffers[0] = aligned_alloc(BLOCK, buffer_bytes);
	if (!file->buffer)
		return err_memory(err, "a layer's data");
	if (!writeback_start(&file->writeback, fd, err))
		return false;
	*out = ptr_take(&file);
	return true;
}

static void porter_stop(struct porter *porter)
{
	if (!porter->is_started)
		return;
	pthread_mutex_lock(&porter->mutex);
	porter->is_over = true;
	pthread_cond_broadcast(&porter->changed);
	pthread_mutex_unlock(&porter->mutex);
	pthread_join(porter->thread, NULL);
	porter->is_started = false;
}

void data_file_freep(struct data_file **file)
{
	if (!*file)
		return;
	porter_stop(&(*file)->porter);
	writeback_freep(&(*file)->writeback);
	pthread_cond_destroy(&(*file)->porter.changed);
	pthread_mutex_destroy(&(*file)->porter.mutex);
	for (int i = 0; i < BUFFERS; i++)
		free((*file)->buffers[i]);
	free(*file);
	*file = NULL;
}

uint64_t data_file_blocks(const struct data_file *file)
{
	return (file->offset + file->buffer_len) / BLOCK;
}

char *data_file_room(const struct data_file *file)
{
	return file->buffer + file->buffer_len;
}

/* A layer that fits into the buffer needs none. */
static void reserve(struct data_file *file, uint64_t len)
{
	if (len < file->buffer_bytes || file->written + len <= file->reserved)
		return;
	file_reserve(file->fd, file->written, len + RESERVE_BYTES);
	file->reserved = file->written + len + RESERVE_BYTES;
}

/* Two pieces, one behind the other, to the end of the file. */
MUST_CHECK static bool append(struct data_file *file, const char *first, size_t first_len,
			      const char *second, size_t second_len, struct err *err)
{
	struct iovec parts[] = { { NULL, first_len }, { NULL, second_len } };

	memcpy(&parts[0].iov_base, &first, sizeof(first)); /* pwritev only reads them */
	memcpy(&parts[1].iov_base, &second, sizeof(second));
	reserve(file, first_len + second_len);
	if (!file_pwritev(file->fd, parts, 2, file->written, "a layer's data", err))
		return false;
	file->written += first_len + second_len;
	writeback_reach(file->writeback, file->written);
	return true;
}

/* Buffer after buffer, until it is over. */
static void *port(void *argument)
{
	struct data_file *file = argument;
	struct porter *porter = &file->porter;

	pthread_mutex_lock(&porter->mutex);
	while (porter->given > porter->done || !porter->is_over) {
		const char *buffer = file->buffers[porter->done % BUFFERS];
		struct err err = { 0 };

		if (porter->given == porter->done) {
			pthread_cond_wait(&porter->changed, &porter->mutex);
			continue;
		}
		pthread_mutex_unlock(&porter->mutex);
		bool is_written = append(file, buffer, file->buffer_bytes, NULL, 0, &err);

		pthread_mutex_lock(&porter->mutex);
		if (!is_written)
			porter->failure = err;
		porter->done++;
		pthread_cond_signal(&porter->changed);
	}
	pthread_mutex_unlock(&porter->mutex);
	return NULL;
}

MUST_CHECK static bool porter_start(struct data_file *file, struct err *err)
{
	for (int i = 1; i < BUFFERS; i++) {
		file->buffers[i] = aligned_alloc(BLOCK, file->buffer_bytes);
		if (!file->buffers[i])
			return err_memory(err, "a layer's data");
	}
	errno = pthread_create(&file->porter.thread, NULL, port, file);
	if (errno)
		return err_os(err, "start a thread");
	file->porter.is_started = true;
	return true;
}

/* Until the porter has no more than so many buffers; its failure is this call's. */
MUST_CHECK static bool await_porter(struct porter *porter, uint64_t left, struct err *err)
{
	pthread_mutex_lock(&porter->mutex);
	while (porter->given - porter->done > left)
		pthread_cond_wait(&porter->changed, &porter->mutex);
	bool is_well = porter->failure.kind == ERR_NONE;

	if (!is_well)
		*err = porter->failure;
	pthread_mutex_unlock(&porter->mutex);
	return is_well;
}

/* The buffer is full: the porter takes it, and the next one is filled, when it has that no more. */
MUST_CHECK static bool hand_over(struct data_file *file, struct err *err)
{
	struct porter *porter = &file->porter;

	if (!porter->is_started && !porter_start(file, err))
		return false;
	pthread_mutex_lock(&porter->mutex);
	porter->given++;
	pthread_cond_signal(&porter->changed);
	pthread_mutex_unlock(&porter->mutex);
	file->buffer = file->buffers[porter->given % BUFFERS];
	file->offset += file->buffer_len;
	file->buffer_len = 0;
	return await_porter(porter, BUFFERS - 1, err);
}

/* What is in the buffer and len bytes behind it, by this thread. */
MUST_CHECK static bool write_out(struct data_file *file, const char *data, size_t len,
				 struct err *err)
{
	if (!await_porter(&file->porter, 0, err) ||
	    !append(file, file->buffer, file->buffer_len, data, len, err))
		return false;
	file->offset = file->written;
	file->buffer_len = 0;
	return true;
}

bool data_file_add_built(struct data_file *file, struct err *err)
{
	file->buffer_len += BLOCK;
	return file->buffer_len < file->buffer_bytes || hand_over(file, err);
}

/* When it is more than the buffer holds, up to the last multiple of DATA_ALIGN_BYTES at once; the
 * rest waits in the buffer. The page cache takes an aligned write in few large folios, one that is
 * off by a block in many small ones, slower by half. */
bool data_file_add(struct data_file *file, const char *blocks, size_t len, struct err *err)
{
	size_t direct = 0;

	if (file->buffer_len + len >= file->buffer_bytes) {
		direct = len - (file->buffer_len + len) % DATA_ALIGN_BYTES;
		if (!write_out(file, blocks, direct, err))
			return false;
	}
	if (len > direct)
		memcpy(file->buffer + file->buffer_len, blocks + direct, len - direct);
	file->buffer_len += len - direct;
	return true;
}

bool data_file_finish(struct data_file *file, struct err *err)
{
	if (!write_out(file, NULL, 0, err))
		return false;
	porter_stop(&file->porter);
	writeback_freep(&file->writeback);
	if (file->reserved > 0 && ftruncate(file->fd, (off_t)file->written) < 0)
		return err_os(err, "cut a layer's data"); /* what was reserved behind its end */
	return true;
}
