#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/map_guard.h"

enum { DRAFT_NAME_LEN = 16 };

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

bool store_is_draft_name(const char *name)
{
	return strlen(name) == DRAFT_NAME_LEN &&
	       strspn(name, "0123456789abcdef") == DRAFT_NAME_LEN;
}

bool store_draft_seize(struct store *store, const char *name, int *dir_fd)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	CLEANUP(fd_closep) int fd = openat(store->tmp_fd, name, flags);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	*dir_fd = fd_take(&fd);
	return true;
}

static void clear_draft(struct store *store, const char *name)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err ignored = { 0 };

	if (!store_draft_seize(store, name, &fd))
		return;
	if (!file_remove_tree(store->tmp_fd, name, &ignored))
		return; /* not ours to remove, or another process was quicker */
}

static void clear_drafts(struct store *store)
{
	int fd = openat(store->tmp_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(dir_closep) DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (store_is_draft_name(entry->d_name))
			clear_draft(store, entry->d_name);
}

MUST_CHECK static bool find_path(struct store *store, const char *path, struct err *err)
{
	if (path && (size_t)snprintf(store->path, PATH_MAX, "%s", path) >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the store's path is too long");
	return path || default_path(store->path, err);
}

MUST_CHECK static bool open_root(struct store *store, struct err *err)
{
	return file_open(&store->dir_fd, AT_FDCWD, store->path, O_RDONLY | O_DIRECTORY, err) ||
	       err_wrap(err, "store");
}

/* A folder that is not there stays -1. */
MUST_CHECK static bool open_folder(struct store *store, int *fd, const char *path, struct err *err)
{
	struct err why = { 0 };

	if (*fd >= 0 || file_open(fd, store->dir_fd, path, O_RDONLY | O_DIRECTORY, &why) ||
	    why.kind == ERR_NOT_FOUND)
		return true;
	*err = why;
	return err_wrap(err, "store %s", store->path);
}

MUST_CHECK static bool open_folders(struct store *store, struct err *err)
{
	return open_folder(store, &store->blobs_fd, "blobs/sha256", err) &&
	       open_folder(store, &store->tmp_fd, "tmp", err);
}

bool store_open_as_is(struct store *out, const char *path, struct err *err)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;

	if (!find_path(&store, path, err) || !open_root(&store, err) || !open_folders(&store, err))
		return false;
	*out = store;
	store = STORE_NONE;
	return true;
}

bool store_make_folders(struct store *store, struct err *err)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (!file_make_dirs(store->dir_fd, folders[i], 0755, err))
			return err_wrap(err, "store %s", store->path);
	return open_folders(store, err);
}

bool store_open(struct store *out, const char *path, int64_t lock_timeout_ms, struct err *err)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;

	store.lock_timeout_ms = lock_timeout_ms;
	if (!find_path(&store, path, err))
		return false;
	if (!file_make_dirs(AT_FDCWD, store.path, 0755, err))
		return err_wrap(err, "store");
	if (!open_root(&store, err) || !store_make_folders(&store, err))
		return false;
	clear_drafts(&store);
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

static void layer_path(const struct digest *diff_id, char out[LAYER_PATH_BYTES])
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(diff_id, hex);
	snprintf(out, LAYER_PATH_BYTES, "layers/sha256/%s", hex);
}

/* Both by way of one folder: under its name may stand another by now. */
MUST_CHECK static bool open_parts(int folder_fd, const struct digest *diff_id,
				  struct stored_layer *layer, struct err *err)
{
	struct stat stat;

	if (!index_open(&layer->index, folder_fd, "index", err) ||
	    !file_open(&layer->data_fd, folder_fd, "data", O_RDONLY, err))
		return false;
	if (fstat(layer->data_fd, &stat) < 0)
		return err_os(err, "stat data");
	if ((uint64_t)stat.st_size != layer->index.data_bytes ||
	    !digest_equal(&layer->index.diff_id, diff_id))
		return err_set(err, ERR_INTEGRITY, "data does not fit its index");
	return true;
}

bool store_open_layer(const struct store *store, const struct digest *diff_id,
		      struct stored_layer *out, struct err *err)
{
	CLEANUP(stored_layer_closep) struct stored_layer layer = STORED_LAYER_NONE;
	CLEANUP(fd_closep) int folder_fd = -1;
	char path[LAYER_PATH_BYTES];

	layer_path(diff_id, path);
	if (!file_open(&folder_fd, store->dir_fd, path, O_RDONLY | O_DIRECTORY, err))
		return false;
	if (!open_parts(folder_fd, diff_id, &layer, err))
		return err_wrap(err, "%s", path);
	*out = layer;
	layer = STORED_LAYER_NONE;
	return true;
}

bool store_find_layer(struct store *store, const struct digest *diff_id, struct report *report,
		      struct stored_layer *out, bool *is_there, struct err *err)
{
	struct err why = { 0 };
	bool is_found = store_open_layer(store, diff_id, out, &why);

	if (is_found) {
		file_touch(out->data_fd, "");
	} else if (why.kind == ERR_INTEGRITY || why.kind == ERR_FORMAT) {
		report_note(report, "%s: it is made again", why.msg);
	} else if (why.kind != ERR_NOT_FOUND) {
		*err = why;
		return false;
	}
	*is_there = is_found;
	return true;
}

enum { LOCK_PATH_BYTES = NAME_MAX + 1 + sizeof("locks/") };

MUST_CHECK static bool lock_path(const char *kind, const char *name, char out[LOCK_PATH_BYTES],
				 struct err *err)
{
	return (size_t)snprintf(out, LOCK_PATH_BYTES, "locks/%s-%s", kind, name) <
		       LOCK_PATH_BYTES ||
	       err_set(err, ERR_USAGE, "%s is no name of a %s", name, kind);
}

bool store_lock(struct store *store, const char *kind, const char *name, int *lock_fd,
		struct err *err)
{
	char path[LOCK_PATH_BYTES];

	return lock_path(kind, name, path, err) &&
	       file_lock(lock_fd, store->dir_fd, path, store->lock_timeout_ms, err);
}

void store_lock_discard(struct store *store, const char *kind, const char *name, int *lock_fd)
{
	char path[LOCK_PATH_BYTES];
	struct err ignored = { 0 };

	if (lock_path(kind, name, path, &ignored))
		unlinkat(store->dir_fd, path, 0);
	fd_closep(lock_fd);
}

MUST_CHECK static bool lock_key(struct store *store, const char *kind, const struct digest *key,
				int *lock_fd, struct err *err)
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(key, hex);
	return store_lock(store, kind, hex, lock_fd, err);
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

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_os(err, "random bytes for a name");
	snprintf(draft->name, sizeof(draft->name), "%016llx", (unsigned long long)random);
	if (mkdirat(draft->tmp_fd, draft->name, 0700) < 0)
		return err_os(err, "make a folder in tmp");
	draft->dir_fd = openat(draft->tmp_fd, draft->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft->dir_fd < 0 && errno != ENOENT)
		return err_os(err, "open a folder in tmp");
	*is_made = draft->dir_fd >= 0 && flock(draft->dir_fd, LOCK_EX) == 0 &&
		   file_is_named(draft->dir_fd, draft->tmp_fd, draft->name);
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

	layer_path(diff_id, path);
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

bool store_remove(struct store *store, const char *path, struct store_draft *out, struct err *err)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;

	if (!store_draft_open(store, &draft, err))
		return false;
	if (renameat(store->dir_fd, path, draft.dir_fd, "removed") < 0)
		return err_os_path(err, "remove %s", path);
	if (!file_sync_parent(store->dir_fd, path, err))
		return false;
	*out = draft;
	draft = STORE_DRAFT_NONE;
	return true;
}

bool store_open_kernels(struct store *store, int *dir_fd, struct err *err)
{
	return file_open(dir_fd, store->dir_fd, "kernels", O_RDONLY | O_DIRECTORY, err);
}

void store_image_path(const struct digest *key, char out[STORE_IMAGE_PATH_BYTES])
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(key, hex);
	snprintf(out, STORE_IMAGE_PATH_BYTES, "images/%s.ext4", hex);
}
