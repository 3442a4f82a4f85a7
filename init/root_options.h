/* What the kernel command line says of the root. With an initrd the kernel leaves all of it to the
 * initrd's /init (Documentation/admin-guide/kernel-parameters.txt: root, rootfstype, …). */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct root_options {
	struct view root; /* "/dev/vda", or what else block_find knows */
	struct view type; /* rootfstype=, empty: find out */
	struct view flags; /* rootflags= */
	struct view mapped; /* dm-mod.create=: devices to be made first */
	struct view init; /* init=, or /.vmbake/init */
	bool is_writable; /* rw; the kernel's own default is ro */
	bool waits_forever; /* rootwait */
	uint32_t delay_seconds; /* rootdelay= */
};

/* Views into cmdline.
 * Errors: ERR_FORMAT       a value that cannot be
 *         ERR_NOT_FOUND    no root= */
MUST_CHECK bool root_options_parse(struct root_options *out, struct view cmdline, struct err *err);
