#include "module_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	FOLDER_DEPTH_MAX = 32,
	MODULE_COUNT_MAX = 100 * 1000, /* a distribution's kernel has 4,000 */
	BUILTIN_BYTES_MAX = 4 << 20, /* modules.builtin: about 20 KB */
	INFO_BYTES_MAX = 1 << 20, /* one .modinfo: a driver with many aliases has 40 KB */
};

/* A module on its way to being known: by its file's name, then by its own. */
struct found {
	struct module module;
	size_t folder; /* the lesser wins */
	bool is_in_tree; /* below kernel/: loses against those that are not */
	bool is_read;
};

struct module_set {
	struct arena arena;
	struct found **found; /* found[count], by name once is_sorted; array owned */
	size_t count, capacity;
	bool is_sorted, is_all_read;
	struct bytes builtin; /* folded names, each ending in '\n' */
};

static char fold(char byte)
{
	return byte == '-' ? '_' : byte;
}

/* Compare a folded name with one that may not be. */
static int compare_name(const char *folded, struct view name)
{
	for (size_t i = 0; i < name.len; i++)
		if (folded[i] == '\0' || folded[i] != fold(name.ptr[i]))
			return (unsigned char)folded[i] - (unsigned char)fold(name.ptr[i]);
	return (unsigned char)folded[name.len];
}

static char *copy_folded(struct arena *arena, struct view name)
{
	char *copy = arena_copy(arena, name.ptr, name.len);

	for (size_t i = 0; copy && i < name.len; i++)
		copy[i] = fold(copy[i]);
	return copy;
}

/* The file name up to ".ko", ".ko.xz" and so on; NULL for all other files. */
static struct view stem(struct view name)
{
	static const char *const suffixes[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (view_ends(name, suffixes[i]))
			return (struct view){ name.ptr, name.len - strlen(suffixes[i]) };
	return (struct view){ 0 };
}

/* Folder being walked. */
struct place {
	size_t folder;
	const char *root; /* the folder as it was given */
	bool is_in_tree;
	unsigned depth;
};

MUST_CHECK static bool append(struct module_set *set, struct found *found, struct err *err)
{
	if (set->count == MODULE_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d kernel modules", MODULE_COUNT_MAX);
	if (set->count == set->capacity) {
		size_t capacity = set->capacity ? set->capacity * 2 : 256;
		struct found **grown = realloc(set->found, capacity * sizeof(struct found *));

		if (!grown)
			return err_memory(err, "a list of modules");
		set->found = grown;
		set->capacity = capacity;
	}
	found->module.ordinal = set->count;
	set->found[set->count++] = found;
	return true;
}

MUST_CHECK static bool add_file(struct module_set *set, const struct place *place,
				const char *path, struct view name, struct err *err)
{
	struct found *found = arena_take(&set->arena, sizeof(*found));
	char *copy = arena_copy(&set->arena, path, strlen(path));
	char *folded = copy_folded(&set->arena, name);

	if (!found || !copy || !folded)
		return err_memory(err, "a list of modules");
	*found = (struct found){ .module = { .name = folded, .path = copy },
				 .folder = place->folder,
				 .is_in_tree = place->is_in_tree };
	return append(set, found, err);
}

MUST_CHECK static bool walk(struct module_set *set, struct place place, const char *path,
			    struct err *err);

MUST_CHECK static bool visit(struct module_set *set, const struct place *place, const char *folder,
			     const char *name, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096);
	struct view module_name = stem(view_of(name));
	struct place below = *place;
	struct stat status;

	if (!bytes_print(&path, err, "%s/%s", folder, name))
		return err_wrap(err, "%s", folder);
	if (lstat(path.data, &status) < 0)
		return err_os_path(err, "%s", path.data);
	if (S_ISREG(status.st_mode) && module_name.len > 0)
		return add_file(set, place, path.data, module_name, err);
	if (!S_ISDIR(status.st_mode))
		return true;
	below.depth++;
	below.is_in_tree |= place->depth == 0 && strcmp(name, "kernel") == 0;
	return walk(set, below, path.data, err);
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool walk(struct module_set *set, struct place place, const char *path, struct err *err)
{
	CLEANUP(dir_closep) DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return err_os_path(err, "open %s", path);
	if (place.depth > FOLDER_DEPTH_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%s: over %d folders deep", place.root,
			       FOLDER_DEPTH_MAX);
	while (errno = 0, (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !visit(set, &place, path, entry->d_name, err))
			return false;
	return errno == 0 || err_os(err, "read folder %s", path);
}

/* modules.builtin has lines such as "kernel/fs/ext4/ext4.ko". */
MUST_CHECK static bool read_builtin(struct module_set *set, const char *folder, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096);
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BUILTIN_BYTES_MAX);
	struct err missing = { 0 };

	if (!bytes_print(&path, err, "%s/modules.builtin", folder))
		return err_wrap(err, "%s", folder);
	if (!file_slurp(&text, AT_FDCWD, path.data, &missing)) {
		if (missing.kind == ERR_NOT_FOUND)
			return true;
		*err = missing;
		return false;
	}
	for (struct view rest = bytes_view(&text); rest.len > 0;) {
		struct view line = view_cut(&rest, '\n');
		struct view name = stem(view_behind_last(line, '/'));

		for (size_t i = 0; i < name.len; i++) {
			char byte = fold(name.ptr[i]);

			if (!bytes_append(&set->builtin, &byte, 1, err))
				return err_wrap(err, "%s", path.data);
		}
		if (!bytes_append(&set->builtin, "\n", 1, err))
			return err_wrap(err, "%s", path.data);
	}
	return true;
}

MUST_CHECK static bool read_info(struct module_set *set, struct found *found, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes content = bytes_capped(MODULE_BYTES_MAX);
	struct modinfo info;

	if (found->is_read)
		return true;
	if (!module_slurp(&content, &found->module, err))
		return false;
	if (!modinfo_read(&info, bytes_view(&content), err))
		return err_wrap(err, "%s", found->module.path);
	if (info.text.len > INFO_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%s: .modinfo is over %d bytes",
			       found->module.path, INFO_BYTES_MAX);
	info.text.ptr = arena_copy(&set->arena, info.text.ptr, info.text.len);
	if (!info.text.ptr)
		return err_memory(err, found->module.path);
	struct view name = modinfo_get(&info, "name"); /* old kernels give none */

	if (name.len > 0 && compare_name(found->module.name, name) != 0) {
		found->module.name = copy_folded(&set->arena, name);
		set->is_sorted = false;
	}
	found->module.info = info;
	found->is_read = true;
	return found->module.name || err_memory(err, found->module.path);
}

MUST_CHECK static bool read_out_of_tree(struct module_set *set, struct err *err)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->found[i]->is_in_tree && !read_info(set, set->found[i], err))
			return false;
	return true;
}

bool module_set_open(struct module_set **out, const char *const *folders, size_t folder_count,
		     struct err *err)
{
	CLEANUP(module_set_freep) struct module_set *set = calloc(1, sizeof(*set));

	if (!set)
		return err_memory(err, "a list of modules");
	set->builtin = bytes_capped(BUILTIN_BYTES_MAX);
	for (size_t i = 0; i < folder_count; i++) {
		struct place place = { .folder = i, .root = folders[i] };

		if (!walk(set, place, folders[i], err) || !read_builtin(set, folders[i], err))
			return false;
	}
	if (!read_out_of_tree(set, err))
		return false;
	*out = ptr_take(&set);
	return true;
}

void module_set_freep(struct module_set **set)
{
	if (!*set)
		return;
	bytes_freep(&(*set)->builtin);
	free((*set)->found);
	arena_freep(&(*set)->arena);
	free(*set);
	*set = NULL;
}

size_t module_set_count(const struct module_set *set)
{
	return set->count;
}

static int compare_found(const void *left, const void *right)
{
	const struct found *a = *(struct found *const *)left, *b = *(struct found *const *)right;
	int by_name = strcmp(a->module.name, b->module.name);

	if (by_name != 0)
		return by_name;
	if (a->folder != b->folder)
		return a->folder < b->folder ? -1 : 1;
	if (a->is_in_tree != b->is_in_tree)
		return a->is_in_tree ? 1 : -1;
	return strcmp(a->module.path, b->module.path);
}

/* The best module of that name as far as names are known, or NULL. */
static struct found *search(struct module_set *set, struct view name)
{
	size_t low = 0, high = set->count;

	if (!set->is_sorted && set->count > 0)
		qsort(set->found, set->count, sizeof(struct found *), compare_found);
	set->is_sorted = true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_name(set->found[middle]->module.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool is_there = low < set->count &&
			compare_name(set->found[low]->module.name, name) == 0;

	return is_there ? set->found[low] : NULL;
}

MUST_CHECK static bool read_all(struct module_set *set, struct err *err)
{
	for (size_t i = 0; !set->is_all_read && i < set->count; i++)
		if (!read_info(set, set->found[i], err))
			return false;
	set->is_all_read = true;
	return true;
}

bool module_set_find(struct module_set *set, struct view name, const struct module **out,
		     struct err *err)
{
	struct found *found = search(set, name);

	if (found && !read_info(set, found, err))
		return false;
	/* No file of that name, or one that is another module: then each must say who it is. */
	if (!found || compare_name(found->module.name, name) != 0) {
		if (!read_all(set, err))
			return false;
		found = search(set, name);
	}
	*out = found ? &found->module : NULL;
	return true;
}

bool module_set_any(struct module_set *set, const struct module **out, struct err *err)
{
	if (set->count > 0 && !read_info(set, set->found[0], err))
		return false;
	*out = set->count > 0 ? &set->found[0]->module : NULL;
	return true;
}

bool module_set_is_builtin(const struct module_set *set, struct view name)
{
	for (struct view rest = bytes_view(&set->builtin); rest.len > 0;) {
		struct view line = view_cut(&rest, '\n');

		if (line.len == name.len && line.len > 0 && line.len < MODULE_NAME_BYTES_MAX) {
			char folded[MODULE_NAME_BYTES_MAX] = "";

			memcpy(folded, line.ptr, line.len);
			if (compare_name(folded, name) == 0)
				return true;
		}
	}
	return false;
}

bool module_slurp(struct bytes *out, const struct module *module, struct err *err)
{
	return archive_slurp(out, module->path, err);
}
