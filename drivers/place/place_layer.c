#include "place_layer.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/bundle/capability.h"

void place_layer_freep(struct place_layer *layer)
{
	synthetic_freep(&layer->synthetic);
	free(layer->paths);
	*layer = PLACE_LAYER_NONE;
}

static const char **slot_of(const char **paths, size_t slot_count, const char *path)
{
	size_t hash = 5381;

	for (const char *byte = path; *byte; byte++)
		hash = hash * 33 + (unsigned char)*byte;
	size_t at = hash & (slot_count - 1);

	while (paths[at] && strcmp(paths[at], path) != 0)
		at = (at + 1) & (slot_count - 1);
	return &paths[at];
}

MUST_CHECK static bool grow(struct place_layer *layer, struct err *err)
{
	size_t slot_count = layer->slot_count ? layer->slot_count * 2 : 1024;
	const char **paths = calloc(slot_count, sizeof(*paths));

	if (!paths)
		return err_memory(err, "a driver's layer");
	for (size_t i = 0; i < layer->slot_count; i++)
		if (layer->paths[i])
			*slot_of(paths, slot_count, layer->paths[i]) = layer->paths[i];
	free(layer->paths);
	layer->paths = paths;
	layer->slot_count = slot_count;
	return true;
}

/* Note that the layer has this path from now on; *is_new false when it had. */
MUST_CHECK static bool claim(struct place_layer *layer, const char *path, bool *is_new,
			     struct err *err)
{
	if (layer->path_count * 2 >= layer->slot_count && !grow(layer, err))
		return false;
	const char **slot = slot_of(layer->paths, layer->slot_count, path);

	*is_new = !*slot;
	if (*is_new) {
		*slot = arena_copy(layer->arena, path, strlen(path));
		layer->path_count++;
	}
	return *slot ? true : err_memory(err, "a driver's layer");
}

static const char *folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? "/" : arena_copy(arena, path, (size_t)(slash - path));
}

bool place_layer_resolve(struct place_layer *layer, const char *path, const char **out,
			 struct err *err)
{
	const char *folder = folder_of(layer->arena, path);
	const char *real = NULL;

	if (!folder)
		return err_memory(err, "a path");
	if (!image_real_folder(&layer->files, folder, layer->arena, &real, err))
		return false;
	*out = image_join(layer->arena, real, view_of(strrchr(path, '/') + 1));
	return *out ? true : err_memory(err, "a path");
}

/* The folders that the path needs and the image lacks, outermost first. */
MUST_CHECK static bool make_folders(struct place_layer *layer, const char *path, struct err *err)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		struct view folder = { path, (size_t)(slash - path) };
		bool is_new = false;

		if (image_is_dir(&layer->files, image_find(&layer->files, TREE_ROOT, folder)))
			continue;
		const char *copy = arena_copy(layer->arena, folder.ptr, folder.len);

		if (!copy)
			return err_memory(err, "a path");
		if (!claim(layer, copy, &is_new, err) ||
		    (is_new && !synthetic_add_dir(&layer->synthetic, copy + 1, 0755, err)))
			return false;
	}
	return true;
}

static bool has_word(struct view name, const char *word)
{
	return memmem(name.ptr, name.len, word, strlen(word)) != NULL;
}

/* By its name: a driver's library or program, or a file of settings that speaks of the driver. */
static bool is_drivers(struct view name)
{
	return capability_of_library(name) != 0 || capability_of_program(name) != 0 ||
	       has_word(name, "nvidia") || has_word(name, "nvoptix") || view_starts(name, "gsp_") ||
	       view_starts(name, "libcuda.so") || view_starts(name, "libGLX_indirect");
}

MUST_CHECK static bool check_free(const struct place_layer *layer, const char *path,
				  struct err *err)
{
	const char *name = strrchr(path, '/') + 1;
	struct view folder = { path, (size_t)(name - path) };
	uint32_t dir = image_find(&layer->files, TREE_ROOT, folder);
	uint32_t found = image_is_dir(&layer->files, dir)
				 ? tree_find(layer->files.tree, dir, view_of(name))
				 : TREE_NONE;

	if (found == TREE_NONE)
		return true;
	if (image_is_dir(&layer->files, tree_name(layer->files.tree, found)->inode))
		return err_set(err, ERR_MISMATCH,
			       "the image has a folder %s, where the driver has a file", path);
	return is_drivers(view_of(name)) ||
	       err_set(err, ERR_MISMATCH,
		       "the image has a file %s of its own, where the driver has one", path);
}

/* What all additions have in common; *is_new false: it is there already. */
MUST_CHECK static bool prepare(struct place_layer *layer, const char *path, bool *is_new,
			       struct err *err)
{
	return check_free(layer, path, err) && claim(layer, path, is_new, err) &&
	       (!*is_new || make_folders(layer, path, err));
}

bool place_layer_add_stored(struct place_layer *layer, const char *path, uint32_t mode,
			    const struct index_entry *entry, bool *is_new, struct err *err)
{
	return prepare(layer, path, is_new, err) &&
	       (!*is_new || synthetic_add_stored(&layer->synthetic, path + 1, mode, entry, err));
}

bool place_layer_add_symlink(struct place_layer *layer, const char *path, const char *target,
			     bool *is_new, struct err *err)
{
	return prepare(layer, path, is_new, err) &&
	       (!*is_new || synthetic_add_symlink(&layer->synthetic, path + 1, target, err));
}

bool place_layer_add_made(struct place_layer *layer, const char *path, struct view content,
			  struct err *err)
{
	bool is_new = false;

	return claim(layer, path, &is_new, err) && make_folders(layer, path, err) &&
	       synthetic_add_file(&layer->synthetic, path + 1, 0644, content, err);
}

bool place_layer_add_whiteout(struct place_layer *layer, const char *path, struct err *err)
{
	return synthetic_add_whiteout(&layer->synthetic, path + 1, err);
}
