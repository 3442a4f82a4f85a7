#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/map_guard.h"

static const char *const folders[] = {
	"blobs/sha256", "layers/sha256", "drivers", "kernels", "images", "locks", "tmp",
};

MUST_CHECK static bool default_path(char out[PATH_MAX], struct err *err)
{
	const char *given = getenv("VMBAKE_STORE"), *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int len;

	if (given && given[0])
		len = snprintf(out, PATH_MAX, "%s", given);
	else if (geteuid() == 0)
		len = snprintf(out, PATH_MAX, "/var/lib/vmbake");
	else if (cache && cache[0] == '/')
		len = snprintf(out, PATH_MAX, "%s/vmbake", cache);
	else if (home && home[0] == '/')
		len = snprintf(out, PATH_MAX, "%s/.cache/vmbake", home);
	else
		return err_set(err, ERR_USAGE, "no --store, and no HOME to put one in");
	return (len > 0 && len < PATH_MAX) ||
	       err_set(err, ERR_USAGE, "the store's path is too long");
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Remove a draft that nobody holds any more. */
static void clear_draft(int tmp_fd, const char *name)
{
	CLEANUP(fd_closep) int fd = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored = { 0 };

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (!file_remove_tree(tmp_fd, name, &ignored))
		return; /* not ours to remove, or another process was quicker */
}

static void clear_drafts(int tmp_fd)
{
	int fd = openat(tmp_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(dir_closep) DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			clear_draft(tmp_fd, entry->d_name);
}

bool store_open(struct store *out, const char *path, int64_t lock_timeout_ms, struct err *err)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;

	store.lock_timeout_ms = lock_timeout_ms;
	if (path && (size_t)snprintf(store.path, PATH_MAX, "%s", path) >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the store's path is too long");
	if (!path && !default_path(store.path, err))
		return false;
	if (!file_make_dirs(AT_FDCWD, store.path, 0755, err) ||
	    !file_open(&store.dir_fd, AT_FDCWD, store.path, O_RDONLY | O_DIRECTORY, err))
		return err_wrap(err, "store");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (!file_make_dirs(store.dir_fd, folders[i], 0755, err))
			return err_wrap(err, "store %s", store.path);
	if (!file_open(&store.blobs_fd, store.dir_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY,
		       err) ||
	    !file_open(&store.tmp_fd, store.dir_fd, "tmp", O_RDONLY | O_DIRECTORY, err))
		return err_wrap(err, "store %s", store.path);
	clear_drafts(store.tmp_fd);
	*out = store;
	store = STORE_NONE;
	return true;
}

void store_closep(struct store *store)
{
	fd_closep(&store->dir_fd);
	fd_closep(&store->blobs_fd);
	fd_closep(&store->tmp_fd);
}

void stored_layer_closep(struct stored_layer *layer)
{
	index_closep(&layer->index);
	fd_closep(&layer->data_fd);
}

enum { LAYER_PATH_BYTES = 100 };

static void layer_path(const struct digest *diff_id, const char *suffix, char out[LAYER_PATH_BYTES])
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(diff_id, hex);
	snprintf(out, LAYER_PATH_BYTES, "layers/sha256/%s%s", hex, suffix);
}

MUST_CHECK static bool open_layer(struct store *store, const struct digest *diff_id,
				  struct stored_layer *layer, struct err *err)
{
	char index[LAYER_PATH_BYTES], data[LAYER_PATH_BYTES];
	struct stat stat;

	layer_path(diff_id, "/index", index);
	layer_path(diff_id, "/data", data);
	if (!index_open(&layer->index, store->dir_fd, index, err) ||
	    !file_open(&layer->data_fd, store->dir_fd, data, O_RDONLY, err))
		return false;
	if (fstat(layer->data_fd, &stat) < 0)
		return err_os(err, "stat %s", data);
	if ((uint64_t)stat.st_size != layer->index.data_bytes ||
	    !digest_equal(&layer->index.diff_id, diff_id))
		return err_set(err, ERR_INTEGRITY, "%s does not fit its index", data);
	return true;
}

bool store_find_layer(struct store *store, const struct digest *diff_id, struct report *report,
		      struct stored_layer *out, bool *is_there, struct err *err)
{
	CLEANUP(stored_layer_closep) struct stored_layer layer = STORED_LAYER_NONE;
	struct err why = { 0 };
	bool is_found = open_layer(store, diff_id, &layer, &why);

	if (is_found) {
		*out = layer;
		layer = STORED_LAYER_NONE;
	} else if (why.kind == ERR_INTEGRITY || why.kind == ERR_FORMAT) {
		report_note(report, "%s: it is made again", why.msg);
	} else if (why.kind != ERR_NOT_FOUND) {
		*err = why;
		return false;
	}
	*is_there = is_found;
	return true;
}

MUST_CHECK static bool lock_key(struct store *store, const char *kind, const struct digest *key,
				int *lock_fd, struct err *err)
{
	char hex[DIGEST_HEX_BYTES], path[sizeof("locks/layer-") + DIGEST_HEX_BYTES];

	digest_hex(key, hex);
	snprintf(path, sizeof(path), "locks/%s-%s", kind, hex);
	return file_lock(lock_fd, store->dir_fd, path, store->lock_timeout_ms, err);
}

bool store_lock_layer(struct store *store, const struct digest *diff_id, int *lock_fd,
		      struct err *err)
{
	return lock_key(store, "layer", diff_id, lock_fd, err);
}

bool store_lock_image(struct store *store, const struct digest *key, int *lock_fd, struct err *err)
{
	return lock_key(store, "image", key, lock_fd, err);
}

/* Another process may clear a fresh folder between mkdir and flock: then make another. */
MUST_CHECK static bool make_draft(struct store_draft *draft, bool *is_made, struct err *err)
{
	uint64_t random = 0;
	struct stat held, named;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_os(err, "random bytes for a name");
	snprintf(draft->name, sizeof(draft->name), "%016llx", (unsigned long long)random);
	if (mkdirat(draft->tmp_fd, draft->name, 0700) < 0)
		return err_os(err, "make a folder in tmp");
	draft->dir_fd = openat(draft->tmp_fd, draft->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft->dir_fd < 0 && errno != ENOENT)
		return err_os(err, "open a folder in tmp");
	*is_made = draft->dir_fd >= 0 && flock(draft->dir_fd, LOCK_EX) == 0 &&
		   fstat(draft->dir_fd, &held) == 0 &&
		   fstatat(draft->tmp_fd, draft->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		   held.st_ino == named.st_ino;
	return true;
}

bool store_draft_open(struct store *store, struct store_draft *out, struct err *err)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	bool is_made = false;

	draft.tmp_fd = store->tmp_fd;
	for (int i = 0; i < 100 && !is_made; i++) {
		fd_closep(&draft.dir_fd);
		if (!make_draft(&draft, &is_made, err))
			return err_wrap(err, "store %s", store->path);
	}
	if (!is_made)
		return err_set(err, ERR_IO, "store %s: no folder could be made in tmp",
			       store->path);
	*out = draft;
	draft = STORE_DRAFT_NONE;
	return true;
}

bool store_draft_keep(struct store *store, struct store_draft *draft, const char *path,
		      struct err *err)
{
	if (!map_guard_check(err))
		return err_wrap(err, "%s is not kept", path);
	if (fchmod(draft->dir_fd, 0755) < 0 || fsync(draft->dir_fd) < 0)
		return err_os(err, "sync a folder in tmp");
	if (!file_remove_tree(store->dir_fd, path, err))
		return false;
	if (renameat(draft->tmp_fd, draft->name, store->dir_fd, path) < 0)
		return err_os(err, "name %s", path);
	fd_closep(&draft->dir_fd);
	return file_sync_parent(store->dir_fd, path, err);
}

bool store_draft_keep_layer(struct store *store, struct store_draft *draft,
			    const struct digest *diff_id, struct err *err)
{
	char path[LAYER_PATH_BYTES];

	layer_path(diff_id, "", path);
	return store_draft_keep(store, draft, path, err);
}

void store_draft_discardp(struct store_draft *draft)
{
	struct err ignored = { 0 };

	if (draft->dir_fd < 0)
		return;
	if (!file_remove_tree(draft->tmp_fd, draft->name, &ignored))
		ignored.kind = ERR_NONE; /* the next process tries again */
	fd_closep(&draft->dir_fd);
}

bool store_open_kernels(struct store *store, int *dir_fd, struct err *err)
{
	return file_open(dir_fd, store->dir_fd, "kernels", O_RDONLY | O_DIRECTORY, err);
}

void store_image_path(const struct digest *key, const char *suffix,
		      char out[STORE_IMAGE_PATH_BYTES])
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(key, hex);
	snprintf(out, STORE_IMAGE_PATH_BYTES, "images/%s.%s", hex, suffix);
}
