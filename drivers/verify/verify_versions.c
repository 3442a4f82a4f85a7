/* One version throughout: libraries, firmware and programs of a driver. */
#include <string.h>

#include "drivers/bundle/vendor_version.h"
#include "verify_files.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_fabric_program(const char *name)
{
	return strcmp(name, "nv-fabricmanager") == 0 || strcmp(name, "nvidia-imex") == 0;
}

static bool is_fabric_library(const char *name)
{
	return strncmp(name, "libnvidia-nscq.", 15) == 0 || strncmp(name, "libnvsdm.", 9) == 0;
}

MUST_CHECK static bool check_library(struct finding_list *findings, const struct bundle *driver,
				     const char *name, struct err *err)
{
	struct view suffix = vendor_version_in(view_of(name));
	enum rule rule = is_fabric_library(name) ? RULE_FABRICMANAGER_VERSION :
						   RULE_USERSPACE_VERSION;

	if (suffix.len == 0 || view_equal(suffix, driver->version))
		return true;
	return finding_add(findings, rule, SEVERITY_ERROR, err,
			   "%s is of version %.*s, the driver of %s", name, VIEW_ARGS(suffix),
			   driver->version);
}

/* "/lib/firmware/nvidia/VERSION/x.bin" */
static struct view firmware_folder(const char *path)
{
	struct view rest = view_of(path);
	ptrdiff_t slash = view_find_last(rest, '/');

	rest.len = slash < 0 ? 0 : (size_t)slash;
	return view_from(rest, (size_t)(view_find_last(rest, '/') + 1));
}

MUST_CHECK static bool check_firmware(struct finding_list *findings, const struct bundle *driver,
				      const struct injected *item, struct err *err)
{
	struct view folder = firmware_folder(item->path);

	if (!view_equal(folder, driver->version))
		return finding_add(findings, RULE_FIRMWARE_VERSION, SEVERITY_ERROR, err,
				   "%s is in the folder of version %.*s, the driver is %s",
				   item->path, VIEW_ARGS(folder), driver->version);
	if (item->firmware_version[0] && strcmp(item->firmware_version, driver->version) != 0)
		return finding_add(findings, RULE_FIRMWARE_VERSION, SEVERITY_ERROR, err,
				   "%s says that it is of version %.60s, the driver is %s",
				   item->path, item->firmware_version, driver->version);
	return true;
}

MUST_CHECK static bool check_item(struct finding_list *findings, const struct bundle *driver,
				  const struct injected *item, struct err *err)
{
	const char *name = base_name(item->path);

	switch (item->file->kind) {
	case BUNDLE_LIB:
	case BUNDLE_LIB32:
		return check_library(findings, driver, name, err);
	case BUNDLE_FIRMWARE:
		return check_firmware(findings, driver, item, err);
	case BUNDLE_BIN:
		if (!is_fabric_program(name) || item->names_version || !item->is_same)
			return true;
		return finding_add(findings, RULE_FABRICMANAGER_VERSION, SEVERITY_UNKNOWN, err,
				   "%s does not show its version, which has to be %s to the digit",
				   name, driver->version);
	default:
		return true;
	}
}

bool verify_versions(struct finding_list *findings, const struct verify_subject *subject,
		     const struct injected_list *files, struct err *err)
{
	bool has_licence = false;

	for (size_t i = 0; i < files->count; i++) {
		const struct injected *item = &files->items[i];

		if (!item->file)
			continue;
		has_licence = has_licence ||
			      (item->file->kind == BUNDLE_LICENCE && item->inode != TREE_NONE);
		if (!check_item(findings, subject->driver, item, err))
			return false;
	}
	return has_licence ||
	       finding_add(findings, RULE_LICENCE_MISSING, SEVERITY_WARNING, err,
			   "driver %s came without its licence text, which has to go along with it",
			   subject->driver->version);
}
