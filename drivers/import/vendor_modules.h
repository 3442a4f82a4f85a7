/* The driver's own kernel modules, found in the folders that --modules names.
 *
 * A module is known by .modinfo `name`, its kernel by vermagic, never by the names of file and
 * folder: dkms installs nvidia-current.ko. Each is taken into the bundle's data as it is found,
 * uncompressed, as the signature behind it is over these bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "drivers/kernel/modinfo.h"
#include "intake.h"

/* A module, the driver's or one of the kernel's, as it lies in data. Strings are the intake's. */
struct taken_module {
	const char *name; /* with '_' only */
	const char *file_name; /* "nvidia-uvm.ko" */
	const char *source; /* where it was found, for sentences */
	const char *release, *vermagic;
	struct modinfo info; /* its text is a copy */
	size_t part; /* number in the intake */
	unsigned capabilities;
	unsigned rank; /* the driver's own: in order of loading */
	uint64_t debug_bytes; /* in .debug_* sections */
	bool has_crcs, is_signed, is_vendor;
};

struct taken_modules {
	struct taken_module *items; /* items[count], by release, then rank; owned */
	size_t count, capacity;
};
void taken_modules_freep(struct taken_modules *modules);

/* Take one: content is its bytes, uncompressed. fills all but rank, capabilities and is_vendor. */
MUST_CHECK bool module_take(struct taken_module *out, struct intake *intake, const char *source,
			    struct view content, struct err *err);
MUST_CHECK bool taken_modules_add(struct taken_modules *modules, const struct taken_module *module,
				  struct err *err);

/* Find and take the driver's modules in these folders: one release's, or parents of several.
 * Below a folder named kernel/, which holds a distribution's thousands, only files named after the
 * driver are looked at.
 * Errors: ERR_NOT_FOUND  no such folder, or no module of the driver in any
 *         ERR_FORMAT     a module that is broken
 *         ERR_MISMATCH   two that differ, of one name for one kernel */
MUST_CHECK bool vendor_modules_take(struct taken_modules *out, struct intake *intake,
				    const char *const *folders, size_t folder_count,
				    struct err *err);
/* Is it the name of one of the driver's? */
bool vendor_modules_has(struct view name);
