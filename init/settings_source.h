/* Where machine settings come from: the kernel command line, and a disk that is known by its
 * serial or, where the VMM gives disks none (Firecracker), by its content. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "init/contract/settings.h"

struct json_t;

/* Everything that this machine sets, over the defaults.
 * root_fd:       where sys/ and dev/ are
 * tells_unknown: keys that are no setting are told on the console (once, by the root's init)
 * Errors: ERR_FORMAT  a document or a header that is broken; two settings disks */
MUST_CHECK bool settings_gather(struct settings *out, int root_fd, struct view cmdline,
				bool tells_unknown, struct err *err);

/* Where the report of a machine goes whose settings could not be taken: report-port and
 * report-vsock-port of the kernel command line, with no regard to the rest of it. Pure. */
void settings_take_report(struct settings *settings, struct view cmdline);

/* Every vmbake.KEY=VALUE as one document, each put by settings_put; keys that are no setting are in
 * it too. Pure. */
MUST_CHECK bool settings_from_cmdline(struct json_t **out, struct view cmdline, struct err *err);
