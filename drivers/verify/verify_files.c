#include "verify_files.h"

#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/elf/elf_mark.h"
#include "layers/body_map.h"
#include "layers/tree_walk.h"

void injected_list_freep(struct injected_list *list)
{
	free(list->items);
	*list = (struct injected_list){ 0 };
}

/* Where a module lies: boot.json has the path, the record only the bundle's. NULL: it is not
 * loaded, and then not there either. */
static const char *module_path(const struct boot_config *boot, const char *name)
{
	const struct module_list *lists[] = { &boot->gpu.modules, &boot->modules };

	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < lists[list]->count; i++)
			if (strcmp(lists[list]->modules[i].name, name) == 0)
				return lists[list]->modules[i].path;
	return NULL;
}

MUST_CHECK static bool collect(struct injected_list *out, const struct verify_subject *subject,
			       struct err *err)
{
	const struct bundle *driver = subject->driver;
	size_t most = driver->file_count;

	for (size_t i = 0; i < driver->kernel_count; i++)
		most += driver->kernels[i].module_count;
	out->items = calloc(most + 1, sizeof(*out->items));
	if (!out->items)
		return err_memory(err, "a driver's files");
	for (size_t i = 0; i < driver->file_count; i++)
		out->items[out->count++] = (struct injected){
			.path = driver->files[i].dest,
			.file = &driver->files[i],
			.wanted = driver->files[i].digest,
			.size_bytes = driver->files[i].size_bytes,
		};
	for (size_t i = 0; i < driver->kernel_count; i++) {
		for (size_t at = 0; at < driver->kernels[i].module_count; at++) {
			const struct bundle_module *module = &driver->kernels[i].modules[at];
			const char *path = module_path(subject->boot, module->name);

			if (path)
				out->items[out->count++] = (struct injected){
					.path = path,
					.wanted = module->digest,
					.size_bytes = module->size_bytes,
				};
		}
	}
	return true;
}

/* What the readers share. */
struct readers {
	const struct verify_subject *subject;
	struct injected **order; /* order[count] */
	size_t count;
	atomic_size_t next;
	pthread_mutex_t mutex; /* over failure */
	struct err failure; /* the first */
};

/* A file being hashed. */
struct lane {
	struct injected *item; /* NULL: the lane is free */
	struct body_map map; /* owned */
	struct sha256 *hash; /* owned */
	struct view rest; /* of its bytes, what is not hashed yet */
};

/* One thread: it hashes two files at a time, which is faster than one after the other. */
struct reader {
	struct readers *shared;
	struct lane lanes[2];
};

static void lane_close(struct lane *lane)
{
	body_map_closep(&lane->map);
	sha256_freep(&lane->hash);
	lane->item = NULL;
}

static void reader_freep(struct reader *reader)
{
	lane_close(&reader->lanes[0]);
	lane_close(&reader->lanes[1]);
}

/* The file is not there any more when its version is asked for. */
static void keep_firmware_version(struct injected *item, struct view version)
{
	if (version.len > 0)
		memcpy(item->firmware_version, version.ptr, version.len);
}

static void read_facts(struct injected *item, struct view bytes, const char *version)
{
	item->is_elf = view_starts(bytes, ELFMAG);
	if (item->file && item->file->kind == BUNDLE_FIRMWARE)
		keep_firmware_version(item, elf_mark_firmware(bytes));
	if (item->file && item->file->kind == BUNDLE_BIN)
		item->names_version = bytes.len > 0 &&
				      memmem(bytes.ptr, bytes.len, version, strlen(version));
}

/* The file's bytes, if it is there and has the size that it should have; *is_open says so. */
MUST_CHECK static bool open_item(struct body_map *out, const struct verify_subject *subject,
				 struct injected *item, bool *is_open, struct err *err)
{
	const struct tree_inode *node = NULL;
	uint32_t inode = TREE_NONE;

	*is_open = false;
	if (!tree_walk(subject->tree, view_of(item->path), true, &inode, err))
		return false;
	node = inode == TREE_NONE ? NULL : tree_inode(subject->tree, inode);
	if (!node || !node->entry || node->entry->kind != ENTRY_FILE)
		return true;
	item->inode = inode;
	if (node->entry->size != item->size_bytes)
		return true;
	if (!body_map_file(out, subject->tree, subject->data_fds, inode, err))
		return err_wrap(err, "%s", item->path);
	*is_open = true;
	return true;
}

/* The lane is free again. */
static void finish_item(const struct verify_subject *subject, struct lane *lane)
{
	if (subject->are_contents_known) {
		lane->item->is_same = true;
	} else {
		struct digest found = sha256_now(lane->hash);

		lane->item->is_same = digest_equal(&found, &lane->item->wanted);
	}
	read_facts(lane->item, lane->map.bytes, subject->driver->version);
	lane_close(lane);
}

/* The next file whose content is to be hashed, if there is one, into a lane that is free. */
MUST_CHECK static bool fill_lane(struct readers *shared, struct lane *lane, struct err *err)
{
	bool is_open = false;

	while (!lane->item) {
		size_t at = atomic_fetch_add(&shared->next, 1);

		if (at >= shared->count)
			return true;
		if (!open_item(&lane->map, shared->subject, shared->order[at], &is_open, err))
			return false;
		if (!is_open)
			continue;
		lane->item = shared->order[at];
		lane->rest = lane->map.bytes;
		if (shared->subject->are_contents_known)
			finish_item(shared->subject, lane);
		else if (!sha256_new(&lane->hash, err))
			return false;
	}
	return true;
}

static void hash_one(struct lane *lane)
{
	sha256_add(lane->hash, lane->rest.ptr, lane->rest.len);
	lane->rest = view_from(lane->rest, lane->rest.len);
}

/* As much of both as goes side by side, in whole blocks; then the shorter one's end. */
static void hash_both(struct lane *left, struct lane *right)
{
	struct lane *shorter = left->rest.len < right->rest.len ? left : right;
	size_t len = shorter->rest.len - shorter->rest.len % SHA256_BLOCK_BYTES;

	sha256_add_both(left->hash, left->rest.ptr, right->hash, right->rest.ptr, len);
	left->rest = view_from(left->rest, len);
	right->rest = view_from(right->rest, len);
	hash_one(shorter);
}

MUST_CHECK static bool read_items(struct reader *reader, struct err *err)
{
	struct readers *shared = reader->shared;
	struct lane *left = &reader->lanes[0], *right = &reader->lanes[1];

	do {
		if (!fill_lane(shared, left, err) || !fill_lane(shared, right, err))
			return false;
		if (left->item && right->item)
			hash_both(left, right);
		else if (left->item || right->item)
			hash_one(left->item ? left : right);
		if (left->item && left->rest.len == 0)
			finish_item(shared->subject, left);
		if (right->item && right->rest.len == 0)
			finish_item(shared->subject, right);
	} while (left->item || right->item || atomic_load(&shared->next) < shared->count);
	return true;
}

static void *work(void *argument)
{
	CLEANUP(reader_freep) struct reader reader = { .shared = argument };
	struct readers *shared = argument;
	struct err err = { 0 };

	if (read_items(&reader, &err))
		return NULL;
	pthread_mutex_lock(&shared->mutex);
	if (shared->failure.kind == ERR_NONE)
		shared->failure = err;
	pthread_mutex_unlock(&shared->mutex);
	atomic_store(&shared->next, shared->count);
	return NULL;
}

static int compare_sizes(const void *left, const void *right)
{
	const struct injected *a = *(struct injected *const *)left;
	const struct injected *b = *(struct injected *const *)right;

	return (a->size_bytes < b->size_bytes) - (a->size_bytes > b->size_bytes);
}

/* The caller's thread works too, so that it goes on where no other can be had. */
static void run_readers(struct readers *readers, unsigned jobs)
{
	enum { THREADS_MAX = 16 };
	pthread_t threads[THREADS_MAX];
	unsigned count = 0;

	pthread_mutex_init(&readers->mutex, NULL);
	while (count + 1 < jobs && count < THREADS_MAX &&
	       pthread_create(&threads[count], NULL, work, readers) == 0)
		count++;
	work(readers);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&readers->mutex);
}

/* The largest first, so that no lane is left alone with one at the end. */
MUST_CHECK static bool read_all(struct injected_list *list, const struct verify_subject *subject,
				struct err *err)
{
	CLEANUP(freep) struct injected **order = calloc(list->count + 1, sizeof(struct injected *));
	struct readers readers = { .subject = subject, .order = order, .count = list->count };

	if (!order)
		return err_memory(err, "a driver's files");
	for (size_t i = 0; i < list->count; i++)
		order[i] = &list->items[i];
	qsort(order, list->count, sizeof(struct injected *), compare_sizes);
	run_readers(&readers, subject->jobs);
	if (readers.failure.kind == ERR_NONE)
		return true;
	*err = readers.failure;
	return false;
}

MUST_CHECK static bool report_item(struct finding_list *findings,
				   const struct verify_subject *subject,
				   const struct injected *item, struct err *err)
{
	if (item->is_same)
		return true;
	if (item->inode == TREE_NONE)
		return finding_add(findings, RULE_DIGEST_MISMATCH, SEVERITY_ERROR, err,
				   "%s of driver %s is not in the image", item->path,
				   subject->driver->version);
	uint64_t found = tree_inode(subject->tree, item->inode)->entry->size;

	if (found != item->size_bytes)
		return finding_add(findings, RULE_DIGEST_MISMATCH, SEVERITY_ERROR, err,
				   "%s has %llu bytes, that of driver %s has %llu", item->path,
				   (unsigned long long)found, subject->driver->version,
				   (unsigned long long)item->size_bytes);
	return finding_add(findings, RULE_DIGEST_MISMATCH, SEVERITY_ERROR, err,
			   "%s has another SHA-256 than that of driver %s", item->path,
			   subject->driver->version);
}

bool verify_files(struct injected_list *out, struct finding_list *findings,
		  const struct verify_subject *subject, struct err *err)
{
	if (!collect(out, subject, err) || !read_all(out, subject, err))
		return false;
	for (size_t i = 0; i < out->count; i++)
		if (!report_item(findings, subject, &out->items[i], err))
			return false;
	return true;
}
