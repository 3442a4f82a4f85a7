#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/queue.h"

enum {
	BUFFER_BYTES = 1 << 20, /* a file up to here is looked at whole before it is written */
	QUEUE_BUFFERS = 4,
	QUEUE_BUFFER_BYTES = 1 << 20, /* few enough to stay in a shared cache */
	PARTS_MAX = 100 * 1000,
	MAPS_MAX = 1000, /* extents mapped one by one; beyond, the body is read */
};

static const uint64_t taken_bytes_max = UINT64_C(64) << 30; /* a driver has 2 GB */

bool intake_open(struct intake *out, int data_fd, struct report *report, struct err *err)
{
	CLEANUP(intake_freep) struct intake intake = INTAKE_NONE;

	intake.data_fd = data_fd;
	intake.report = report;
	intake.buffer = malloc(BUFFER_BYTES);
	if (!intake.buffer)
		return err_memory(err, "a driver's files");
	if (!body_writer_new(&intake.bodies, data_fd, BODY_BUFFER_BYTES, err))
		return false;
	*out = intake;
	intake = INTAKE_NONE;
	return true;
}

void intake_freep(struct intake *intake)
{
	free(intake->parts);
	free(intake->links);
	free(intake->buffer);
	body_writer_freep(&intake->bodies);
	arena_freep(&intake->arena);
	*intake = INTAKE_NONE;
}

/* Room for one more item of an array that grows. */
MUST_CHECK static bool make_room(void **items, size_t count, size_t *capacity, size_t item_bytes,
				 struct err *err)
{
	if (count == PARTS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d files", PARTS_MAX);
	if (count < *capacity)
		return true;
	size_t grown = *capacity ? *capacity * 2 : 64;
	void *room = reallocarray(*items, grown, item_bytes);

	if (!room)
		return err_memory(err, "a driver's files");
	*items = room;
	*capacity = grown;
	return true;
}

MUST_CHECK static bool append_part(struct intake *intake, const struct part *part, struct err *err)
{
	struct part copy = *part;
	void *parts = intake->parts;

	if (!make_room(&parts, intake->part_count, &intake->part_capacity, sizeof(*part), err))
		return false;
	intake->parts = parts;
	copy.path = arena_copy(&intake->arena, part->path, strlen(part->path));
	if (part->package_version)
		copy.package_version = arena_copy(&intake->arena, part->package_version,
						  strlen(part->package_version));
	struct extent *extents =
		arena_take(&intake->arena, (part->extent_count + 1) * sizeof(*extents));

	if (!copy.path || !extents || (part->package_version && !copy.package_version))
		return err_memory(err, "a driver's files");
	for (size_t i = 0; i < part->extent_count; i++)
		extents[i] = part->extents[i];
	copy.name = view_behind_last(view_of(copy.path), '/').ptr;
	copy.extents = extents;
	intake->parts[intake->part_count++] = copy;
	return true;
}

MUST_CHECK static bool count_bytes(struct intake *intake, uint64_t len, struct err *err)
{
	if (len > taken_bytes_max - intake->taken_bytes)
		return err_set(err, ERR_UNSUPPORTED, "over %llu bytes, no driver is that large",
			       (unsigned long long)taken_bytes_max);
	intake->taken_bytes += len;
	return true;
}

static const struct part *find_same(const struct intake *intake, const struct part *part)
{
	const char *name = view_behind_last(view_of(part->path), '/').ptr;

	for (size_t i = 0; i < intake->part_count; i++) {
		const struct part *other = &intake->parts[i];

		if (other->kind == part->kind && other->size_bytes == part->size_bytes &&
		    digest_equal(&other->digest, &part->digest) && strcmp(other->name, name) == 0)
			return other;
	}
	return NULL;
}

/* A large file on its way: the caller reads it (or unpacks it), a thread writes it, one hashes it.
 */
struct passage {
	struct view first; /* what was read of it before; borrowed */
	struct queue *queue; /* what follows; owned, as is the hash */
	struct sha256 *hash;
	struct body_writer *bodies; /* borrowed */
	pthread_t writer, hasher;
	bool is_writing, is_hashing; /* each thread is there */
	bool has_failed; /* the writer's, like failure; to be read once it is joined */
	struct err failure;
};

static void *write_all(void *argument)
{
	struct passage *passage = argument;
	const uint8_t *data = (const uint8_t *)passage->first.ptr;
	size_t len = passage->first.len;
	bool ok = true;

	while (ok && len > 0)
		ok = body_write(passage->bodies, (struct view){ (const char *)data, len },
				&passage->failure) &&
		     queue_next(passage->queue, &data, &len, &passage->failure);
	passage->has_failed = !ok;
	queue_abandon(passage->queue); /* at the end it changes nothing */
	return NULL;
}

static void *hash_all(void *argument)
{
	struct passage *passage = argument;
	const uint8_t *data = (const uint8_t *)passage->first.ptr;
	struct err ignored = { 0 }; /* the writer has the failure itself */
	size_t len = passage->first.len;

	do
		sha256_add(passage->hash, data, len);
	while (queue_watch(passage->queue, &data, &len, &ignored) && len > 0);
	return NULL;
}

static void passage_join(struct passage *passage)
{
	if (passage->is_writing || passage->is_hashing)
		queue_end(passage->queue, NULL);
	if (passage->is_writing)
		pthread_join(passage->writer, NULL);
	if (passage->is_hashing)
		pthread_join(passage->hasher, NULL);
	passage->is_writing = passage->is_hashing = false;
}

static void passage_freep(struct passage *passage)
{
	passage_join(passage);
	queue_freep(&passage->queue);
	sha256_freep(&passage->hash);
}

MUST_CHECK static bool passage_start(struct passage *passage, struct err *err)
{
	if (!queue_new(&passage->queue, QUEUE_BUFFERS, QUEUE_BUFFER_BYTES, err) ||
	    !sha256_new(&passage->hash, err))
		return false;
	queue_add_watcher(passage->queue);
	errno = pthread_create(&passage->hasher, NULL, hash_all, passage);
	passage->is_hashing = errno == 0;
	if (errno == 0)
		errno = pthread_create(&passage->writer, NULL, write_all, passage);
	if (errno)
		return err_os(err, "start a thread");
	passage->is_writing = true;
	return true;
}

/* Hand on what follows first, to the end of content. */
MUST_CHECK static bool pour(struct intake *intake, struct passage *passage, struct stream *content,
			    uint64_t *size_bytes, struct err *err)
{
	for (;;) {
		uint8_t *buffer = queue_fill(passage->queue);
		size_t len = 0;

		if (!buffer)
			return true; /* the writer knows why */
		if (!content->read(content, buffer, QUEUE_BUFFER_BYTES, &len, err))
			return false;
		if (len == 0)
			return true;
		if (!count_bytes(intake, len, err))
			return false;
		*size_bytes += len;
		queue_push(passage->queue, len);
	}
}

MUST_CHECK static bool add_large(struct intake *intake, const struct part *part, struct view first,
				 struct stream *content, struct err *err)
{
	CLEANUP(passage_freep) struct passage passage = { .first = first,
							  .bodies = intake->bodies };
	struct part taken = *part;

	taken.size_bytes = first.len;
	body_begin(intake->bodies);
	if (!count_bytes(intake, first.len, err) || !passage_start(&passage, err) ||
	    !pour(intake, &passage, content, &taken.size_bytes, err))
		return false;
	passage_join(&passage);
	if (passage.has_failed) {
		*err = passage.failure;
		return false;
	}
	taken.digest = sha256_now(passage.hash);
	return body_end(intake->bodies, taken.size_bytes, &taken.extents, &taken.extent_count,
			&taken.body_crc32c, err) &&
	       append_part(intake, &taken, err);
}

/* Bytes at hand as a stream. */
struct view_stream {
	struct stream stream; /* first */
	struct view rest;
};

MUST_CHECK static bool read_view(struct stream *self, void *buffer, size_t capacity, size_t *len,
				 struct err *err)
{
	struct view_stream *bytes = (struct view_stream *)self;

	(void)err;
	*len = bytes->rest.len < capacity ? bytes->rest.len : capacity;
	if (*len > 0)
		memcpy(buffer, bytes->rest.ptr, *len);
	bytes->rest = view_from(bytes->rest, *len);
	return true;
}

/* Is one there that may turn out to be the same? */
static bool may_be_there(const struct intake *intake, const struct part *part)
{
	const char *name = view_behind_last(view_of(part->path), '/').ptr;

	for (size_t i = 0; i < intake->part_count; i++)
		if (intake->parts[i].size_bytes == part->size_bytes &&
		    strcmp(intake->parts[i].name, name) == 0)
			return true;
	return false;
}

/* part has its digest already. */
MUST_CHECK static bool add_hashed(struct intake *intake, const struct part *part,
				  struct view content, struct err *err)
{
	struct part taken = *part;

	body_begin(intake->bodies);
	return count_bytes(intake, content.len, err) &&
	       body_write(intake->bodies, content, err) &&
	       body_end(intake->bodies, content.len, &taken.extents, &taken.extent_count,
			&taken.body_crc32c, err) &&
	       append_part(intake, &taken, err);
}

/* What is small, or looks like another, is hashed first and not written when it is there already.
 * The rest goes by way of buffers: two threads in one map are no faster. */
bool intake_add_bytes(struct intake *intake, const struct part *part, struct view content,
		      size_t *index, struct err *err)
{
	struct view_stream rest = { { .read = read_view }, view_from(content, BUFFER_BYTES) };
	struct part taken = *part;
	const struct part *same = NULL;
	bool ok;

	taken.size_bytes = content.len;
	if (content.len < BUFFER_BYTES || may_be_there(intake, &taken)) {
		taken.digest = digest_of(content.ptr, content.len);
		same = find_same(intake, &taken);
		ok = same || add_hashed(intake, &taken, content, err);
	} else {
		content.len = BUFFER_BYTES;
		ok = add_large(intake, &taken, content, &rest.stream, err);
	}
	if (ok)
		*index = same ? (size_t)(same - intake->parts) : intake->part_count - 1;
	return ok;
}

bool intake_add(struct intake *intake, const struct part *part, struct stream *content,
		struct err *err)
{
	size_t filled = 0, len = 0, index = 0;

	do {
		if (!content->read(content, intake->buffer + filled, BUFFER_BYTES - filled, &len,
				   err))
			return err_wrap(err, "%s", part->path);
		filled += len;
	} while (len > 0 && filled < BUFFER_BYTES);
	struct view first = { intake->buffer, filled };

	if (len == 0 ? intake_add_bytes(intake, part, first, &index, err) :
		       add_large(intake, part, first, content, err))
		return true;
	return err_wrap(err, "%s", part->path);
}

bool intake_add_again(struct intake *intake, const struct part *part, const char *first_path,
		      struct err *err)
{
	for (size_t i = 0; i < intake->part_count; i++) {
		struct part again = intake->parts[i];

		if (strcmp(again.path, first_path) != 0)
			continue;
		again.kind = part->kind;
		again.path = part->path;
		return append_part(intake, &again, err);
	}
	return err_set(err, ERR_FORMAT, "%s is a hard link to %.200s, which is not before it",
		       part->path, first_path);
}

bool intake_add_link(struct intake *intake, struct view name, struct view target, struct err *err)
{
	struct view last = view_behind_last(target, '/');
	void *links = intake->links;

	if (!make_room(&links, intake->link_count, &intake->link_capacity,
		       sizeof(*intake->links), err))
		return false;
	intake->links = links;
	struct part_link link = { arena_copy(&intake->arena, name.ptr, name.len),
				  arena_copy(&intake->arena, last.ptr, last.len) };

	if (!link.name || !link.target)
		return err_memory(err, "a driver's links");
	intake->links[intake->link_count++] = link;
	return true;
}

bool intake_finish(struct intake *intake, uint64_t *data_bytes, struct err *err)
{
	return body_writer_finish(intake->bodies, data_bytes, err);
}

/* Put the body together in memory: its extents mapped in place, holes between them zeros. */
MUST_CHECK static bool map_extents(const struct part_map *map, const struct intake *intake,
				   const struct part *part, struct err *err)
{
	for (size_t i = 0; i < part->extent_count; i++) {
		const struct extent *extent = &part->extents[i];
		char *at = (char *)map->base + extent->block * INDEX_BLOCK_BYTES;
		size_t len = extent->block_count * INDEX_BLOCK_BYTES;
		off_t offset = (off_t)(extent->data_block * INDEX_BLOCK_BYTES);

		if (part->extent_count > MAPS_MAX) {
			if (!file_pread(intake->data_fd, at, len, (uint64_t)offset, part->path,
					err))
				return false;
		} else if (mmap(at, len, PROT_READ, MAP_PRIVATE | MAP_FIXED, intake->data_fd,
				offset) == MAP_FAILED) {
			return err_os(err, "map %s", part->path);
		}
	}
	return true;
}

bool part_map_open(struct part_map *out, const struct intake *intake, const struct part *part,
		   struct err *err)
{
	CLEANUP(part_map_closep) struct part_map map = { .len = part->size_bytes };

	if (part->size_bytes > 0) {
		size_t blocks = (part->size_bytes + INDEX_BLOCK_BYTES - 1) / INDEX_BLOCK_BYTES;
		void *base = mmap(NULL, blocks * INDEX_BLOCK_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (base == MAP_FAILED)
			return err_os(err, "map %s", part->path);
		map.base = base;
		if (!map_extents(&map, intake, part, err))
			return false;
	}
	*out = map;
	map = (struct part_map){ 0 };
	return true;
}

void part_map_closep(struct part_map *map)
{
	if (map->base)
		munmap(map->base, (map->len + INDEX_BLOCK_BYTES - 1) / INDEX_BLOCK_BYTES *
					  INDEX_BLOCK_BYTES);
	*map = (struct part_map){ 0 };
}

void intake_let_go(const struct intake *intake, const struct part *part)
{
	for (size_t i = 0; i < part->extent_count; i++)
		if (fallocate(intake->data_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)(part->extents[i].data_block * INDEX_BLOCK_BYTES),
			      (off_t)(part->extents[i].block_count * INDEX_BLOCK_BYTES)) < 0)
			return; /* it only saves room: a file system without holes keeps them */
}
