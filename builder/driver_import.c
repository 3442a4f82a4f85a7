#include "driver_import.h"

#include "base/cleanup.h"
#include "driver_command.h"
#include "image_root.h"

static bool is_image(const char *operand)
{
	static const char *const transports[] = { "docker://", "oci:", "oci-archive:",
						  "docker-archive:" };

	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (view_starts(view_of(operand), transports[i]))
			return true;
	return false;
}

MUST_CHECK static bool import_image(struct store *store, const struct options *options,
				    struct import_request *request, struct err *err)
{
	CLEANUP(image_root_freep) struct image_root root = { 0 };
	const char *name = options->operands.items[0];

	if (!image_root_resolve(&root, options, name, request->report, err) ||
	    !image_root_unpack(&root, store, options, NULL, request->report, err) ||
	    !image_root_merge(&root, err))
		return false;
	request->tree = root.tree;
	request->data_fds = root.data_fds;
	request->source_name = name;
	return driver_command_import(store, request, options->json, err);
}

bool driver_import_run(struct store *store, const struct options *options, struct report *report,
		       struct err *err)
{
	const struct kernel_files kernel = { .kernel = options->driver.kernel,
					     .config = options->driver.kernel_config };
	struct import_request request = {
		.sources = options->operands.items,
		.source_count = options->operands.count,
		.module_dirs = options->module_folders.items,
		.module_dir_count = options->module_folders.count,
		.kernel_module_dirs = options->kernel_module_folders.items,
		.kernel_module_dir_count = options->kernel_module_folders.count,
		.kernel = kernel.kernel ? &kernel : NULL,
		.report = report,
	};
	size_t images = 0;

	for (size_t i = 0; i < options->operands.count; i++)
		images += is_image(options->operands.items[i]);
	if (images == 0)
		return driver_command_import(store, &request, options->json, err);
	if (options->operands.count > 1)
		return err_set(err, ERR_USAGE,
			       "driver import takes one image, or files and folders, not both");
	request.sources = NULL;
	request.source_count = 0;
	return import_image(store, options, &request, err);
}
