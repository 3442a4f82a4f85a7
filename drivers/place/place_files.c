#include "place_files.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/bundle/capability.h"

#define FIRMWARE_FOLDER "/lib/firmware/"

static const char *print(struct arena *arena, const char *a, const char *b, const char *c)
{
	size_t a_len = strlen(a), b_len = strlen(b), c_len = strlen(c);
	char *out = arena_take(arena, a_len + b_len + c_len + 1);

	if (!out)
		return NULL;
	memcpy(out, a, a_len);
	memcpy(out + a_len, b, b_len);
	memcpy(out + a_len + b_len, c, c_len);
	return out;
}

/* A bundle's dest in this image. */
MUST_CHECK static bool plain_dest(struct place_files *files, const char *dest, const char **out,
				  struct err *err)
{
	const struct image_probe *probe = files->probe;
	const struct {
		const char *prefix, *folder;
	} rows[] = {
		{ BUNDLE_LIBDIR, probe->libdir },
		{ BUNDLE_LIBDIR32, probe->libdir32 },
		{ BUNDLE_BINDIR, probe->bindir },
	};

	*out = dest;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!view_starts(view_of(dest), rows[i].prefix))
			continue;
		if (!rows[i].folder)
			return err_set(err, ERR_MISMATCH, "the image has no folder for %s", dest);
		*out = print(files->arena, rows[i].folder, "/", dest + strlen(rows[i].prefix));
	}
	return *out ? true : err_memory(err, "a driver's files");
}

/* Does a module that is placed ask for this firmware? Where none names any, all is placed. */
static bool is_firmware_wanted(const struct place_request *request, const bool *wanted,
			       const struct bundle_file *file)
{
	struct view dest = view_of(file->dest);
	bool names_any = false, is_any = false;

	if (view_starts(dest, FIRMWARE_FOLDER))
		dest = view_from(dest, sizeof(FIRMWARE_FOLDER) - 1);
	for (size_t i = 0; i < request->kernel->module_count; i++) {
		const struct text_list *names = &request->kernel->modules[i].firmware;

		is_any = is_any || wanted[i];
		for (size_t k = 0; wanted[i] && k < names->count; k++) {
			names_any = true;
			if (view_equal(dest, names->items[k]))
				return true;
		}
	}
	return is_any && !names_any;
}

static bool is_file_wanted(const struct place_request *request, const bool *wanted,
			   const struct bundle_file *file)
{
	unsigned others = file->capabilities & ~(unsigned)CAPABILITY_COMPAT32;

	if (file->kind == BUNDLE_LICENCE)
		return true;
	if (file->kind == BUNDLE_FIRMWARE)
		return is_firmware_wanted(request, wanted, file);
	if (file->kind == BUNDLE_LIB32)
		return (request->capabilities & CAPABILITY_COMPAT32) &&
		       (others == 0 || (others & request->capabilities));
	return file->capabilities & request->capabilities;
}

/* A link beside a file, or in a folder beside it ("gbm/x.so"). */
MUST_CHECK static bool add_link(struct place_files *files, const char *dest, const char *real_dest,
				const char *link, struct err *err)
{
	const char *name = strrchr(dest, '/') + 1, *real = NULL;
	const char *folder = arena_copy(files->arena, dest, (size_t)(name - dest));
	const char *path = folder ? print(files->arena, folder, link, "") : NULL;
	bool is_new = false;

	if (!path)
		return err_memory(err, "a driver's files");
	if (!place_layer_resolve(files->layer, path, &real, err))
		return false;
	/* Relative where both are in one folder, so that a moved folder stays whole. */
	bool is_beside = !strchr(link, '/');

	return place_layer_add_symlink(files->layer, real, is_beside ? name : real_dest, &is_new,
				       err);
}

MUST_CHECK static bool add_file(struct place_files *files, const struct bundle_file *file,
				struct bundle_file *placed, bool *is_new, struct err *err)
{
	const struct index_entry *entry = stored_bundle_find(files->request->stored, file->path);
	const char *real = NULL;

	if (!entry)
		return err_set(err, ERR_INTEGRITY, "the bundle's index lacks %s", file->path);
	*placed = *file;
	if (!plain_dest(files, file->dest, &placed->dest, err) ||
	    !place_layer_resolve(files->layer, placed->dest, &real, err) ||
	    !place_layer_add_stored(files->layer, real, file->mode, entry, is_new, err))
		return false;
	for (size_t i = 0; *is_new && i < file->links.count; i++)
		if (!add_link(files, placed->dest, real, file->links.items[i], err))
			return false;
	files->has_lib32 = files->has_lib32 || file->kind == BUNDLE_LIB32;
	return true;
}

MUST_CHECK static bool add_files(struct place_files *files, const bool *wanted,
				 struct bundle *manifest, struct err *err)
{
	const struct bundle *bundle = &files->request->stored->bundle;
	struct bundle_file *placed =
		arena_take(files->arena, (bundle->file_count + 1) * sizeof(*placed));
	size_t count = 0;

	if (!placed)
		return err_memory(err, "a driver's files");
	for (size_t i = 0; i < bundle->file_count; i++) {
		bool is_new = false;

		if (!is_file_wanted(files->request, wanted, &bundle->files[i]))
			continue;
		if (!add_file(files, &bundle->files[i], &placed[count], &is_new, err))
			return err_wrap(err, "%s", bundle->files[i].path);
		count += is_new;
	}
	manifest->files = placed;
	manifest->file_count = count;
	return true;
}

MUST_CHECK static bool add_module(struct place_files *files, const struct bundle_module *module,
				  struct boot_module *boot, struct err *err)
{
	const struct index_entry *entry = stored_bundle_find(files->request->stored, module->path);
	const char *slash = strrchr(module->path, '/');
	const char *folder =
		print(files->arena, "/lib/modules/", files->request->kernel->release, "/vmbake/");
	const char *path =
		folder ? print(files->arena, folder, slash ? slash + 1 : module->path, "") : NULL;
	bool is_new = false;

	if (!path)
		return err_memory(err, "a driver's modules");
	if (!entry)
		return err_set(err, ERR_INTEGRITY, "the bundle's index lacks %s", module->path);
	*boot = (struct boot_module){ .name = module->name,
				      .params = module->params ? module->params : "",
				      .needs = module->needs };
	if (!place_layer_resolve(files->layer, path, &boot->path, err) ||
	    !place_layer_add_stored(files->layer, boot->path, 0644, entry, &is_new, err))
		return false;
	return is_new || err_set(err, ERR_FORMAT, "two modules of the bundle are %s", boot->path);
}

MUST_CHECK static bool add_modules(struct place_files *files, const bool *wanted,
				   struct bundle *manifest, struct boot_gpu *gpu, struct err *err)
{
	const struct bundle_kernel *kernel = files->request->kernel;
	size_t room = kernel->module_count + 1, count = 0;
	struct bundle_module *placed = arena_take(files->arena, room * sizeof(*placed));
	struct boot_module *boot = arena_take(files->arena, room * sizeof(*boot));
	struct bundle_kernel *kept = arena_take(files->arena, sizeof(*kept));

	if (!placed || !boot || !kept)
		return err_memory(err, "a driver's modules");
	for (size_t i = 0; i < kernel->module_count; i++) {
		if (!wanted[i])
			continue;
		if (!add_module(files, &kernel->modules[i], &boot[count], err))
			return err_wrap(err, "%s", kernel->modules[i].path);
		placed[count++] = kernel->modules[i];
	}
	*kept = *kernel;
	kept->modules = placed;
	kept->module_count = count;
	manifest->kernels = kept;
	manifest->kernel_count = 1;
	gpu->modules = (struct module_list){ boot, count };
	return true;
}

/* The fabric manager, where the bundle has one and it was placed. */
static void find_fabric_manager(const struct bundle *manifest, struct boot_gpu *gpu)
{
	for (size_t i = 0; i < manifest->file_count; i++) {
		const char *dest = manifest->files[i].dest;

		if (view_ends(view_of(dest), "/nv-fabricmanager"))
			gpu->fabric_manager.path = dest;
		else if (view_ends(view_of(dest), "/fabricmanager.cfg"))
			gpu->fabric_manager.config = dest;
	}
	if (!gpu->fabric_manager.path)
		gpu->fabric_manager.config = NULL;
}

bool place_files_add(struct place_files *files, struct bundle *manifest, struct boot_gpu *gpu,
		     struct err *err)
{
	const struct place_request *request = files->request;
	bool *wanted = arena_take(files->arena, request->kernel->module_count + 1);

	if (!wanted)
		return err_memory(err, "a driver's modules");
	bundle_mark_loaded(wanted, request->kernel,
			   request->policy == GPU_NONE ? 0 : request->capabilities);
	*manifest = request->stored->bundle;
	manifest->arena = (struct arena){ 0 }; /* the stored bundle keeps it */
	manifest->index_digest = (struct digest){ 0 };
	if (!add_files(files, wanted, manifest, err) ||
	    !add_modules(files, wanted, manifest, gpu, err))
		return false;
	find_fabric_manager(manifest, gpu);
	return true;
}
