/* Loading kernel modules: bare finit_module with what kmod would have added, the parameters and
 * the blacklist of the kernel command line.
 *
 * No dependency is worked out here: the host baked the order, and each module's needs.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"
#include "init/contract/boot_config.h"

struct modules {
	const struct module_list *list; /* borrowed */
	struct view cmdline; /* borrowed */
	bool *is_done; /* is_done[list->count]: tried before; owned */
};

MUST_CHECK bool modules_open(struct modules *out, const struct module_list *list,
			     struct view cmdline, struct err *err);
void modules_closep(struct modules *modules);

/* In order: all (what is in boot.json), or those that are wanted whatever the machine has (in
 * initrd.json).   Errors: the first module that does not load, by name */
MUST_CHECK bool modules_load_all(struct modules *modules, struct err *err);
MUST_CHECK bool modules_load_wanted(struct modules *modules, struct err *err);

/* Load the modules that carry this name, or an alias that matches it ("fs-xfs", a modalias), and
 * their needs; returns how many were loaded. A module that does not load is told on the console
 * and not tried again. */
size_t modules_load_for(struct modules *modules, const char *name);

/* Ask every device of the machine for its modalias and load for it, until nothing new appears;
 * returns how many were loaded. root_fd: where sys/ is */
size_t modules_load_for_devices(struct modules *modules, int root_fd);

/* Pure parts. The parameters: what was baked, then MODULE.PARAM=VALUE of the command line. */
MUST_CHECK bool modules_params(struct bytes *out, const struct boot_module *module,
			       struct view cmdline, struct err *err);
/* modprobe.blacklist=a,b or module_blacklist=a,b */
bool modules_is_blacklisted(const char *name, struct view cmdline);
