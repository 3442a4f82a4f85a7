/* `vmbake initrd`: a distribution kernel's modules and our init, packed as an initramfs that finds
 * the root, switches to it and hands over to the root's own init. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/report.h"

struct initrd_options {
	const char *modules_dir; /* such as /lib/modules/RELEASE */
	const char *const *load; /* load[load_count]: names, loaded always and in this order */
	size_t load_count;
	const char *output;
	struct report *report; /* borrowed; a note for each default module that is not there */
};

/* Write the initrd whole; the same modules and options give the same bytes. Its architecture is
 * that of the modules.
 * Errors: ERR_NOT_FOUND    no such folder or module, or no modules at all in it
 *         ERR_UNSUPPORTED  modules of an architecture that there is no init for
 *         ERR_FORMAT, ERR_IO, ERR_SPACE */
MUST_CHECK bool initrd_write(const struct initrd_options *options, struct err *err);
