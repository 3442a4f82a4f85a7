#include "leftovers.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "drivers/bundle/capability.h"
#include "drivers/bundle/vendor_version.h"
#include "layers/walk.h"

enum {
	PROGRAM_BYTES_MAX = 32 << 20, /* nvidia-smi has under 1 MB */
	OWN_FOLDERS = 5, /* where a driver's files go */
};

void leftover_list_freep(struct leftover_list *list)
{
	free(list->items);
	arena_freep(&list->arena);
	*list = (struct leftover_list){ 0 };
}

const char *leftover_kind_text(enum leftover_kind kind)
{
	static const char *const texts[] = { "an empty file", "a link to nowhere",
					     "of another driver", "of this driver" };

	return texts[kind];
}

/* Is that a component of the path? */
static bool has_component(struct view path, const char *component)
{
	while (path.ptr)
		if (view_equal(view_cut(&path, '/'), component))
			return true;
	return false;
}

/* The name of the file that a name of dir leads to in the end, and its inode. */
static uint32_t final_file(const struct image_files *files, uint32_t dir, struct view name,
			   struct view *final)
{
	struct err err = { 0 };
	struct walk walk;

	walk_start(&walk, files->tree, dir, name);
	for (;;) {
		enum walk_stop stop = walk_next(&walk);

		if (stop == WALK_SYMLINK && walk_follow(&walk, &err))
			continue;
		if (stop != WALK_FILE || !walk_is_last(&walk))
			return TREE_NONE;
		*final = walk.component;
		return tree_name(files->tree, walk.name)->inode;
	}
}

/* A program says its version in many ways; the driver's own stands in it as text. */
MUST_CHECK static bool is_program_of(bool *out, const struct image_files *files, uint32_t inode,
				     const char *version, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(PROGRAM_BYTES_MAX);

	*out = false;
	if (image_file_bytes(files, inode) > PROGRAM_BYTES_MAX)
		return true;
	if (!image_slurp(files, inode, &bytes, err))
		return false;
	*out = memmem(bytes.data, bytes.len, version, strlen(version)) != NULL;
	return true;
}

MUST_CHECK static bool judge(enum leftover_kind *out, const struct image_files *files, uint32_t dir,
			     const struct image_name *name, const char *version, struct err *err)
{
	struct view final = name->name;
	uint32_t inode = final_file(files, dir, name->name, &final);
	bool is_same = false;

	if (inode == TREE_NONE || !image_is_file(files, inode)) {
		*out = LEFTOVER_DANGLING;
		return true;
	}
	if (image_file_bytes(files, inode) == 0) {
		*out = LEFTOVER_ZERO_BYTE;
		return true;
	}
	if (capability_of_program(name->name) != 0) {
		if (!is_program_of(&is_same, files, inode, version, err))
			return false;
	} else {
		is_same = view_equal(vendor_version_in(final), version);
	}
	*out = is_same ? LEFTOVER_SAME : LEFTOVER_FOREIGN;
	return true;
}

/* Distributions have packages of their own for these, with versions of their own. */
static bool is_distributions(const struct image_files *files, uint32_t dir, struct view name)
{
	struct view final = name;
	uint32_t inode = final_file(files, dir, name, &final);

	return view_starts(name, "libnvidia-egl-") && inode != TREE_NONE &&
	       image_file_bytes(files, inode) > 0 && !vendor_version_in(final).ptr;
}

MUST_CHECK static bool add(struct leftover_list *list, const char *folder, struct view name,
			   enum leftover_kind kind, struct err *err)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity * 2 + 16;
		void *items = reallocarray(list->items, capacity, sizeof(*list->items));

		if (!items)
			return err_memory(err, "an earlier driver's files");
		list->items = items;
		list->capacity = capacity;
	}
	const char *path = image_join(&list->arena, folder, name);

	if (!path)
		return err_memory(err, "an earlier driver's files");
	list->items[list->count++] = (struct leftover){ path, kind };
	return true;
}

/* The folders that were looked into, under whatever name. */
struct seen {
	uint32_t *dirs; /* dirs[count]; owned */
	size_t count;
};

static void seen_freep(struct seen *seen)
{
	free(seen->dirs);
}

MUST_CHECK static bool search(struct leftover_list *list, struct seen *seen,
			      const struct image_files *files, uint32_t dir, const char *version,
			      struct err *err)
{
	struct image_names names;

	for (size_t i = 0; i < seen->count; i++)
		if (seen->dirs[i] == dir)
			return true;
	if (!image_is_dir(files, dir))
		return true;
	seen->dirs[seen->count++] = dir;
	const char *folder = image_dir_path(files, dir, &list->arena);

	if (!folder)
		return err_memory(err, "an earlier driver's files");
	if (has_component(view_of(folder), "compat") || has_component(view_of(folder), "stubs"))
		return true;
	if (!image_list(files, dir, &list->arena, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		const struct image_name *name = &names.items[i];
		enum leftover_kind kind;

		if ((capability_of_library(name->name) == 0 &&
		     capability_of_program(name->name) == 0) ||
		    image_is_dir(files, name->inode) || is_distributions(files, dir, name->name))
			continue;
		if (!judge(&kind, files, dir, name, version, err) ||
		    !add(list, folder, name->name, kind, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool search_path(struct leftover_list *list, struct seen *seen,
				   const struct image_files *files, struct view path,
				   const char *version, struct err *err)
{
	uint32_t dir = image_find(files, TREE_ROOT, path);

	return !view_starts(path, "/") || search(list, seen, files, dir, version, err);
}

MUST_CHECK static bool search_all(struct leftover_list *list, struct seen *seen,
				  const struct image_files *files, const struct image_probe *probe,
				  struct view library_path, const char *version, struct err *err)
{
	const char *own[OWN_FOLDERS] = { probe->libdir, probe->libdir32, probe->bindir,
					 "/usr/local/nvidia/lib", "/usr/local/nvidia/lib64" };

	for (size_t i = 0; i < probe->folders.count; i++)
		if (!search(list, seen, files, probe->folders.items[i].inode, version, err))
			return false;
	for (size_t i = 0; i < OWN_FOLDERS; i++)
		if (own[i] && !search_path(list, seen, files, view_of(own[i]), version, err))
			return false;
	while (library_path.ptr)
		if (!search_path(list, seen, files, view_cut(&library_path, ':'), version, err))
			return false;
	return true;
}

static size_t folder_count(struct view library_path)
{
	size_t count = 0;

	while (library_path.ptr) {
		view_cut(&library_path, ':');
		count++;
	}
	return count;
}

bool leftovers_find(struct leftover_list *out, const struct image_files *files,
		    const struct image_probe *probe, struct view library_path,
		    const char *version, struct err *err)
{
	CLEANUP(leftover_list_freep) struct leftover_list list = { 0 };
	CLEANUP(seen_freep) struct seen seen = { 0 };

	seen.dirs = calloc(probe->folders.count + OWN_FOLDERS + folder_count(library_path),
			   sizeof(*seen.dirs));
	if (!seen.dirs)
		return err_memory(err, "an earlier driver's files");
	if (!search_all(&list, &seen, files, probe, library_path, version, err))
		return false;
	*out = list;
	list = (struct leftover_list){ 0 };
	return true;
}

static bool has_stub(const struct image_files *files, struct view folder)
{
	uint32_t dir =
		has_component(folder, "stubs") ? image_find(files, TREE_ROOT, folder) : TREE_NONE;

	return image_is_dir(files, dir) &&
	       image_find(files, dir, view_of("libcuda.so")) != TREE_NONE;
}

bool leftovers_check_stubs(struct finding_list *findings, const struct image_files *files,
			   const struct image_probe *probe, struct view library_path,
			   struct err *err)
{
	while (library_path.ptr) {
		struct view folder = view_cut(&library_path, ':');

		if (has_stub(files, folder) &&
		    !finding_add(findings, RULE_STUB_IN_PATH, SEVERITY_WARNING, err,
				 "LD_LIBRARY_PATH of the image has %.*s, whose libcuda.so is a "
				 "stand-in for linking, not a driver",
				 VIEW_ARGS(folder)))
			return false;
	}
	for (size_t i = 0; i < probe->folders.count; i++) {
		const char *folder = probe->folders.items[i].path;

		if (has_stub(files, view_of(folder)) &&
		    !finding_add(findings, RULE_STUB_IN_PATH, SEVERITY_WARNING, err,
				 "ld.so.conf of the image has %s, whose libcuda.so is a stand-in "
				 "for linking, not a driver",
				 folder))
			return false;
	}
	return true;
}
