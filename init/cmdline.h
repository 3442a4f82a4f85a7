/* The kernel command line, cut into options as the kernel itself does it.
 *
 * Spaces separate, double quotes around a value (or a whole option) keep spaces and are dropped,
 * "--" ends what is meant for the kernel. Pure but for cmdline_read: views into the text.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"

struct cmdline_option {
	struct view name;
	struct view value; /* ptr is NULL without '=' */
};

/* *rest starts as the whole text; false when there are no more options.
 * Source: lib/cmdline.c next_arg; Documentation/admin-guide/kernel-parameters.rst */
bool cmdline_next(struct view *rest, struct cmdline_option *out);

/* Whether the option is there; the last one counts. value may be NULL. */
bool cmdline_find(struct view text, const char *name, struct view *value);

/* The text of proc/cmdline; out is set up here and owned. */
MUST_CHECK bool cmdline_read(struct bytes *out, int root_fd, struct err *err);
