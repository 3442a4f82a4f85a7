#include "importing.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/bundle/vendor_version.h"
#include "drivers/elf/elf_mark.h"
#include "drivers/kernel/module_match.h"

/* Libraries say it in their name, or their package does, as it does for programs. */
MUST_CHECK static bool check_part(struct importing *importing, const struct part *part,
				  struct err *err)
{
	const char *wanted = importing->bundle.version;
	struct view version = vendor_version_in(view_of(part->name));

	if (part->kind != PART_LIBRARY && part->kind != PART_PROGRAM)
		return true;
	if (version.len == 0 && part->package_version)
		version = view_of(part->package_version);
	return version.len == 0 || view_equal(version, wanted) ||
	       finding_add(importing->findings, RULE_USERSPACE_VERSION, SEVERITY_ERROR, err,
			   "%s is of version %.*s, the driver of %s", part->path,
			   VIEW_ARGS(version), wanted);
}

static bool has_file(const struct bundle *bundle, const char *pattern)
{
	for (size_t i = 0; i < bundle->file_count; i++) {
		const char *name = strrchr(bundle->files[i].path, '/');

		if (fnmatch(pattern, name ? name + 1 : bundle->files[i].path, 0) == 0)
			return true;
	}
	return false;
}

/* Loaders of OpenCL, EGL and Vulkan find a driver by a file that distributions have in packages of
 * their own; without it the libraries are there and nobody finds them. */
static void note_unannounced(const struct importing *importing)
{
	static const struct {
		const char *library, *announcement, *who;
	} rows[] = {
		{ "libnvidia-opencl.so.*", "nvidia.icd", "OpenCL" },
		{ "libEGL_nvidia.so.*", "10_nvidia.json", "EGL" },
		{ "libGLX_nvidia.so.*", "nvidia_icd*.json", "Vulkan" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has_file(&importing->bundle, rows[i].library) &&
		    !has_file(&importing->bundle, rows[i].announcement))
			report_note(importing->request->report,
				    "%s has no %s: %s will not find this driver",
				    importing->bundle.source, rows[i].announcement, rows[i].who);
}

MUST_CHECK static bool check_files(struct importing *importing, struct err *err)
{
	struct view listed = importing->listed_version;

	for (size_t i = 0; i < importing->picked_count; i++)
		if (!check_part(importing, &importing->intake.parts[importing->picked[i].part],
				err))
			return false;
	note_unannounced(importing);
	if (importing->bundle.licence_path == NULL &&
	    !finding_add(importing->findings, RULE_LICENCE_MISSING, SEVERITY_WARNING, err,
			 "%s has no licence text, which NVIDIA wants to go along with its files",
			 importing->bundle.source))
		return false;
	return listed.len == 0 || view_equal(listed, importing->bundle.version) ||
	       finding_add(importing->findings, RULE_USERSPACE_VERSION, SEVERITY_ERROR, err,
			   "the package's list is of version %.*s, its libraries of %s",
			   VIEW_ARGS(listed), importing->bundle.version);
}

static bool has_firmware(const struct bundle *bundle, const char *name)
{
	static const char folder[] = "/lib/firmware/";

	for (size_t i = 0; i < bundle->file_count; i++)
		if (bundle->files[i].kind == BUNDLE_FIRMWARE &&
		    view_starts(view_of(bundle->files[i].dest), folder) &&
		    strcmp(bundle->files[i].dest + sizeof(folder) - 1, name) == 0)
			return true;
	return false;
}

/* "nvidia/535.309.01/gsp_ga10x.bin": the open modules never do without, the others on Turing and
 * later may. */
MUST_CHECK static bool check_firmware(struct importing *importing,
				      const struct bundle_kernel *kernel,
				      const struct bundle_module *module, struct err *err)
{
	bool is_open = importing->bundle.flavor == BUNDLE_OPEN;

	for (size_t i = 0; i < module->firmware.count; i++) {
		const char *name = module->firmware.items[i];

		if (!has_firmware(&importing->bundle, name) &&
		    !finding_add(importing->findings, RULE_FIRMWARE_MISSING,
				 is_open ? SEVERITY_ERROR : SEVERITY_WARNING, err,
				 "module %s for kernel %s asks for firmware %s, which %s lacks",
				 module->name, kernel->release, name, importing->bundle.source))
			return false;
	}
	return true;
}

static const struct part *find_part(const struct importing *importing, const char *path)
{
	for (size_t i = 0; i < importing->picked_count; i++)
		if (strcmp(importing->picked[i].path, path) == 0)
			return &importing->intake.parts[importing->picked[i].part];
	return NULL;
}

/* Its folder says the version, and so does the file itself: the second speaks up where the first
 * was taken for granted, as a .run's folder is. */
MUST_CHECK static bool check_firmware_file(struct importing *importing, const char *path,
					   struct err *err)
{
	static const char folder[] = "firmware/nvidia/";
	CLEANUP(part_map_closep) struct part_map map = { 0 };
	const struct part *part = find_part(importing, path);
	const char *wanted = importing->bundle.version;
	struct view rest = view_of(path);

	if (!part || !view_starts(rest, folder))
		return true;
	if (!part_map_open(&map, &importing->intake, part, err))
		return false;
	rest = view_from(rest, sizeof(folder) - 1);
	struct view version = view_cut(&rest, '/');
	struct view own = elf_mark_firmware((struct view){ map.base, map.len });

	if (view_equal(version, wanted) && own.len > 0)
		version = own;
	return view_equal(version, wanted) ||
	       finding_add(importing->findings, RULE_FIRMWARE_VERSION, SEVERITY_ERROR, err,
			   "firmware %s is of version %.*s, the driver of %s", path,
			   VIEW_ARGS(version), wanted);
}

MUST_CHECK static bool check_firmware_files(struct importing *importing, struct err *err)
{
	const struct bundle *bundle = &importing->bundle;

	for (size_t i = 0; i < bundle->file_count; i++)
		if (bundle->files[i].kind == BUNDLE_FIRMWARE &&
		    !check_firmware_file(importing, bundle->files[i].path, err))
			return false;
	return true;
}

/* nvidia.ko always says its version, nvidia-uvm.ko of branch 470 does not. */
static bool is_of_version(const struct bundle_module *module, const char *wanted)
{
	return module->version ? strcmp(module->version, wanted) == 0 :
				 strcmp(module->name, "nvidia") != 0;
}

MUST_CHECK static bool check_module(struct importing *importing, const struct bundle_kernel *kernel,
				    const struct bundle_module *module, struct err *err)
{
	const char *wanted = importing->bundle.version;

	if (!module->is_vendor)
		return true;
	if (!is_of_version(module, wanted) &&
	    !finding_add(importing->findings, RULE_USERSPACE_VERSION, SEVERITY_ERROR, err,
			 "module %s for kernel %s is of version %s, the libraries of %s",
			 module->name, kernel->release,
			 module->version ? module->version : "unknown", wanted))
		return false;
	return check_firmware(importing, kernel, module, err);
}

MUST_CHECK static bool check_modules(struct importing *importing, struct err *err)
{
	const struct bundle *bundle = &importing->bundle;

	for (size_t i = 0; i < importing->modules.count; i++)
		if (importing->modules.items[i].info.machine != importing->machine)
			return err_set(err, ERR_MISMATCH,
				       "%.300s is for another architecture than the libraries",
				       importing->modules.items[i].source);
	for (size_t i = 0; i < bundle->kernel_count; i++)
		for (size_t j = 0; j < bundle->kernels[i].module_count; j++)
			if (!check_module(importing, &bundle->kernels[i],
					  &bundle->kernels[i].modules[j], err))
				return false;
	return check_firmware_files(importing, err);
}

/* The modules of one kernel in memory, as what each exports is borrowed from its bytes. */
struct mapped {
	struct part_map *maps; /* maps[count]; owned */
	size_t count;
	struct export_table exports;
};

static void mapped_freep(struct mapped *mapped)
{
	for (size_t i = 0; i < mapped->count; i++)
		part_map_closep(&mapped->maps[i]);
	free(mapped->maps);
	export_table_freep(&mapped->exports);
}

MUST_CHECK static bool match_module(struct importing *importing, struct mapped *mapped,
				    const struct kernel *kernel, const struct bundle_module *module,
				    struct err *err)
{
	const struct part *part = find_part(importing, module->path);
	struct part_map *map = &mapped->maps[mapped->count];
	struct elf elf;

	if (!part)
		return err_set(err, ERR_INTERNAL, "%s was not taken", module->path);
	if (!part_map_open(map, &importing->intake, part, err))
		return false;
	mapped->count++;
	struct view content = { map->base, map->len };

	if ((module->is_vendor &&
	     !module_match(importing->findings, kernel, &mapped->exports, content, err)) ||
	    !elf_open(&elf, content, err) || !export_table_add_elf(&mapped->exports, &elf, err))
		return err_wrap(err, "%s", module->path);
	export_table_sort(&mapped->exports);
	return true;
}

MUST_CHECK static bool match_modules(struct importing *importing, const struct kernel *kernel,
				     const struct bundle_kernel *modules, struct err *err)
{
	CLEANUP(mapped_freep) struct mapped mapped = { 0 };

	mapped.maps = calloc(modules->module_count + 1, sizeof(*mapped.maps));
	if (!mapped.maps)
		return err_memory(err, "a list of modules");
	for (size_t i = 0; i < modules->module_count; i++)
		if (!match_module(importing, &mapped, kernel, &modules->modules[i], err))
			return false;
	return true;
}

/* The modules that were built for it; when none were, each set says why it does not fit. */
MUST_CHECK static bool check_kernel(struct importing *importing, struct err *err)
{
	CLEANUP(kernel_freep) struct kernel kernel = KERNEL_NONE;
	const struct bundle *bundle = &importing->bundle;

	if (!importing->request->kernel)
		return true;
	if (!kernel_open(&kernel, importing->request->kernel, err) ||
	    !module_match_kernel(importing->findings, &kernel, err))
		return false;
	const struct bundle_kernel *own = bundle_find_kernel(bundle, kernel.release);

	if (own)
		return match_modules(importing, &kernel, own, err);
	for (size_t i = 0; i < bundle->kernel_count; i++)
		if (!match_modules(importing, &kernel, &bundle->kernels[i], err))
			return false;
	return true;
}

/* One sentence for all: the first, and how many more there are. */
MUST_CHECK static bool conclude(const struct finding_list *findings, struct err *err)
{
	size_t errors = finding_count(findings, SEVERITY_ERROR);

	for (size_t i = 0; i < findings->count; i++) {
		if (findings->items[i].severity != SEVERITY_ERROR)
			continue;
		if (errors == 1)
			return err_set(err, ERR_MISMATCH, "%.450s", findings->items[i].sentence);
		return err_set(err, ERR_MISMATCH, "%.450s, and %zu more",
			       findings->items[i].sentence, errors - 1);
	}
	return true;
}

bool import_check(struct importing *importing, struct err *err)
{
	return check_files(importing, err) && check_modules(importing, err) &&
	       check_kernel(importing, err) && conclude(importing->findings, err);
}
