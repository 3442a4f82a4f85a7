#include "driver_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { DRIVER_PATH_BYTES = BUNDLE_NAME_BYTES + 16 };

bool driver_store_open(struct store *store, int *dir_fd, struct err *err)
{
	return file_open(dir_fd, store->dir_fd, "drivers", O_RDONLY | O_DIRECTORY, err) ||
	       err_wrap(err, "store %s", store->path);
}

/* What is in a dot file, or longer than a name can be, is not ours. */
static bool is_name(const char *name)
{
	return name[0] != '.' && strlen(name) < BUNDLE_NAME_BYTES;
}

bool driver_store_list(struct store *store, struct folder_names *out, struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	size_t kept = 0;

	if (!folder_list(&names, store->dir_fd, "drivers", err))
		return err_wrap(err, "store %s", store->path);
	for (size_t i = 0; i < names.count; i++) {
		if (is_name(names.items[i]))
			names.items[kept++] = names.items[i];
		else
			free(names.items[i]);
	}
	names.count = kept;
	*out = names;
	names = (struct folder_names){ 0 };
	return true;
}

/* A whole name, or whole parts of one: the branch "535", the version "535.309.01"; or a digest cut
 * short. */
static bool is_meant(const char *name, const char *given)
{
	size_t len = strlen(given);

	if (strncmp(name, given, len) != 0)
		return false;
	return name[len] == '\0' || strchr(".-", name[len]) || strchr(given, '-');
}

bool driver_store_find(struct store *store, const char *given, char out[BUNDLE_NAME_BYTES],
		       struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	const char *found = NULL;

	if (!driver_store_list(store, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!is_meant(names.items[i], given))
			continue;
		if (strcmp(names.items[i], given) == 0) {
			found = names.items[i];
			break;
		}
		if (found)
			return err_set(err, ERR_USAGE, "driver %.100s is several: %s, %s", given,
				       found, names.items[i]);
		found = names.items[i];
	}
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "no driver %.200s in the store", given);
	snprintf(out, BUNDLE_NAME_BYTES, "%s", found);
	return true;
}

MUST_CHECK static bool is_whole(struct store *store, const char *name, bool *out, struct err *err)
{
	CLEANUP(stored_bundle_closep) struct stored_bundle stored = STORED_BUNDLE_NONE;
	CLEANUP(fd_closep) int dir_fd = -1;
	struct err why = { 0 };

	if (!driver_store_open(store, &dir_fd, err))
		return false;
	*out = stored_bundle_open(&stored, dir_fd, name, &why);
	return true;
}

bool driver_store_keep(struct store *store, struct store_draft *draft, const char *name,
		       bool *was_there, struct err *err)
{
	CLEANUP(fd_closep) int lock_fd = -1;
	char path[DRIVER_PATH_BYTES];
	bool is_there = false;

	if (!store_lock(store, "driver", name, &lock_fd, err) ||
	    !is_whole(store, name, &is_there, err))
		return false;
	snprintf(path, sizeof(path), "drivers/%s", name);
	if (!is_there && !store_draft_keep(store, draft, path, err))
		return false;
	*was_there = is_there;
	return true;
}

bool driver_store_remove(struct store *store, const char *name, struct err *err)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	CLEANUP(fd_closep) int lock_fd = -1;
	char path[DRIVER_PATH_BYTES];
	struct err why = { 0 };

	snprintf(path, sizeof(path), "drivers/%s", name);
	if (!store_lock(store, "driver", name, &lock_fd, err))
		return false;
	if (store_remove(store, path, &draft, &why)) {
		store_lock_discard(store, "driver", name, &lock_fd);
		return true;
	}
	if (why.kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "no driver %s in the store", name);
	*err = why;
	return false;
}
