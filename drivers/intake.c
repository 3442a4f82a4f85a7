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
	QUEUE_BUFFER_BYTES = 256 << 10, /* stays in the second-level cache */
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

/* The last component; path is the intake's copy. */
static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
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
	copy.name = last_component(copy.path);
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
	const char *name = last_component(part->path);

	for (size_t i = 0; i < intake->part_count; i++) {
		const struct part *other = &intake->parts[i];

		if (other->kind == part->kind && other->size_bytes == part->size_bytes &&
		    digest_equal(&other->digest, &part->digest) && strcmp(other->name, name) == 0)
			return other;
	}
	return NULL;
}

/* The hash of a large file, in a thread of its own beside reading and writing. */
struct hasher {
	struct queue *queue; /* owned, as is the hash */
	struct sha256 *hash;
	pthread_t thread;
	bool is_running;
};

static void *hash_all(void *argument)
{
	struct hasher *hasher = argument;
	const uint8_t *data = NULL;
	struct err ignored = { 0 }; /* the reader has the failure itself */
	size_t len = 0;

	while (queue_next(hasher->queue, &data, &len, &ignored) && len > 0)
		sha256_add(hasher->hash, data, len);
	return NULL;
}

static void hasher_join(struct hasher *hasher)
{
	if (!hasher->is_running)
		return;
	queue_end(hasher->queue, NULL);
	pthread_join(hasher->thread, NULL);
	hasher->is_running = false;
}

static void hasher_freep(struct hasher *hasher)
{
	hasher_join(hasher);
	queue_freep(&hasher->queue);
	sha256_freep(&hasher->hash);
}

MUST_CHECK static bool hasher_start(struct hasher *hasher, struct view first, struct err *err)
{
	if (!queue_new(&hasher->queue, QUEUE_BUFFERS, QUEUE_BUFFER_BYTES, err) ||
	    !sha256_new(&hasher->hash, err))
		return false;
	sha256_add(hasher->hash, first.ptr, first.len);
	errno = pthread_create(&hasher->thread, NULL, hash_all, hasher);
	if (errno)
		return err_os(err, "start a thread");
	hasher->is_running = true;
	return true;
}

/* The digest of bytes at hand, made in a thread of its own while they are written. */
struct digester {
	struct view content;
	struct digest digest;
	pthread_t thread;
};

static void *digest_all(void *argument)
{
	struct digester *digester = argument;

	digester->digest = digest_of(digester->content.ptr, digester->content.len);
	return NULL;
}

MUST_CHECK static bool write_bytes(struct intake *intake, struct part *part, struct view content,
				   struct err *err)
{
	body_begin(intake->bodies);
	return body_write(intake->bodies, content, err) &&
	       body_end(intake->bodies, content.len, &part->extents, &part->extent_count,
			&part->body_crc32c, err);
}

/* What is small is hashed first, and not written when it is there already. */
MUST_CHECK static bool write_and_hash(struct intake *intake, struct part *part,
				      struct view content, struct err *err)
{
	struct digester digester = { .content = content };
	bool is_small = content.len < BUFFER_BYTES;

	if (is_small) {
		part->digest = digest_of(content.ptr, content.len);
		return find_same(intake, part) || write_bytes(intake, part, content, err);
	}
	errno = pthread_create(&digester.thread, NULL, digest_all, &digester);
	if (errno)
		return err_os(err, "start a thread");
	bool ok = write_bytes(intake, part, content, err);

	pthread_join(digester.thread, NULL);
	part->digest = digester.digest;
	return ok;
}

bool intake_add_bytes(struct intake *intake, const struct part *part, struct view content,
		      size_t *index, struct err *err)
{
	struct part taken = *part;

	taken.size_bytes = content.len;
	if (!count_bytes(intake, content.len, err) ||
	    !write_and_hash(intake, &taken, content, err))
		return false;
	const struct part *same = find_same(intake, &taken);

	if (same) {
		*index = (size_t)(same - intake->parts);
		return true;
	}
	if (!append_part(intake, &taken, err))
		return false;
	*index = intake->part_count - 1;
	return true;
}

/* Write what follows first to the end of content, and hash it. */
MUST_CHECK static bool pour(struct intake *intake, struct hasher *hasher, struct stream *content,
			    uint64_t *size_bytes, struct err *err)
{
	for (;;) {
		uint8_t *buffer = queue_fill(hasher->queue);
		size_t len = 0;

		if (!buffer)
			return err_set(err, ERR_INTERNAL, "a hash gave up");
		if (!content->read(content, buffer, QUEUE_BUFFER_BYTES, &len, err))
			return false;
		if (len == 0)
			return true;
		if (!count_bytes(intake, len, err) ||
		    !body_write(intake->bodies, (struct view){ (char *)buffer, len }, err))
			return false;
		*size_bytes += len;
		queue_push(hasher->queue, len);
	}
}

MUST_CHECK static bool add_large(struct intake *intake, const struct part *part, struct view first,
				 struct stream *content, struct err *err)
{
	CLEANUP(hasher_freep) struct hasher hasher = { 0 };
	struct part taken = *part;

	taken.size_bytes = first.len;
	body_begin(intake->bodies);
	if (!count_bytes(intake, first.len, err) || !body_write(intake->bodies, first, err) ||
	    !hasher_start(&hasher, first, err) ||
	    !pour(intake, &hasher, content, &taken.size_bytes, err) ||
	    !body_end(intake->bodies, taken.size_bytes, &taken.extents, &taken.extent_count,
		      &taken.body_crc32c, err))
		return false;
	hasher_join(&hasher);
	taken.digest = sha256_now(hasher.hash);
	return append_part(intake, &taken, err);
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
	struct view last = view_from(target, (size_t)(view_find_last(target, '/') + 1));
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
