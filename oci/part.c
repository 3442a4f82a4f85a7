#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/le.h"

enum {
	SAVE_STEP_BYTES = 1 << 20, /* what a killed process may lose of each connection */
	/* Blocks are asked for so far ahead of what comes, not for all that a manifest says: that
	 * may be more than the disk has. */
	RESERVE_BYTES = 64 << 20,
};

/* A chunk in 16 ms is 520 MB/s, about what a core inflates; a stream that then needs 128 ms for
 * four has lost half of that. */
enum { FAST_CHUNK_MS = 16, SLOW_STEP_MS = 128 };
/* How far ahead of the reader a fast stream goes: what it wrote is then read again from the
 * processor's cache. The reader wakes it when it is a step further, so that it has a step to do. */
enum { FAST_WINDOW_BYTES = 8 << 20, READER_STEP_BYTES = 4 << 20 };
static const uint64_t slow_step_bytes = 4 * (uint64_t)CHUNK_BYTES;

enum pace { PACE_UNKNOWN, PACE_USUAL, PACE_FAST };

struct part {
	int fd, dir_fd;
	char hex[DIGEST_HEX_BYTES], name[DIGEST_HEX_BYTES + sizeof(".part")];
	uint64_t resumed_bytes;
	pthread_mutex_t mutex; /* guards all below */
	uint64_t reserved_bytes; /* from the file's start on, blocks were asked for */
	pthread_cond_t grown; /* for the reader */
	pthread_cond_t claimable; /* for fetching threads, and for their pauses */
	struct chunks chunks;
	uint64_t reader_offset, reader_target;
	unsigned claim_count;
	enum pace pace;
	uint64_t pace_bytes; /* received since pace_start */
	struct timespec pace_start; /* the first answer with a range, then each step of a stream */
	bool allows_ranges, forbids_ranges, is_stopped, has_failed;
	struct err failure;
};

MUST_CHECK static bool load_map(struct part *part, struct err *err)
{
	uint64_t map_bytes = CHUNK_MAP_HEADER_BYTES + part->chunks.count * CHUNK_MAP_ENTRY_BYTES;
	CLEANUP(bytes_freep) struct bytes map = bytes_capped(map_bytes);
	struct stat stat;
	char *room = NULL;

	if (fstat(part->fd, &stat) < 0)
		return err_os(err, "stat %s", part->name);
	if ((uint64_t)stat.st_size == part->chunks.size_bytes + map_bytes) {
		if (!bytes_grow(&map, map_bytes, &room, err) ||
		    !file_pread(part->fd, room, map_bytes, part->chunks.size_bytes, part->name,
				err))
			return false;
		if (chunks_load(&part->chunks, bytes_view(&map))) {
			part->resumed_bytes = part->chunks.size_bytes - part->chunks.missing_bytes;
			part->reserved_bytes = part->chunks.prefix_bytes;
			return true;
		}
	}
	return part_reset(part, err);
}

/* A file that is empty already is not truncated: ext4 takes a truncation to 0 for the start of a
 * rewrite in place and then writes all of it to the disk on close, unlinked or not (auto_da_alloc),
 * which for a blob that nobody keeps is gigabytes for nothing. */
bool part_reset(struct part *part, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes map = bytes_capped(SIZE_MAX / 2);
	struct stat stat;

	chunks_clear(&part->chunks);
	part->resumed_bytes = 0;
	part->reader_offset = part->reader_target = 0;
	part->pace = PACE_UNKNOWN;
	part->allows_ranges = part->forbids_ranges = false; /* another server may be asked */
	part->has_failed = part->is_stopped = false;
	if (!chunks_save(&part->chunks, &map, err))
		return false;
	if (fstat(part->fd, &stat) < 0)
		return err_os(err, "stat %s", part->name);
	if (stat.st_size > 0 && ftruncate(part->fd, 0) < 0)
		return err_os(err, "empty %s", part->name);
	part->reserved_bytes = 0;
	return file_pwrite(part->fd, map.data, map.len, part->chunks.size_bytes, part->name, err);
}

/* Between our open and our lock its owner may have renamed or removed the file. */
MUST_CHECK static bool lock(struct part *part, struct err *err)
{
	do {
		fd_closep(&part->fd);
		part->fd = openat(part->dir_fd, part->name,
				  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (part->fd < 0)
			return err_os(err, "open %s", part->name);
		while (flock(part->fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return err_os(err, "lock %s", part->name);
	} while (!file_is_named(part->fd, part->dir_fd, part->name));
	return true;
}

bool part_open(struct part **out, int dir_fd, const struct digest *digest, uint64_t size_bytes,
	       struct err *err)
{
	CLEANUP(part_closep) struct part *part = calloc(1, sizeof(*part));

	if (!part)
		return err_memory(err, "a blob");
	*part = (struct part){ .fd = -1, .dir_fd = dir_fd };
	digest_hex(digest, part->hex);
	snprintf(part->name, sizeof(part->name), "%s.part", part->hex);
	pthread_mutex_init(&part->mutex, NULL);
	pthread_cond_init(&part->grown, NULL);
	pthread_cond_init(&part->claimable, NULL);
	if (!chunks_new(&part->chunks, size_bytes, err) || !lock(part, err) || !load_map(part, err))
		return false;
	*out = ptr_take(&part);
	return true;
}

void part_closep(struct part **part)
{
	if (!*part)
		return;
	fd_closep(&(*part)->fd);
	chunks_freep(&(*part)->chunks);
	pthread_cond_destroy(&(*part)->claimable);
	pthread_cond_destroy(&(*part)->grown);
	pthread_mutex_destroy(&(*part)->mutex);
	free(*part);
	*part = NULL;
}

int part_fd(const struct part *part)
{
	return part->fd;
}

uint64_t part_size_bytes(const struct part *part)
{
	return part->chunks.size_bytes;
}

uint64_t part_resumed_bytes(const struct part *part)
{
	return part->resumed_bytes;
}

void part_trust(struct part *part)
{
	part->resumed_bytes = 0;
}

void part_discard(struct part *part)
{
	unlinkat(part->dir_fd, part->name, 0);
}

uint64_t part_missing_bytes(struct part *part)
{
	pthread_mutex_lock(&part->mutex);
	uint64_t missing_bytes = part->chunks.missing_bytes;

	pthread_mutex_unlock(&part->mutex);
	return missing_bytes;
}

bool part_keep(struct part *part, struct err *err)
{
	if (ftruncate(part->fd, (off_t)part->chunks.size_bytes) < 0)
		return err_os(err, "cut %s", part->name);
	if (fsync(part->fd) < 0)
		return err_os(err, "sync %s", part->name);
	if (renameat(part->dir_fd, part->name, part->dir_fd, part->hex) < 0)
		return err_os(err, "name %s", part->hex);
	return file_sync_parent(part->dir_fd, part->hex, err);
}

bool part_remove(struct part *part, struct err *err)
{
	if (unlinkat(part->dir_fd, part->name, 0) < 0 && errno != ENOENT)
		return err_os(err, "remove %s", part->name);
	return true;
}

static bool is_over(const struct part *part)
{
	return part->is_stopped || part->has_failed || part->chunks.missing_bytes == 0;
}

static struct timespec later(struct timespec start, uint64_t wait_ms)
{
	start.tv_sec += (time_t)(wait_ms / 1000);
	start.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (start.tv_nsec >= 1000000000) {
		start.tv_sec++;
		start.tv_nsec -= 1000000000;
	}
	return start;
}

static bool is_past(struct timespec start, uint64_t wait_ms)
{
	struct timespec now, until = later(start, wait_ms);

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > until.tv_sec ||
	       (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
}

static bool try_claim(struct part *part, bool by_chunk, struct chunk_range *out)
{
	if (part->forbids_ranges)
		return chunks_claim_all(&part->chunks, out);
	if (by_chunk && part->pace != PACE_USUAL && part->claim_count > 0)
		return false;
	return chunks_claim(&part->chunks, by_chunk && part->pace != PACE_FAST,
			    part->reader_offset, out);
}

/* For a change; as long as the pace is about to be known, only until then. */
static void wait_for_claim(struct part *part)
{
	struct timespec until = later(part->pace_start, FAST_CHUNK_MS);
	bool is_timed = part->allows_ranges && part->pace == PACE_UNKNOWN;

	if (!is_timed)
		pthread_cond_wait(&part->claimable, &part->mutex);
	else if (pthread_cond_clockwait(&part->claimable, &part->mutex, CLOCK_MONOTONIC, &until) ==
			 ETIMEDOUT &&
		 part->pace == PACE_UNKNOWN)
		part->pace = PACE_USUAL;
}

bool part_claim(struct part *part, bool by_chunk, struct chunk_range *out)
{
	bool has_claim = false;

	pthread_mutex_lock(&part->mutex);
	while (!is_over(part) && !(has_claim = try_claim(part, by_chunk, out)))
		wait_for_claim(part);
	part->claim_count += has_claim;
	pthread_mutex_unlock(&part->mutex);
	return has_claim;
}

void part_release(struct part *part, const struct chunk_range *range)
{
	pthread_mutex_lock(&part->mutex);
	chunks_release(&part->chunks, range);
	part->claim_count--;
	pthread_cond_broadcast(&part->claimable);
	pthread_mutex_unlock(&part->mutex);
}

void part_allow_ranges(struct part *part)
{
	pthread_mutex_lock(&part->mutex);
	if (!part->allows_ranges) {
		clock_gettime(CLOCK_MONOTONIC, &part->pace_start);
		part->pace_bytes = 0;
		pthread_cond_broadcast(&part->claimable);
	}
	part->allows_ranges = true;
	pthread_mutex_unlock(&part->mutex);
}

static void judge_pace(struct part *part, uint64_t len)
{
	part->pace_bytes += len;
	if (part->pace != PACE_UNKNOWN || !part->allows_ranges)
		return;
	if (is_past(part->pace_start, FAST_CHUNK_MS))
		part->pace = PACE_USUAL;
	else if (part->pace_bytes >= CHUNK_BYTES)
		part->pace = PACE_FAST;
	if (part->pace == PACE_USUAL)
		pthread_cond_broadcast(&part->claimable);
}

/* Is a stream at the end of a step that took too long? */
static bool has_slowed(struct part *part)
{
	if (part->pace_bytes < slow_step_bytes)
		return false;
	bool is_slow = is_past(part->pace_start, SLOW_STEP_MS);

	clock_gettime(CLOCK_MONOTONIC, &part->pace_start);
	part->pace_bytes = 0;
	return is_slow;
}

/* Time that the stream waits for the reader is not its own. */
bool part_pace(struct part *part, uint64_t offset, uint64_t *end)
{
	uint64_t boundary = offset + CHUNK_BYTES - offset % CHUNK_BYTES;
	bool is_cut = false;

	pthread_mutex_lock(&part->mutex);
	while (part->pace == PACE_FAST && !is_over(part) &&
	       offset >= part->reader_offset + FAST_WINDOW_BYTES) {
		pthread_cond_wait(&part->claimable, &part->mutex);
		clock_gettime(CLOCK_MONOTONIC, &part->pace_start);
		part->pace_bytes = 0;
	}
	if (part->pace == PACE_FAST && boundary < *end && has_slowed(part)) {
		const struct chunk_range rest = { boundary, *end };

		part->pace = PACE_USUAL;
		chunks_release(&part->chunks, &rest);
		pthread_cond_broadcast(&part->claimable);
		*end = boundary;
		is_cut = true;
	}
	pthread_mutex_unlock(&part->mutex);
	return is_cut;
}

void part_forbid_ranges(struct part *part)
{
	pthread_mutex_lock(&part->mutex);
	part->forbids_ranges = true;
	pthread_mutex_unlock(&part->mutex);
}

bool part_forbids_ranges(struct part *part)
{
	pthread_mutex_lock(&part->mutex);
	bool forbids = part->forbids_ranges;

	pthread_mutex_unlock(&part->mutex);
	return forbids;
}

/* The map's entries of the chunks from first to last, after the bytes they speak of. */
MUST_CHECK static bool save_entries(struct part *part, size_t first, size_t last, struct err *err)
{
	for (size_t i = first; i <= last && i < part->chunks.count; i++) {
		uint64_t offset = part->chunks.size_bytes + CHUNK_MAP_HEADER_BYTES +
				  i * CHUNK_MAP_ENTRY_BYTES;
		char entry[CHUNK_MAP_ENTRY_BYTES];

		le32_put(entry, part->chunks.list[i].received_bytes);
		if (!file_pwrite(part->fd, entry, sizeof(entry), offset, part->name, err))
			return false;
	}
	return true;
}

static void reserve(struct part *part, uint64_t end)
{
	uint64_t size_bytes = part->chunks.size_bytes;

	pthread_mutex_lock(&part->mutex);
	if (end > part->reserved_bytes) {
		uint64_t rest = size_bytes - part->reserved_bytes;
		uint64_t len = end - part->reserved_bytes + RESERVE_BYTES;

		len = len < rest ? len : rest;
		file_reserve(part->fd, part->reserved_bytes, len);
		part->reserved_bytes += len;
	}
	pthread_mutex_unlock(&part->mutex);
}

bool part_write(struct part *part, uint64_t offset, const void *data, size_t len,
		uint64_t *new_bytes, struct err *err)
{
	uint64_t end = offset + len;
	bool is_step =
		offset / SAVE_STEP_BYTES != end / SAVE_STEP_BYTES || end == part->chunks.size_bytes;

	reserve(part, end);
	if (!file_pwrite(part->fd, data, len, offset, part->name, err))
		return false;
	pthread_mutex_lock(&part->mutex);
	*new_bytes = chunks_add(&part->chunks, offset, len);
	judge_pace(part, len);
	bool is_saved = !is_step || save_entries(part, (size_t)(offset / CHUNK_BYTES),
						 (size_t)(end / CHUNK_BYTES), err);

	if (part->chunks.prefix_bytes >= part->reader_target)
		pthread_cond_signal(&part->grown);
	if (part->chunks.missing_bytes == 0)
		pthread_cond_broadcast(&part->claimable);
	pthread_mutex_unlock(&part->mutex);
	return is_saved;
}

static void wake_all(struct part *part)
{
	pthread_cond_broadcast(&part->grown);
	pthread_cond_broadcast(&part->claimable);
}

void part_fail(struct part *part, const struct err *failure)
{
	pthread_mutex_lock(&part->mutex);
	if (!part->has_failed)
		part->failure = *failure;
	part->has_failed = true;
	wake_all(part);
	pthread_mutex_unlock(&part->mutex);
}

void part_stop(struct part *part)
{
	pthread_mutex_lock(&part->mutex);
	part->is_stopped = true;
	wake_all(part);
	pthread_mutex_unlock(&part->mutex);
}

bool part_pause(struct part *part, uint64_t wait_ms)
{
	struct timespec until;
	int status = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until = later(until, wait_ms);
	pthread_mutex_lock(&part->mutex);
	while (!is_over(part) && status != ETIMEDOUT)
		status = pthread_cond_clockwait(&part->claimable, &part->mutex, CLOCK_MONOTONIC,
						&until);
	bool goes_on = !is_over(part);

	pthread_mutex_unlock(&part->mutex);
	return goes_on;
}

bool part_wait(struct part *part, uint64_t offset, uint64_t want, uint64_t *available,
	       struct err *err)
{
	uint64_t left = part->chunks.size_bytes - offset;

	pthread_mutex_lock(&part->mutex);
	if (offset / READER_STEP_BYTES != part->reader_offset / READER_STEP_BYTES)
		pthread_cond_broadcast(&part->claimable); /* the window moved on */
	part->reader_offset = offset;
	part->reader_target = offset + (want < left ? want : left);
	while (part->chunks.prefix_bytes < part->reader_target && !part->has_failed)
		pthread_cond_wait(&part->grown, &part->mutex);
	bool is_there = part->chunks.prefix_bytes >= part->reader_target;

	if (is_there)
		*available = part->chunks.prefix_bytes - offset;
	else
		*err = part->failure;
	pthread_mutex_unlock(&part->mutex);
	return is_there;
}
