#include "place_made.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/image/ldcache.h"
#include "drivers/image/ldconfig.h"
#include "place_layer.h"

enum { CACHE_BYTES_MAX = 64 << 20, PATH_FILE_BYTES_MAX = 1 << 20, FIRST_MAX = 3 };

#define CONF_FOLDER "/etc/ld.so.conf.d"

/* Folders that have to go before the image's own: first[count]. */
struct first_folders {
	const char *paths[FIRST_MAX];
	size_t count;
};

static void add_first(struct first_folders *first, const struct place_made *made,
		      const char *folder, bool is_needed)
{
	uint32_t dir = is_needed && folder ? image_find(made->files, TREE_ROOT, view_of(folder))
					   : TREE_NONE;

	if (dir != TREE_NONE)
		first->paths[first->count++] = folder;
}

static struct first_folders first_folders_of(const struct place_made *made)
{
	const struct image_probe *probe = made->probe;
	const struct loader_folders *known = &probe->folders;
	uint32_t libdir32 = probe->libdir32
				    ? image_find(made->files, TREE_ROOT, view_of(probe->libdir32))
				    : TREE_NONE;
	uint32_t libdir = image_find(made->files, TREE_ROOT, view_of(probe->libdir));
	struct first_folders first = { 0 };

	add_first(&first, made, made->compat->used, true);
	add_first(&first, made, probe->libdir,
		  !probe->libdir_is_searched && !loader_folders_have(known, libdir));
	add_first(&first, made, probe->libdir32,
		  made->has_lib32 && !loader_folders_have(known, libdir32));
	return first;
}

/* The image's folders with those before them. folders: its items point into probe and first */
MUST_CHECK static bool join_folders(struct loader_folders *folders, const struct place_made *made,
				    const struct first_folders *first, struct err *err)
{
	const struct loader_folders *known = &made->probe->folders;

	folders->items = calloc(first->count + known->count + 1, sizeof(*folders->items));
	if (!folders->items)
		return err_memory(err, "the loader's folders");
	for (size_t i = 0; i < first->count; i++)
		folders->items[folders->count++] = (struct loader_folder){
			.path = first->paths[i],
			.inode = image_find(made->files, TREE_ROOT, view_of(first->paths[i])),
			.is_configured = true,
		};
	for (size_t i = 0; i < known->count; i++)
		if (!loader_folders_have(folders, known->items[i].inode))
			folders->items[folders->count++] = known->items[i];
	return true;
}

MUST_CHECK static bool add_cache(struct place_layer *layer, const struct place_made *made,
				 const struct first_folders *first, struct err *err)
{
	CLEANUP(loader_folders_freep) struct loader_folders folders = { 0 };
	CLEANUP(ldcache_freep) struct ldcache cache = { 0 };
	CLEANUP(bytes_freep) struct bytes bytes = bytes_capped(CACHE_BYTES_MAX);
	struct ldconfig_target target = { made->probe->machine, made->probe->glibc_minor };
	bool skips = !made->compat->used;
	const char *path = NULL;

	return join_folders(&folders, made, first, err) &&
	       ldconfig_collect(&cache, made->arena, made->files, &folders, &target,
				made->compat->folders, skips ? made->compat->folder_count : 0,
				err) &&
	       ldcache_write(&bytes, &cache, err) &&
	       place_layer_resolve(layer, "/etc/ld.so.cache", &path, err) &&
	       place_layer_add_made(layer, path, bytes_view(&bytes), err);
}

/* For an ldconfig that runs in the guest later. */
MUST_CHECK static bool add_conf(struct place_layer *layer, const struct place_made *made,
				const struct first_folders *first, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(PATH_FILE_BYTES_MAX);
	uint32_t conf = image_find(made->files, TREE_ROOT, view_of(LOADER_CONF_PATH));
	static const char include[] = "include " CONF_FOLDER "/*.conf\n";
	const char *path = NULL;

	if (first->count == 0)
		return true;
	for (size_t i = 0; i < first->count; i++)
		if (!bytes_print(&text, err, "%s\n", first->paths[i]))
			return false;
	if (!place_layer_resolve(layer, CONF_FOLDER "/00-vmbake-nvidia.conf", &path, err) ||
	    !place_layer_add_made(layer, path, bytes_view(&text), err))
		return false;
	return conf != TREE_NONE || (place_layer_resolve(layer, LOADER_CONF_PATH, &path, err) &&
				     place_layer_add_made(layer, path, view_of(include), err));
}

static bool is_compat(const struct compat *compat, uint32_t dir)
{
	for (size_t i = 0; i < compat->folder_count; i++)
		if (compat->folders[i] == dir)
			return true;
	return false;
}

/* A conf file with the compat folders' lines made comments; *is_changed false: it names none. */
MUST_CHECK static bool comment_out(struct bytes *out, const struct place_made *made,
				   struct view text, bool *is_changed, struct err *err)
{
	struct loader_conf_line line;

	*is_changed = false;
	while (text.len > 0) {
		struct view raw = view_cut(&text, '\n'), one = raw;
		bool is_folder = loader_conf_next(&one, &line) && line.kind == LOADER_CONF_FOLDER;
		uint32_t dir = is_folder ? image_find(made->files, TREE_ROOT, line.text) :
					   TREE_NONE;
		bool is_out = is_folder && is_compat(made->compat, dir);

		*is_changed |= is_out;
		if (!bytes_print(out, err, "%s%.*s\n", is_out ? "# " : "", VIEW_ARGS(raw)))
			return false;
	}
	return true;
}

/* Where the driver is new enough by itself, CUDA's compat package is not in the cache; nor must an
 * ldconfig that runs in the guest later bring it back. */
MUST_CHECK static bool settle_conf(struct place_layer *layer, const struct place_made *made,
				   struct err *err)
{
	const struct loader_folders *known = &made->probe->folders;

	if (made->compat->used || made->compat->folder_count == 0)
		return true;
	for (size_t i = 0; i < known->file_count; i++) {
		CLEANUP(bytes_freep) struct bytes text = bytes_capped(LOADER_CONF_BYTES_MAX);
		CLEANUP(bytes_freep) struct bytes changed = bytes_capped(2 * LOADER_CONF_BYTES_MAX);
		const char *path = NULL;
		bool is_changed = false;

		if (!image_slurp(made->files, known->files[i].inode, &text, err) ||
		    !comment_out(&changed, made, bytes_view(&text), &is_changed, err))
			return err_wrap(err, "%s of the image", known->files[i].path);
		if (is_changed &&
		    (!place_layer_resolve(layer, known->files[i].path, &path, err) ||
		     !place_layer_add_made(layer, path, bytes_view(&changed), err)))
			return false;
	}
	return true;
}

/* musl's loader reads a list of folders instead of a cache; without the file it has a list of its
 * own. Source: musl ldso/dynlink.c */
MUST_CHECK static bool add_musl_path(struct place_layer *layer, const struct place_made *made,
				     struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(PATH_FILE_BYTES_MAX);
	const char *name = made->probe->machine == EM_AARCH64 ? "/etc/ld-musl-aarch64.path"
							      : "/etc/ld-musl-x86_64.path";
	uint32_t inode = image_find(made->files, TREE_ROOT, view_of(name));
	const char *path = NULL;

	if (image_is_file(made->files, inode)
		    ? !image_slurp(made->files, inode, &text, err)
		    : !bytes_print(&text, err, "/lib\n/usr/local/lib\n/usr/lib\n"))
		return false;
	if (text.len > 0 && text.data[text.len - 1] != '\n' && !bytes_append(&text, "\n", 1, err))
		return false;
	return bytes_print(&text, err, "%s\n", made->probe->libdir) &&
	       place_layer_resolve(layer, name, &path, err) &&
	       place_layer_add_made(layer, path, bytes_view(&text), err);
}

static bool names_folder(struct view list, const char *folder)
{
	while (list.ptr)
		if (view_equal(view_cut(&list, ':'), folder))
			return true;
	return false;
}

/* Where NVIDIA's base images say that a driver's libraries will be. */
MUST_CHECK static bool add_expected_links(struct place_layer *layer, const struct place_made *made,
					  struct err *err)
{
	static const char *const expected[] = { "/usr/local/nvidia/lib",
						"/usr/local/nvidia/lib64" };
	struct view list =
		require_env(made->request->env, made->request->env_count, "LD_LIBRARY_PATH");

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const char *path = NULL;
		bool is_new = false;

		if (!names_folder(list, expected[i]))
			continue;
		if (!place_layer_resolve(layer, expected[i], &path, err))
			return false;
		const char *name = strrchr(path, '/') + 1;
		struct view folder = { path, (size_t)(name - path) };
		uint32_t dir = image_find(made->files, TREE_ROOT, folder);

		if (image_is_dir(made->files, dir) &&
		    tree_find(made->files->tree, dir, view_of(name)) != TREE_NONE)
			continue;
		if (!place_layer_add_symlink(layer, path, made->probe->libdir, &is_new, err))
			return false;
	}
	return true;
}

bool place_made_layer(struct synthetic_layer *out, const struct place_made *made, struct err *err)
{
	CLEANUP(place_layer_freep) struct place_layer layer = PLACE_LAYER_NONE;
	struct first_folders first = { 0 };

	layer.files = *made->files;
	layer.arena = made->arena;
	if (!synthetic_start(&layer.synthetic, made->request->time_seconds, err))
		return false;
	if (made->probe->libc == IMAGE_LIBC_GLIBC) {
		first = first_folders_of(made);
		if (!add_cache(&layer, made, &first, err) ||
		    !add_conf(&layer, made, &first, err) || !settle_conf(&layer, made, err))
			return false;
	} else if (!add_musl_path(&layer, made, err)) {
		return false;
	}
	return add_expected_links(&layer, made, err) &&
	       synthetic_finish(out, &layer.synthetic, err);
}
