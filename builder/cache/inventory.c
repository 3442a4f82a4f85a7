#include "inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/view.h"
#include "drivers/bundle/bundle.h"
#include "sharing.h"

void inventory_freep(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++)
		free(inventory->items[i].path);
	for (size_t i = 0; i < inventory->foreign_count; i++)
		free(inventory->foreign[i]);
	free(inventory->items);
	free(inventory->foreign);
	*inventory = (struct inventory){ 0 };
}

/* Takes path over. */
MUST_CHECK static bool add_foreign(struct inventory *inventory, char **path, struct err *err)
{
	if (inventory->foreign_count == inventory->foreign_capacity) {
		size_t old = inventory->foreign_capacity, capacity = old ? old * 2 : 16;
		char **grown = reallocarray(inventory->foreign, capacity, sizeof(*grown));

		if (!grown)
			return err_memory(err, "a list of names");
		inventory->foreign = grown;
		inventory->foreign_capacity = capacity;
	}
	inventory->foreign[inventory->foreign_count++] = ptr_take(path);
	return true;
}

/* Takes the thing's path over. */
MUST_CHECK static bool add_thing(struct inventory *inventory, struct thing *thing, struct err *err)
{
	if (inventory->count == inventory->capacity) {
		size_t capacity = inventory->capacity ? inventory->capacity * 2 : 64;
		struct thing *grown = reallocarray(inventory->items, capacity, sizeof(*grown));

		if (!grown)
			return err_memory(err, "a list of what is stored");
		inventory->items = grown;
		inventory->capacity = capacity;
	}
	inventory->items[inventory->count++] = *thing;
	thing->path = NULL;
	return true;
}

static bool is_hex(struct view text, size_t len)
{
	if (text.len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", text.ptr[i]) || !text.ptr[i])
			return false;
	return true;
}

/* "HEX" + suffix, as in "HEX.ext4" */
static bool is_digest(const char *name, const char *suffix)
{
	struct view text = view_of(name);

	if (!view_ends(text, suffix))
		return false;
	text.len -= strlen(suffix);
	return is_hex(text, DIGEST_HEX_LEN);
}

/* What base/file makes files as, where it must: ".HEX.ext4.vmbake" */
static bool is_new_file(const char *name, const char *suffix)
{
	char inner[DIGEST_HEX_LEN + 16];
	struct view text = view_of(name);

	if (!view_starts(text, ".") || !view_ends(text, ".vmbake") || text.len > sizeof(inner) + 7)
		return false;
	text.len -= strlen(".vmbake");
	text = view_from(text, 1);
	snprintf(inner, sizeof(inner), "%.*s", VIEW_ARGS(text));
	return is_digest(inner, suffix);
}

static bool is_bundle(const char *name)
{
	struct view text = view_of(name);

	return text.len < BUNDLE_NAME_BYTES && name[0] != '.' && strchr(name, '-') &&
	       is_hex(view_behind_last(text, '-'), BUNDLE_NAME_DIGITS);
}

static bool is_lock(const char *name)
{
	struct view text = view_of(name);

	if (view_starts(text, "layer-"))
		return is_digest(name + strlen("layer-"), "");
	if (view_starts(text, "image-"))
		return is_digest(name + strlen("image-"), "");
	return view_starts(text, "driver-") && is_bundle(name + strlen("driver-"));
}

/* The folders of a store, and what may be in each. */
static const struct shelf {
	const char *path;
	enum thing_kind kind;
	bool holds_folders;
	const char *files[4]; /* in each of those */
} shelves[] = {
	{ "layers/sha256", THING_LAYER, true, { "data", "index" } },
	{ "images", THING_IMAGE, false, { NULL } },
	{ "blobs/sha256", THING_BLOB, false, { NULL } },
	{ "drivers", THING_DRIVER, true, { "data", "index", "vmbake-driver.json" } },
	{ "kernels", THING_KERNEL, false, { NULL } },
	{ "tmp", THING_DRAFT, true, { NULL } },
	{ "locks", THING_LOCK, false, { NULL } },
};
enum { SHELF_COUNT = sizeof(shelves) / sizeof(shelves[0]) };

/* THING_KIND_COUNT: no name of ours. */
static enum thing_kind kind_of(const struct shelf *shelf, const char *name)
{
	bool is_ours = false;

	switch (shelf->kind) {
	case THING_LAYER:
		is_ours = is_digest(name, "");
		break;
	case THING_IMAGE:
		if (is_new_file(name, ".ext4"))
			return THING_DRAFT;
		is_ours = is_digest(name, ".ext4");
		break;
	case THING_BLOB:
		is_ours = is_digest(name, "") || is_digest(name, ".part");
		break;
	case THING_DRIVER:
		is_ours = is_bundle(name);
		break;
	case THING_KERNEL:
		if (is_new_file(name, ""))
			return THING_DRAFT;
		is_ours = is_digest(name, "");
		break;
	case THING_DRAFT:
		is_ours = store_is_draft_name(name);
		break;
	case THING_LOCK:
		is_ours = is_lock(name);
		break;
	case THING_KIND_COUNT:
		break;
	}
	return is_ours ? shelf->kind : THING_KIND_COUNT;
}

/* What is not there any more, or not for us to see, counts nothing. */
static void add_blocks(int dir_fd, const char *path, unsigned depth, uint64_t *bytes)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	CLEANUP(fd_closep) int fd = -1;
	struct err ignored = { 0 };
	struct stat stat;

	if (fstatat(dir_fd, path, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	*bytes += (uint64_t)stat.st_blocks * 512;
	if (!S_ISDIR(stat.st_mode) || depth == 0 ||
	    !file_open(&fd, dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, &ignored) ||
	    !folder_list(&names, fd, ".", &ignored))
		return;
	for (size_t i = 0; i < names.count; i++)
		add_blocks(fd, names.items[i], depth - 1, bytes);
}

/* Only what belongs there, and that as plain files? A folder that is gone is not foreign. */
static bool is_our_folder(int dir_fd, const char *path, const struct shelf *shelf)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	struct err ignored = { 0 };

	if (!shelf->files[0] || !folder_list(&names, dir_fd, path, &ignored))
		return true;
	for (size_t i = 0; i < names.count; i++) {
		char inner[THING_PATH_BYTES];
		struct stat stat;
		bool is_known = false;

		for (size_t k = 0; shelf->files[k]; k++)
			is_known = is_known || strcmp(names.items[i], shelf->files[k]) == 0;
		snprintf(inner, sizeof(inner), "%s/%s", path, names.items[i]);
		if (!is_known || (fstatat(dir_fd, inner, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
				  !S_ISREG(stat.st_mode)))
			return false;
	}
	return true;
}

/* What costs a look inside. */
static void look_inside(const struct store *store, struct thing *thing)
{
	CLEANUP(fd_closep) int fd = -1;
	char path[THING_PATH_BYTES];

	if (thing->kind == THING_LAYER || thing->kind == THING_DRIVER) {
		snprintf(path, sizeof(path), "%s/index", thing->path);
		thing->knows_entries = index_peek(&thing->entry_count, store->dir_fd, path);
	}
	if (thing->kind != THING_IMAGE)
		return;
	fd = openat(store->dir_fd, thing->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	thing->knows_shared = fd >= 0 && sharing_measure(fd, &thing->shared_bytes);
	if (thing->shared_bytes > thing->bytes) /* written meanwhile, or shared with itself */
		thing->shared_bytes = thing->bytes;
}

static void measure(const struct store *store, struct thing *thing, const struct stat *stat)
{
	enum { DEPTH = 16 }; /* of drafts; what is deeper counts nothing */
	char file[THING_PATH_BYTES];
	struct stat inner;

	thing_main_file(thing, file);
	thing->last_use = stat->st_mtime;
	if (fstatat(store->dir_fd, file, &inner, AT_SYMLINK_NOFOLLOW) == 0)
		thing->last_use = inner.st_mtime;
	add_blocks(store->dir_fd, thing->path, DEPTH, &thing->bytes);
	look_inside(store, thing);
}

MUST_CHECK static bool take_one(struct inventory *inventory, const struct store *store,
				const struct shelf *shelf, const char *name, struct err *err)
{
	CLEANUP(freep) char *path = NULL;
	enum thing_kind kind = kind_of(shelf, name);
	struct stat stat;

	if (asprintf(&path, "%s/%s", shelf->path, name) < 0)
		return path = NULL, err_memory(err, "a name");
	if (fstatat(store->dir_fd, path, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || err_os(err, "stat %s", path);
	bool is_folder = S_ISDIR(stat.st_mode);

	if (kind == THING_KIND_COUNT || is_folder != shelf->holds_folders ||
	    !(is_folder || S_ISREG(stat.st_mode)) ||
	    (is_folder && !is_our_folder(store->dir_fd, path, shelf)))
		return add_foreign(inventory, &path, err);
	struct thing thing = { .kind = kind,
			       .path = path,
			       .is_part = kind == THING_BLOB && view_ends(view_of(name), ".part") };

	measure(store, &thing, &stat);
	if (!add_thing(inventory, &thing, err))
		return false;
	path = NULL;
	return true;
}

/* A folder that is not there holds nothing. */
MUST_CHECK static bool list(struct folder_names *out, const struct store *store, const char *path,
			    struct err *err)
{
	struct err why = { 0 };

	if (folder_list(out, store->dir_fd, path, &why) || why.kind == ERR_NOT_FOUND)
		return true;
	*err = why;
	return false;
}

/* A file system's own folder may stand at the top of a store. */
static bool is_expected(const char *parent, const char *name)
{
	char path[THING_PATH_BYTES];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s%s%s", parent, *parent ? "/" : "",
				      name);

	for (size_t i = 0; i < SHELF_COUNT; i++)
		if (strncmp(shelves[i].path, path, len) == 0 &&
		    (shelves[i].path[len] == '/' || shelves[i].path[len] == '\0'))
			return true;
	return !*parent && strcmp(name, "lost+found") == 0;
}

/* Beside the shelves. */
MUST_CHECK static bool find_foreign(struct inventory *inventory, const struct store *store,
				    const char *parent, struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };

	if (!list(&names, store, *parent ? parent : ".", err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(freep) char *path = NULL;

		if (is_expected(parent, names.items[i]))
			continue;
		if (asprintf(&path, "%s%s%s", parent, *parent ? "/" : "", names.items[i]) < 0)
			return path = NULL, err_memory(err, "a name");
		if (!add_foreign(inventory, &path, err))
			return false;
	}
	return true;
}

static int compare_things(const void *a, const void *b)
{
	const struct thing *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return strcmp(left->path, right->path);
}

MUST_CHECK static bool take(struct inventory *inventory, const struct store *store,
			    struct err *err)
{
	for (size_t i = 0; i < SHELF_COUNT; i++) {
		CLEANUP(folder_names_freep) struct folder_names names = { 0 };

		if (!list(&names, store, shelves[i].path, err))
			return false;
		for (size_t k = 0; k < names.count; k++)
			if (!take_one(inventory, store, &shelves[i], names.items[k], err))
				return false;
	}
	return find_foreign(inventory, store, "", err) &&
	       find_foreign(inventory, store, "layers", err) &&
	       find_foreign(inventory, store, "blobs", err);
}

bool inventory_take(struct inventory *out, const struct store *store, struct err *err)
{
	CLEANUP(inventory_freep) struct inventory inventory = { 0 };

	if (!take(&inventory, store, err))
		return err_wrap(err, "store %s", store->path);
	if (inventory.count > 0)
		qsort(inventory.items, inventory.count, sizeof(*inventory.items), compare_things);
	*out = inventory;
	inventory = (struct inventory){ 0 };
	return true;
}
