#include "verify_modules.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/kernel/closure.h"
#include "drivers/kernel/kernel_config.h"
#include "drivers/kernel/module_match.h"
#include "layers/body_map.h"
#include "layers/tree_walk.h"

/* The modules read so far; the exports' names point into their bytes. */
struct loading {
	const struct verify_subject *subject;
	struct finding_list *findings;
	struct body_map *modules; /* modules[count]; owned, as is the next */
	struct export_table exports;
	size_t count;
};

static void loading_freep(struct loading *loading)
{
	for (size_t i = 0; i < loading->count; i++)
		body_map_closep(&loading->modules[i]);
	free(loading->modules);
	export_table_freep(&loading->exports);
}

static const struct bundle_module *recorded(const struct bundle *driver, const char *name)
{
	for (size_t i = 0; i < driver->kernel_count; i++)
		for (size_t at = 0; at < driver->kernels[i].module_count; at++)
			if (strcmp(driver->kernels[i].modules[at].name, name) == 0)
				return &driver->kernels[i].modules[at];
	return NULL;
}

static bool is_among(struct view name, const struct module_list *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (modinfo_is_name(name, list->modules[i].name))
			return true;
	return false;
}

/* All that a module depends on has to come before it. */
MUST_CHECK static bool check_depends(struct loading *loading, const struct modinfo *info,
				     size_t at, struct err *err)
{
	const struct boot_config *boot = loading->subject->boot;
	const struct boot_module *module = &boot->gpu.modules.modules[at];
	struct need_cursor cursor = { 0 };
	enum need_kind kind = NEED_DEPENDS;
	struct view name;

	while (module_next_need(info, &cursor, &name, &kind)) {
		if (kind != NEED_DEPENDS || is_among(name, &boot->gpu.modules, at) ||
		    is_among(name, &boot->modules, boot->modules.count))
			continue;
		if (!finding_add(loading->findings, RULE_MODULE_DEPENDS, SEVERITY_ERROR, err,
				 "%s depends on %.*s, which boot.json does not load before it",
				 module->name, VIEW_ARGS(name)))
			return false;
	}
	return true;
}

MUST_CHECK static bool check_firmware(struct loading *loading, const struct modinfo *info,
				      const char *module, struct err *err)
{
	const struct verify_subject *subject = loading->subject;
	struct view rest = info->text, name;

	if (subject->chip && subject->chip->refuses_open) /* it has no GSP to start */
		return true;
	while (modinfo_next(&rest, "firmware", &name)) {
		CLEANUP(bytes_freep) struct bytes path = bytes_capped(4096);
		struct view folder = name;
		uint32_t inode = TREE_NONE;
		struct err ignored = { 0 };

		if (!bytes_print(&path, &ignored, "/lib/firmware/%.*s", VIEW_ARGS(name)) ||
		    !tree_walk(subject->tree, bytes_view(&path), true, &inode, &ignored))
			inode = TREE_NONE;
		if (inode == TREE_NONE &&
		    !finding_add(loading->findings, RULE_FIRMWARE_MISSING, SEVERITY_ERROR, err,
				 "%s asks for firmware %.*s, and the image has no"
				 " /lib/firmware/%.*s", module, VIEW_ARGS(name), VIEW_ARGS(name)))
			return false;
		view_cut(&folder, '/');
		folder = view_cut(&folder, '/');
		if (view_starts(name, "nvidia/") &&
		    !view_equal(folder, subject->driver->version) &&
		    !finding_add(loading->findings, RULE_FIRMWARE_VERSION, SEVERITY_ERROR, err,
				 "%s asks for firmware of version %.*s, the driver is %s", module,
				 VIEW_ARGS(folder), subject->driver->version))
			return false;
	}
	return true;
}

MUST_CHECK static bool check_version(struct loading *loading, const struct modinfo *info,
				     const char *name, struct err *err)
{
	const struct bundle *driver = loading->subject->driver;
	const struct bundle_module *module = recorded(driver, name);
	struct view version = modinfo_get(info, "version");

	if (!module || !module->is_vendor || version.len == 0 ||
	    view_equal(version, driver->version))
		return true;
	return finding_add(loading->findings, RULE_USERSPACE_VERSION, SEVERITY_ERROR, err,
			   "kernel module %s is of version %.*s, the libraries are of %s", name,
			   VIEW_ARGS(version), driver->version);
}

/* Without the kernel's file only its release can be compared. */
MUST_CHECK static bool check_release(struct loading *loading, const struct modinfo *info,
				     const char *name, struct err *err)
{
	const struct verify_subject *subject = loading->subject;
	struct view vermagic = modinfo_get(info, "vermagic");
	struct view release = view_cut(&vermagic, ' ');

	if (subject->kernel || !subject->release || view_equal(release, subject->release))
		return true;
	return finding_add(loading->findings, RULE_KERNEL_RELEASE, SEVERITY_ERROR, err,
			   "%s was built for kernel %.*s, not for %s", name, VIEW_ARGS(release),
			   subject->release);
}

MUST_CHECK static bool match(struct loading *loading, struct view bytes, struct err *err)
{
	struct elf elf;

	if (!loading->subject->kernel)
		return true;
	if (!module_match(loading->findings, loading->subject->kernel, &loading->exports, bytes,
			  err) ||
	    !elf_open(&elf, bytes, err) || !export_table_add_elf(&loading->exports, &elf, err))
		return false;
	export_table_sort(&loading->exports);
	return true;
}

static bool is_compressed(struct view bytes)
{
	return view_starts(bytes, "\x1f\x8b") || view_starts(bytes, "\xfd" "7zXZ") ||
	       view_starts(bytes, "\x28\xb5\x2f\xfd");
}

MUST_CHECK static bool check_content(struct loading *loading, size_t at, struct view bytes,
				     struct err *err)
{
	const char *name = loading->subject->boot->gpu.modules.modules[at].name;
	struct modinfo info;
	struct err why = { 0 };

	if (is_compressed(bytes))
		return finding_add(loading->findings, RULE_MODULE_COMPRESSION, SEVERITY_ERROR, err,
				   "%s is compressed, and the guest hands modules to its kernel as"
				   " they are", name);
	if (!modinfo_read(&info, bytes, &why))
		return finding_add(loading->findings, RULE_VERMAGIC, SEVERITY_ERROR, err,
				   "%s is no module: %s", name, why.msg);
	if (!modinfo_is_name(modinfo_get(&info, "name"), name) &&
	    !finding_add(loading->findings, RULE_MODULE_DEPENDS, SEVERITY_ERROR, err,
			 "the file of %s is module %.*s", name,
			 VIEW_ARGS(modinfo_get(&info, "name"))))
		return false;
	if (!check_version(loading, &info, name, err) ||
	    !check_release(loading, &info, name, err) ||
	    !check_depends(loading, &info, at, err) ||
	    !check_firmware(loading, &info, name, err))
		return false;
	return loading->subject->are_contents_known || match(loading, bytes, &why) ||
	       finding_add(loading->findings, RULE_VERMAGIC, SEVERITY_ERROR, err,
			   "%s cannot be read: %s", name, why.msg);
}

MUST_CHECK static bool check_module(struct loading *loading, size_t at, struct err *err)
{
	const struct verify_subject *subject = loading->subject;
	const struct boot_module *module = &subject->boot->gpu.modules.modules[at];
	struct body_map *map = &loading->modules[loading->count];
	const struct tree_inode *node = NULL;
	uint32_t inode = TREE_NONE;

	if (!tree_walk(subject->tree, view_of(module->path), true, &inode, err))
		return false;
	node = inode == TREE_NONE ? NULL : tree_inode(subject->tree, inode);
	if (!node || !node->entry || node->entry->kind != ENTRY_FILE)
		return finding_add(loading->findings, RULE_MODULE_DEPENDS, SEVERITY_ERROR, err,
				   "boot.json loads %s, and the image has no %s", module->name,
				   module->path);
	if (!body_map_file(map, subject->tree, subject->data_fds, inode, err))
		return err_wrap(err, "%s", module->path);
	loading->count++;
	return check_content(loading, at, map->bytes, err);
}

/* What cannot be asked without the kernel's file. */
MUST_CHECK static bool report_unknown(struct loading *loading, struct err *err)
{
	static const struct {
		enum rule rule;
		const char *what;
	} rows[] = {
		{ RULE_VERMAGIC, "vermagic" },
		{ RULE_MODVERSIONS_CRC, "symbol versions" },
		{ RULE_UNDEFINED_SYMBOL, "symbols" },
		{ RULE_MODULE_SIGNATURE, "signatures" },
		{ RULE_KERNEL_CONFIG, "the kernel's configuration" },
	};

	if (!loading->subject->release &&
	    !finding_add(loading->findings, RULE_KERNEL_RELEASE, SEVERITY_UNKNOWN, err,
			 "the kernel is not known; give --kernel or --kernel-release"))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!finding_add(loading->findings, rows[i].rule, SEVERITY_UNKNOWN, err,
				 "%s could not be checked without --kernel", rows[i].what))
			return false;
	return true;
}

bool verify_modules(struct finding_list *findings, const struct verify_subject *subject,
		    struct err *err)
{
	CLEANUP(loading_freep) struct loading loading = { .subject = subject,
							  .findings = findings };
	const struct module_list *modules = &subject->boot->gpu.modules;

	loading.modules = calloc(modules->count + 1, sizeof(*loading.modules));
	if (!loading.modules)
		return err_memory(err, "kernel modules");
	if (subject->kernel && (!module_match_kernel(findings, subject->kernel, err) ||
				!kernel_config_check(findings, subject->kernel, err)))
		return false;
	for (size_t i = 0; i < modules->count; i++)
		if (!check_module(&loading, i, err))
			return false;
	return subject->kernel || modules->count == 0 || report_unknown(&loading, err);
}
