#include "importing.h"

#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "drivers/kernel/closure.h"

enum {
	NEEDS_MAX = 256, /* names that one module wants loaded before it */
	DEBUG_BYTES_MIN = 1 << 20, /* worth a word */
};

/* A folder of --kernel-modules, and for which kernel it is. */
struct kernel_set {
	struct module_set *set; /* owned */
	const char *folder;
	struct view release;
};

struct kernel_sets {
	struct kernel_set *items; /* items[count]; owned */
	size_t count;
};

static void kernel_sets_freep(struct kernel_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		module_set_freep(&sets->items[i].set);
	free(sets->items);
}

MUST_CHECK static bool open_sets(struct kernel_sets *sets, const struct import_request *request,
				 struct err *err)
{
	sets->items = calloc(request->kernel_module_dir_count + 1, sizeof(*sets->items));
	if (!sets->items)
		return err_memory(err, "a list of folders");
	for (size_t i = 0; i < request->kernel_module_dir_count; i++) {
		struct kernel_set *set = &sets->items[i];
		const struct module *any = NULL;

		set->folder = request->kernel_module_dirs[i];
		if (!module_set_open(&set->set, &set->folder, 1, err))
			return false;
		sets->count++;
		if (!module_set_any(set->set, &any, err))
			return false;
		if (!any)
			return err_set(err, ERR_NOT_FOUND, "no kernel module in %s", set->folder);
		struct view vermagic = modinfo_get(&any->info, "vermagic");

		set->release = view_cut(&vermagic, ' ');
	}
	return true;
}

static struct kernel_set *find_set(const struct kernel_sets *sets, const char *release)
{
	for (size_t i = 0; i < sets->count; i++)
		if (view_equal(sets->items[i].release, release))
			return &sets->items[i];
	return NULL;
}

/* The modules of one kernel: the driver's, and what was added for them. */
struct kernel_modules {
	struct importing *importing;
	const char *release;
	const struct kernel_set *set; /* NULL: no folder was given for this kernel */
	struct taken_modules *needed; /* of the kernel's own, in order of loading */
};

/* A need that nothing meets. */
MUST_CHECK static bool note_missing(const struct kernel_modules *kernel,
				    const struct taken_module *module, struct view need,
				    struct err *err)
{
	struct finding_list *findings = kernel->importing->findings;

	if (kernel->set)
		return finding_add(findings, RULE_MODULE_DEPENDS, SEVERITY_ERROR, err,
				   "module %s for kernel %s depends on %.*s, which is neither in %s"
				   " nor built in", module->name, kernel->release,
				   VIEW_ARGS(need), kernel->set->folder);
	return finding_add(findings, RULE_MODULE_DEPENDS, SEVERITY_UNKNOWN, err,
			   "module %s for kernel %s depends on %.*s: either that kernel has it"
			   " built in, or --kernel-modules must name its folder", module->name,
			   kernel->release, VIEW_ARGS(need));
}

/* Names that a module wants of the kernel, found in its folder. */
struct needs {
	const char *names[NEEDS_MAX];
	size_t count;
};

MUST_CHECK static bool add_need(struct needs *needs, const struct kernel_modules *kernel,
				const struct taken_module *module, struct view name,
				enum need_kind kind, struct err *err)
{
	const struct module *found = NULL;

	if (kind == NEED_AFTER || vendor_modules_has(name) ||
	    (kernel->set && module_set_is_builtin(kernel->set->set, name)))
		return true;
	if (kernel->set && !module_set_find(kernel->set->set, name, &found, err))
		return false;
	if (!found)
		return kind != NEED_DEPENDS || note_missing(kernel, module, name, err);
	if (needs->count == NEEDS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "module %s depends on over %d others",
			       module->name, NEEDS_MAX);
	needs->names[needs->count++] = found->name;
	return true;
}

MUST_CHECK static bool read_needs(struct needs *needs, const struct kernel_modules *kernel,
				  const struct taken_module *module, struct err *err)
{
	struct need_cursor cursor = { 0 };
	enum need_kind kind;
	struct view name;

	while (module_next_need(&module->info, &cursor, &name, &kind))
		if (!add_need(needs, kernel, module, name, kind, err))
			return false;
	return true;
}

/* A kernel's own module: taken the first time, wanted by one more capability the next. */
MUST_CHECK static bool need_module(struct kernel_modules *kernel, const struct module *module,
				   unsigned capabilities, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes content = bytes_capped(MODULE_BYTES_MAX);
	struct taken_module taken;

	for (size_t i = 0; i < kernel->needed->count; i++) {
		if (strcmp(kernel->needed->items[i].name, module->name) != 0)
			continue;
		kernel->needed->items[i].capabilities |= capabilities;
		return true;
	}
	if (!module_slurp(&content, module, err))
		return false;
	if (!module_take(&taken, &kernel->importing->intake, module->path, bytes_view(&content),
			 err))
		return err_wrap(err, "%s", module->path);
	if (strcmp(taken.release, kernel->release) != 0)
		return err_set(err, ERR_MISMATCH, "%s is for kernel %s, not for %s", module->path,
			       taken.release, kernel->release);
	taken.capabilities = capabilities;
	return taken_modules_add(kernel->needed, &taken, err);
}

/* All that one of the driver's modules needs of the kernel. */
MUST_CHECK static bool add_closure(struct kernel_modules *kernel, const struct taken_module *module,
				   struct err *err)
{
	CLEANUP(closure_freep) struct closure closure = { 0 };
	struct needs needs = { .count = 0 };

	if (module->capabilities == 0) /* never loaded by itself, so nothing is brought for it */
		return true;
	if (!read_needs(&needs, kernel, module, err))
		return false;
	if (needs.count == 0)
		return true;
	if (!closure_make(&closure, kernel->set->set, needs.names, needs.count, err))
		return err_wrap(err, "%s", kernel->set->folder);
	for (size_t i = 0; i < closure.count; i++)
		if (!need_module(kernel, closure.modules[i], module->capabilities, err))
			return false;
	return true;
}

static bool has_before(const struct bundle_module *modules, size_t count, struct view name,
		       const char **out)
{
	for (size_t i = 0; i < count; i++) {
		if (!modinfo_is_name(name, modules[i].name))
			continue;
		*out = modules[i].name;
		return true;
	}
	return false;
}

/* What of the list is loaded before it. */
MUST_CHECK static bool fill_needs(struct importing *importing, struct bundle_module *modules,
				  size_t index, const struct modinfo *info, struct err *err)
{
	const char **items = arena_take(&importing->bundle.arena, (NEEDS_MAX + 1) * sizeof(*items));
	struct need_cursor cursor = { 0 };
	enum need_kind kind;
	struct view name;
	size_t count = 0;

	if (!items)
		return err_memory(err, "a module's needs");
	while (module_next_need(info, &cursor, &name, &kind) && count < NEEDS_MAX)
		if (kind != NEED_AFTER && has_before(modules, index, name, &items[count]))
			count++;
	modules[index].needs = (struct text_list){ items, count };
	return true;
}

MUST_CHECK static bool fill_firmware(struct importing *importing, struct bundle_module *module,
				     const struct modinfo *info, struct err *err)
{
	const char **items = arena_take(&importing->bundle.arena, (NEEDS_MAX + 1) * sizeof(*items));
	struct view rest = info->text, value;
	size_t count = 0;

	if (!items)
		return err_memory(err, "a module's firmware");
	while (module->is_vendor && count < NEEDS_MAX && modinfo_next(&rest, "firmware", &value)) {
		items[count] = arena_copy(&importing->bundle.arena, value.ptr, value.len);
		if (!items[count++])
			return err_memory(err, "a module's firmware");
	}
	module->firmware = (struct text_list){ items, count };
	return true;
}

static const char *text_or_null(struct importing *importing, struct view text)
{
	return text.len > 0 ? importing_print(importing, "%.*s", VIEW_ARGS(text)) : NULL;
}

MUST_CHECK static bool fill_module(struct importing *importing, struct bundle_module *modules,
				   size_t index, const struct taken_module *taken, struct err *err)
{
	const struct part *part = &importing->intake.parts[taken->part];
	struct bundle_module *module = &modules[index];

	*module = (struct bundle_module){
		.name = taken->name,
		.path = importing_print(importing, "modules/%s/%s", taken->release,
					taken->file_name),
		.version = text_or_null(importing, modinfo_get(&taken->info, "version")),
		.licence = text_or_null(importing, modinfo_get(&taken->info, "license")),
		.params = "",
		.capabilities = taken->capabilities,
		.is_vendor = taken->is_vendor,
		.size_bytes = part->size_bytes,
		.digest = part->digest,
	};
	return (module->path || err_memory(err, "a kernel module")) &&
	       fill_needs(importing, modules, index, &taken->info, err) &&
	       fill_firmware(importing, module, &taken->info, err) &&
	       importing_pick(importing, module->path, taken->part, 0644, err);
}

/* The vendor's files stay as they are; what the user built is the user's to strip. */
MUST_CHECK static bool warn_of_debug(struct importing *importing,
				     const struct taken_module *module, struct err *err)
{
	if (!module->is_vendor || module->debug_bytes <= DEBUG_BYTES_MIN)
		return true;
	return finding_add(importing->findings, RULE_MODULE_DEBUG, SEVERITY_WARNING, err,
			   "module %s for kernel %s has %.1f MB of debug sections of its %.1f MB:"
			   " without them (strip --strip-debug, before it is signed) it loads"
			   " faster", module->name, module->release,
			   (double)module->debug_bytes / 1e6,
			   (double)importing->intake.parts[module->part].size_bytes / 1e6);
}

/* items[count]: the driver's modules for one kernel. */
MUST_CHECK static bool fill_kernel(struct importing *importing, struct bundle_kernel *out,
				   const struct kernel_sets *sets, const struct taken_module *items,
				   size_t count, struct err *err)
{
	CLEANUP(taken_modules_freep) struct taken_modules needed = { 0 };
	struct kernel_modules kernel = { importing, items[0].release,
					 find_set(sets, items[0].release), &needed };

	if (strcmp(items[0].name, "nvidia") != 0)
		return err_set(err, ERR_NOT_FOUND, "module %s for kernel %s, but no module nvidia",
			       items[0].name, items[0].release);
	for (size_t i = 0; i < count; i++)
		if (!add_closure(&kernel, &items[i], err))
			return false;
	struct bundle_module *modules =
		arena_take(&importing->bundle.arena, (needed.count + count) * sizeof(*modules));

	if (!modules)
		return err_memory(err, "a list of modules");
	*out = (struct bundle_kernel){ .release = items[0].release,
				       .vermagic = items[0].vermagic,
				       .has_modversions = items[0].has_crcs,
				       .is_signed = true,
				       .modules = modules,
				       .module_count = needed.count + count };
	for (size_t i = 0; i < needed.count + count; i++) {
		const struct taken_module *module = i < needed.count ? &needed.items[i] :
								       &items[i - needed.count];

		out->is_signed &= module->is_signed || !module->is_vendor;
		if (!fill_module(importing, modules, i, module, err) ||
		    !warn_of_debug(importing, module, err))
			return false;
	}
	return true;
}

/* The licence decides: "NVIDIA", or "Dual MIT/GPL" for the open ones. */
MUST_CHECK static bool find_flavor(struct importing *importing, struct err *err)
{
	const struct taken_module *first = NULL;

	for (size_t i = 0; i < importing->modules.count; i++) {
		const struct taken_module *module = &importing->modules.items[i];
		struct view licence = modinfo_get(&module->info, "license");
		enum bundle_flavor flavor = view_equal(licence, "NVIDIA") ? BUNDLE_PROPRIETARY :
									    BUNDLE_OPEN;

		if (strcmp(module->name, "nvidia") != 0)
			continue; /* nvidia_uvm is MIT/GPL in both */
		if (first && importing->bundle.flavor != flavor)
			return err_set(err, ERR_MISMATCH,
				       "%.200s is %s, and %.200s is not: a bundle has one flavor",
				       module->source, bundle_flavor_name(flavor), first->source);
		importing->bundle.flavor = flavor;
		first = module;
	}
	return true;
}

bool import_kernels(struct importing *importing, struct err *err)
{
	const struct import_request *request = importing->request;
	CLEANUP(kernel_sets_freep) struct kernel_sets sets = { 0 };
	struct taken_modules *modules = &importing->modules;

	if (!vendor_modules_take(modules, &importing->intake, request->module_dirs,
				 request->module_dir_count, err) ||
	    !find_flavor(importing, err) || !open_sets(&sets, request, err))
		return false;
	struct bundle_kernel *kernels =
		arena_take(&importing->bundle.arena, modules->count * sizeof(*kernels));

	if (!kernels)
		return err_memory(err, "a list of kernels");
	importing->bundle.kernels = kernels;
	for (size_t i = 0, count = 0; i < modules->count; i += count) {
		const struct taken_module *items = &modules->items[i];

		for (count = 1; i + count < modules->count; count++)
			if (strcmp(items[count].release, items[0].release) != 0)
				break;
		if (!fill_kernel(importing, &kernels[importing->bundle.kernel_count], &sets, items,
				 count, err))
			return false;
		importing->bundle.kernel_count++;
	}
	return true;
}
