/* The kernel modules of a folder such as /lib/modules/RELEASE, found by the name that each gives
 * itself in .modinfo (file names lie: dkms installs nvidia-current.ko), '-' and '_' being the same.
 *
 * Reads as few modules as it can: those in kernel/ are built in tree, where kbuild makes the file
 * name from the module's name, so they are read when they are asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"
#include "modinfo.h"

enum {
	MODULE_BYTES_MAX = 512 << 20, /* one module, decompressed: nvidia.ko has 75 MB */
	MODULE_NAME_BYTES_MAX = 64, /* with the NUL; the kernel's own limit is 56 */
};

struct module {
	const char *name; /* with '_' only */
	const char *path; /* openable; may be compressed */
	struct modinfo info; /* of a module that module_set_find gave: its text is a copy */
	size_t ordinal; /* 0 to module_set_count - 1, its own */
};

struct module_set;

/* Walk the folders for .ko, .ko.gz, .ko.xz and .ko.zst, and read modules.builtin at their roots.
 * Symlinks are not followed. Where a name comes twice, an earlier folder wins, then what is
 * outside of the folder's kernel/ (as depmod prefers updates/), then the lesser path.
 * Errors: ERR_NOT_FOUND  no such folder
 *         ERR_FORMAT     a file outside kernel/ that is no module
 *         ERR_IO */
MUST_CHECK bool module_set_open(struct module_set **out, const char *const *folders,
				size_t folder_count, struct err *err);
void module_set_freep(struct module_set **set);
size_t module_set_count(const struct module_set *set);

/* *out is NULL when there is no such module; borrowed from the set. */
MUST_CHECK bool module_set_find(struct module_set *set, struct view name,
				const struct module **out, struct err *err);
/* Any one of them, which tells for which kernel the folders are; NULL when there is none. */
MUST_CHECK bool module_set_any(struct module_set *set, const struct module **out, struct err *err);
bool module_set_is_builtin(const struct module_set *set, struct view name);

/* The module's bytes, decompressed, appended to out. */
MUST_CHECK bool module_slurp(struct bytes *out, const struct module *module, struct err *err);
