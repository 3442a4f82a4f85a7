#include "hasher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "cleanup.h"

enum {
	PIECES_MAX = 16, /* in a lane */
	PATIENCE = 3, /* so many wait in one lane, and nothing comes in the other: no longer */
};

struct piece {
	struct sha256 *hash; /* borrowed, as is data */
	const uint8_t *data;
	size_t len; /* what is left of it */
};

struct lane {
	struct piece pieces[PIECES_MAX]; /* a ring: number n is at n % PIECES_MAX */
	uint64_t added, done; /* numbers: of the last one */
	uint64_t awaited; /* its user waits for this one; 0: it does not wait */
};

struct hasher {
	pthread_t thread;
	pthread_mutex_t mutex; /* over all below */
	pthread_cond_t work; /* for the thread … */
	pthread_cond_t progress; /* … and for who waits for it; apart, as waking costs */
	struct lane lanes[HASHER_LANES];
	bool is_over;
};

static size_t waiting(const struct lane *lane)
{
	return (size_t)(lane->added - lane->done);
}

static struct piece *next_piece(struct lane *lane)
{
	return &lane->pieces[(lane->done + 1) % PIECES_MAX];
}

static void advance(struct lane *lane, size_t len)
{
	struct piece *piece = next_piece(lane);

	piece->data += len;
	piece->len -= len;
	lane->done += piece->len == 0;
}

/* A lane that is hashed by itself now, or NULL. */
static struct lane *impatient_lane(struct hasher *hasher)
{
	for (int i = 0; i < HASHER_LANES; i++) {
		struct lane *lane = &hasher->lanes[i];

		if (waiting(lane) >= PATIENCE ||
		    (waiting(lane) > 0 && (hasher->is_over || lane->awaited > 0)))
			return lane;
	}
	return NULL;
}

/* With the mutex held, which is let go while it hashes. False: nothing to do now. */
static bool hash_some(struct hasher *hasher)
{
	struct lane *blob = &hasher->lanes[HASHER_BLOB], *content = &hasher->lanes[HASHER_CONTENT];
	bool is_pair = waiting(blob) > 0 && waiting(content) > 0;
	struct lane *lane = is_pair ? blob : impatient_lane(hasher);

	if (!lane)
		return false;
	struct piece piece = *next_piece(lane), other = *next_piece(content);
	size_t len = is_pair && other.len < piece.len ? other.len : piece.len;

	pthread_mutex_unlock(&hasher->mutex);
	if (is_pair)
		sha256_add_both(piece.hash, piece.data, other.hash, other.data, len);
	else
		sha256_add(piece.hash, piece.data, len);
	pthread_mutex_lock(&hasher->mutex);
	advance(lane, len);
	if (is_pair)
		advance(content, len);
	if (blob->awaited > 0 || content->awaited > 0)
		pthread_cond_broadcast(&hasher->progress);
	return true;
}

static void *run(void *argument)
{
	struct hasher *hasher = argument;
	bool goes_on = true;

	pthread_mutex_lock(&hasher->mutex);
	while (goes_on) {
		if (hash_some(hasher))
			continue;
		goes_on = !hasher->is_over;
		if (goes_on)
			pthread_cond_wait(&hasher->work, &hasher->mutex);
	}
	pthread_mutex_unlock(&hasher->mutex);
	return NULL;
}

bool hasher_start(struct hasher **out, struct err *err)
{
	CLEANUP(freep) struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher)
		return err_memory(err, "hashing");
	pthread_mutex_init(&hasher->mutex, NULL);
	pthread_cond_init(&hasher->work, NULL);
	pthread_cond_init(&hasher->progress, NULL);
	errno = pthread_create(&hasher->thread, NULL, run, hasher);
	if (errno)
		return err_os(err, "start a thread");
	*out = ptr_take(&hasher);
	return true;
}

void hasher_freep(struct hasher **hasher)
{
	if (!*hasher)
		return;
	pthread_mutex_lock(&(*hasher)->mutex);
	(*hasher)->is_over = true;
	pthread_cond_signal(&(*hasher)->work);
	pthread_mutex_unlock(&(*hasher)->mutex);
	pthread_join((*hasher)->thread, NULL);
	pthread_cond_destroy(&(*hasher)->progress);
	pthread_cond_destroy(&(*hasher)->work);
	pthread_mutex_destroy(&(*hasher)->mutex);
	free(*hasher);
	*hasher = NULL;
}

/* With the mutex held. */
static void wait_for(struct hasher *hasher, struct lane *lane, uint64_t number)
{
	if (lane->done >= number)
		return;
	lane->awaited = number;
	pthread_cond_signal(&hasher->work);
	while (lane->done < number)
		pthread_cond_wait(&hasher->progress, &hasher->mutex);
	lane->awaited = 0;
}

uint64_t hasher_add(struct hasher *hasher, enum hasher_lane number, struct sha256 *hash,
		    const void *data, size_t len)
{
	struct lane *lane = &hasher->lanes[number];
	const struct lane *other = &hasher->lanes[HASHER_LANES - 1 - number];

	pthread_mutex_lock(&hasher->mutex);
	if (waiting(lane) == PIECES_MAX)
		wait_for(hasher, lane, lane->done + 1);
	lane->added++;
	lane->pieces[lane->added % PIECES_MAX] = (struct piece){ hash, data, len };
	uint64_t added = lane->added;

	if (waiting(other) > 0 || waiting(lane) >= PATIENCE)
		pthread_cond_signal(&hasher->work);
	pthread_mutex_unlock(&hasher->mutex);
	return added;
}

void hasher_wait(struct hasher *hasher, enum hasher_lane number, uint64_t piece)
{
	pthread_mutex_lock(&hasher->mutex);
	wait_for(hasher, &hasher->lanes[number], piece);
	pthread_mutex_unlock(&hasher->mutex);
}

void hasher_drain(struct hasher *hasher)
{
	pthread_mutex_lock(&hasher->mutex);
	for (int i = 0; i < HASHER_LANES; i++)
		wait_for(hasher, &hasher->lanes[i], hasher->lanes[i].added);
	pthread_mutex_unlock(&hasher->mutex);
}
