#include "vendor_modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "drivers/bundle/capability.h"
#include "drivers/elf/elf.h"
#include "drivers/kernel/module_set.h"

enum {
	FOLDER_DEPTH_MAX = 32,
	INFO_BYTES_MAX = 1 << 20,
	MODULES_MAX = 100 * 1000,
};

/* In order of loading; each with what wants it. What they depend on is in the modules. */
static const struct {
	const char *name, *file_name;
	unsigned capabilities;
	const char *reason;
} vendors[] = {
	{ "nvidia", "nvidia.ko", CAPABILITY_ALL, "the driver itself" },
	{ "nvidia_uvm", "nvidia-uvm.ko", CAPABILITY_ALL,
	  "CUDA opens its node first thing, and nvidia-smi misses it too" },
	{ "nvidia_modeset", "nvidia-modeset.ko", CAPABILITY_GRAPHICS | CAPABILITY_DISPLAY,
	  "/dev/nvidia-modeset: Vulkan's displays and X; decoding and encoding do without" },
	{ "nvidia_drm", "nvidia-drm.ko", CAPABILITY_GRAPHICS | CAPABILITY_DISPLAY,
	  "/dev/dri/*: EGL and Vulkan on GBM, Wayland" },
	{ "nvidia_peermem", "nvidia-peermem.ko", 0,
	  "RDMA: wants ib_core of Mellanox's package loaded before; never by itself" },
};

enum { VENDOR_COUNT = sizeof(vendors) / sizeof(vendors[0]) };

static unsigned vendor_of(struct view name)
{
	unsigned i = 0;

	while (i < VENDOR_COUNT && !modinfo_is_name(name, vendors[i].name))
		i++;
	return i;
}

bool vendor_modules_has(struct view name)
{
	return vendor_of(name) < VENDOR_COUNT;
}

void taken_modules_freep(struct taken_modules *modules)
{
	free(modules->items);
	*modules = (struct taken_modules){ 0 };
}

bool taken_modules_add(struct taken_modules *modules, const struct taken_module *module,
		       struct err *err)
{
	if (modules->count == MODULES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d kernel modules", MODULES_MAX);
	if (modules->count == modules->capacity) {
		size_t capacity = modules->capacity ? modules->capacity * 2 : 16;
		struct taken_module *items =
			reallocarray(modules->items, capacity, sizeof(*items));

		if (!items)
			return err_memory(err, "a list of modules");
		modules->items = items;
		modules->capacity = capacity;
	}
	modules->items[modules->count++] = *module;
	return true;
}

MUST_CHECK static bool copy_view(struct arena *arena, struct view text, const char **out,
				 struct err *err)
{
	*out = arena_copy(arena, text.ptr ? text.ptr : "", text.len);
	return *out || err_memory(err, "a kernel module");
}

/* What its ELF sections tell. */
static void look_at_sections(struct taken_module *module, const struct elf *elf)
{
	for (uint64_t i = 0; i < elf->section_count; i++) {
		struct elf_section section = elf_section_at(elf, i);

		if (view_starts(section.name, ".debug_") ||
		    view_starts(section.name, ".rela.debug_"))
			module->debug_bytes += section.content.len;
		module->has_crcs |= (view_equal(section.name, "__versions") ||
				     view_equal(section.name, "__version_ext_crcs")) &&
				    section.content.len > 0;
	}
}

MUST_CHECK static bool read_texts(struct taken_module *module, struct arena *arena,
				  struct err *err)
{
	struct view vermagic = modinfo_get(&module->info, "vermagic"), rest = vermagic;
	struct view release = view_cut(&rest, ' ');
	struct view name = modinfo_get(&module->info, "name");

	if (name.len == 0 || name.len >= MODULE_NAME_BYTES_MAX)
		return err_set(err, ERR_FORMAT, "a module that does not say its name");
	if (release.len == 0 || view_find(release, '/') >= 0 || release.ptr[0] == '.')
		return err_set(err, ERR_FORMAT, "a module that does not say for which kernel");
	char *folded = arena_copy(arena, name.ptr, name.len);

	for (size_t i = 0; folded && i < name.len; i++)
		folded[i] = folded[i] == '-' ? '_' : folded[i];
	module->name = folded;
	return copy_view(arena, release, &module->release, err) &&
	       copy_view(arena, vermagic, &module->vermagic, err) &&
	       (folded || err_memory(err, "a kernel module"));
}

bool module_take(struct taken_module *out, struct intake *intake, const char *source,
		 struct view content, struct err *err)
{
	struct taken_module module = { 0 };
	struct part part = { .kind = PART_MODULE, .mode = 0644 };
	char path[MODULE_NAME_BYTES_MAX + 320];
	struct elf elf;

	if (!elf_open(&elf, content, err) || !modinfo_read(&module.info, content, err))
		return false;
	if (module.info.text.len > INFO_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, ".modinfo is over %d bytes", INFO_BYTES_MAX);
	module.info.text.ptr =
		arena_copy(&intake->arena, module.info.text.ptr, module.info.text.len);
	module.source = arena_copy(&intake->arena, source, strlen(source));
	if (!module.info.text.ptr || !module.source)
		return err_memory(err, "a kernel module");
	if (!read_texts(&module, &intake->arena, err))
		return false;
	look_at_sections(&module, &elf);
	module.is_signed = view_ends(content, "~Module signature appended~\n");
	unsigned vendor = vendor_of(view_of(module.name));

	snprintf(path, sizeof(path), "%.255s/%s%s", module.release,
		 vendor < VENDOR_COUNT ? vendors[vendor].file_name : module.name,
		 vendor < VENDOR_COUNT ? "" : ".ko");
	part.path = path;
	if (!intake_add_bytes(intake, &part, content, &module.part, err))
		return false;
	module.file_name = intake->parts[module.part].name;
	*out = module;
	return true;
}

/* What is being looked through. */
struct search {
	struct taken_modules *modules;
	struct intake *intake;
	unsigned depth;
	bool is_in_tree; /* below kernel/ */
};

/* Folded names of dkms and others all have it: nvidia.ko, nvidia-current-uvm.ko.xz. */
static bool may_be_vendors(const struct search *search, const char *name)
{
	static const char *const suffixes[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
	bool is_module = false;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		is_module |= view_ends(view_of(name), suffixes[i]);
	return is_module && (!search->is_in_tree || strstr(name, "nvidia"));
}

/* The same module found twice (a folder and its parent named) is one. */
MUST_CHECK static bool add_once(struct search *search, const struct taken_module *module,
				struct err *err)
{
	for (size_t i = 0; i < search->modules->count; i++) {
		const struct taken_module *other = &search->modules->items[i];

		if (strcmp(other->name, module->name) != 0 ||
		    strcmp(other->release, module->release) != 0)
			continue;
		return other->part == module->part ||
		       err_set(err, ERR_MISMATCH,
			       "two different modules %s for kernel %s: %.150s and %.150s",
			       module->name, module->release, other->source, module->source);
	}
	return taken_modules_add(search->modules, module, err);
}

MUST_CHECK static bool take_content(struct search *search, const char *path, struct view content,
				    struct err *err)
{
	struct taken_module module;
	struct modinfo info;

	if (!modinfo_read(&info, content, err))
		return false;
	unsigned vendor = vendor_of(modinfo_get(&info, "name"));

	if (vendor == VENDOR_COUNT)
		return true;
	if (!module_take(&module, search->intake, path, content, err))
		return false;
	module.rank = vendor;
	module.capabilities = vendors[vendor].capabilities;
	module.is_vendor = true;
	return add_once(search, &module, err);
}

/* Mapped when it lies there as it is, else unpacked into memory. */
MUST_CHECK static bool take_file(struct search *search, const char *path, struct err *err)
{
	CLEANUP(file_map_closep) struct file_map map = { 0 };
	CLEANUP(bytes_freep) struct bytes unpacked = bytes_capped(MODULE_BYTES_MAX);

	if (!file_map_open(&map, AT_FDCWD, path, err))
		return false;
	struct view content = { (const char *)map.data, map.len };

	if (!view_starts(content, "\x7f" "ELF")) {
		if (!archive_unpack(&unpacked, content, path, err))
			return false;
		content = bytes_view(&unpacked);
	}
	return take_content(search, path, content, err) || err_wrap(err, "%s", path);
}

MUST_CHECK static bool walk(struct search search, const char *folder, struct err *err);

MUST_CHECK static bool look_at(struct search *search, const char *folder, const char *name,
			       struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096);
	struct search below = *search;
	struct stat status;

	if (!bytes_print(&path, err, "%s/%s", folder, name))
		return err_wrap(err, "%s", folder);
	if (lstat(path.data, &status) < 0)
		return err_os_path(err, "%s", path.data);
	if (S_ISREG(status.st_mode) && may_be_vendors(search, name))
		return take_file(search, path.data, err);
	if (!S_ISDIR(status.st_mode))
		return true;
	below.depth++;
	below.is_in_tree |= strcmp(name, "kernel") == 0;
	return walk(below, path.data, err);
}

static bool walk(struct search search, const char *folder, struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };

	if (search.depth > FOLDER_DEPTH_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%s: over %d folders deep", folder,
			       FOLDER_DEPTH_MAX);
	if (!folder_list(&names, AT_FDCWD, folder, err))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (!look_at(&search, folder, names.items[i], err))
			return false;
	return true;
}

static int compare_modules(const void *left, const void *right)
{
	const struct taken_module *a = left, *b = right;
	int by_release = strcmp(a->release, b->release);

	return by_release != 0 ? by_release : (a->rank > b->rank) - (a->rank < b->rank);
}

bool vendor_modules_take(struct taken_modules *out, struct intake *intake,
			 const char *const *folders, size_t folder_count, struct err *err)
{
	CLEANUP(taken_modules_freep) struct taken_modules modules = { 0 };
	struct search search = { .modules = &modules, .intake = intake };

	for (size_t i = 0; i < folder_count; i++)
		if (!walk(search, folders[i], err))
			return false;
	if (modules.count == 0)
		return err_set(err, ERR_NOT_FOUND, "no module of NVIDIA's in %s%s",
			       folder_count > 0 ? folders[0] : "no folder",
			       folder_count > 1 ? " and the others" : "");
	qsort(modules.items, modules.count, sizeof(*modules.items), compare_modules);
	*out = modules;
	modules = (struct taken_modules){ 0 };
	return true;
}
