#include "handover.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmdline.h"
#include "init/contract/boot_config.h"
#include "modules.h"
#include "mounts.h"
#include "root_mount.h"
#include "root_options.h"
#include "settings_source.h"
#include "stages.h"

/* Where the new root is mounted first. */
#define NEW_ROOT "/root"

/* An overlay is made by the root's init, but its module is here. Broken settings are the root's
 * to complain about: it has the means to report. */
static void load_overlay(struct modules *modules, int root_fd, struct view cmdline)
{
	CLEANUP(settings_freep) struct settings settings = { 0 };
	struct err ignored;

	if (settings_gather(&settings, root_fd, cmdline, false, &ignored) && settings.overlay)
		modules_load_for(modules, "overlay");
}

MUST_CHECK static bool read_config(struct initrd_config *out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BOOT_CONFIG_BYTES_MAX);

	return file_slurp(&text, AT_FDCWD, INITRD_CONFIG_PATH, err) &&
	       (initrd_config_parse(out, bytes_view(&text), err) ||
		err_wrap(err, "%s", INITRD_CONFIG_PATH));
}

static bool find_and_enter(const struct root_options *options, struct modules *modules,
			   int root_fd, struct stages *stages, struct err *err)
{
	CLEANUP(freep) char *init = view_copy(options->init);
	char text[STAGES_TEXT_BYTES];

	if (!init)
		return err_memory(err, "init=");
	if (!modules_load_wanted(modules, err))
		return false;
	/* Also where the root needs none of them: after it, the modules are gone. */
	modules_load_for_devices(modules, root_fd);
	if (!root_map_devices(options, modules, root_fd, err) ||
	    !root_mount(options, modules, root_fd, NEW_ROOT, err))
		return false;
	root_load_file_systems(modules, root_fd);
	load_overlay(modules, root_fd, modules->cmdline);
	stages_reached(stages, STAGE_ROOT_FOUND);
	stages_print(stages, text);
	if (setenv(STAGES_VARIABLE, text, 1) < 0)
		return err_memory(err, STAGES_VARIABLE);
	return root_switch(NEW_ROOT, init, err);
}

bool handover_run(struct err *err)
{
	CLEANUP(bytes_freep) struct bytes cmdline = { 0 };
	CLEANUP(initrd_config_freep) struct initrd_config config = { 0 };
	CLEANUP(modules_closep) struct modules modules = { 0 };
	CLEANUP(fd_closep) int root_fd = -1;
	struct root_options options;
	struct stages stages = { 0 };

	if (!mounts_make(MOUNT_FIRST, err))
		return false;
	mounts_open_console();
	stages_reached(&stages, STAGE_INITRD);
	return file_open(&root_fd, AT_FDCWD, "/", O_PATH | O_DIRECTORY, err) &&
	       cmdline_read(&cmdline, root_fd, err) &&
	       root_options_parse(&options, bytes_view(&cmdline), err) &&
	       read_config(&config, err) &&
	       modules_open(&modules, &config.modules, bytes_view(&cmdline), err) &&
	       find_and_enter(&options, &modules, root_fd, &stages, err);
}
