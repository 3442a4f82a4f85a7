/* What is to be imported: a driver's source, and the folders of its modules. */
#pragma once

#include <stddef.h>

#include "base/report.h"
#include "drivers/kernel/kernel.h"
#include "layers/tree.h"

struct import_request {
	/* The source: files and folders (sources[source_count], in any order) or an image's. */
	const char *const *sources;
	size_t source_count;
	const struct tree *tree; /* NULL: sources */
	const int *data_fds; /* of the tree's layers */
	const char *source_name; /* the image as it was named */

	const char *const *module_dirs; /* module_dirs[module_dir_count]: the driver's modules */
	size_t module_dir_count;
	const char *const *kernel_module_dirs; /* each a /lib/modules/RELEASE; what those need */
	size_t kernel_module_dir_count;
	const struct kernel_files *kernel; /* NULL: modules are not held against a kernel */
	struct report *report;
};
