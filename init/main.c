/* PID 1 of a baked image, and of the initrd that `vmbake initrd` makes: the same program, which
 * knows where it is by the configuration that it finds. Whatever happens, it reports and ends the
 * machine: a PID 1 that returns is a kernel panic. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "boot_config.h"
#include "command.h"
#include "ending.h"
#include "modules.h"
#include "mounts.h"
#include "nodes.h"
#include "process.h"
#include "root_mount.h"
#include "root_options.h"
#include "say.h"

enum { CMDLINE_BYTES_MAX = 64 << 10 };

MUST_CHECK static bool read_cmdline(struct bytes *out, struct err *err)
{
	*out = bytes_capped(CMDLINE_BYTES_MAX);
	return file_slurp(out, AT_FDCWD, "/proc/cmdline", err);
}

/* The kernel gives its console as 0, 1 and 2, or nothing at all when there was no /dev/console. */
static void open_console(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/console", O_RDWR) < 0)
			(void)!open("/dev/null", O_RDWR);
}

/* Returns only on failure. */
static bool run_initrd(struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes cmdline = { 0 };
	CLEANUP(initrd_config_freep) struct initrd_config config = { 0 };
	CLEANUP(modules_closep) struct modules modules = { 0 };
	CLEANUP(freep) char *init = NULL;
	struct root_options options;

	if (!mounts_make(MOUNT_IN_INITRD, err))
		return false;
	open_console();
	if (!read_cmdline(&cmdline, err) ||
	    !root_options_parse(&options, bytes_view(&cmdline), err))
		return false;
	if (!file_slurp(&text, AT_FDCWD, INITRD_CONFIG_PATH, err) ||
	    !initrd_config_parse(&config, bytes_view(&text), err))
		return err_wrap(err, "%s", INITRD_CONFIG_PATH);
	init = view_copy(options.init);
	if (!init)
		return err_memory(err, "init=");
	return modules_open(&modules, &config.modules, bytes_view(&cmdline), err) &&
	       modules_load_wanted(&modules, err) &&
	       root_mount(&options, &modules, "/root", err) && root_switch("/root", init, err);
}

MUST_CHECK static bool prepare_machine(const struct boot_config *config, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes cmdline = { 0 };
	CLEANUP(modules_closep) struct modules modules = { 0 };

	return read_cmdline(&cmdline, err) &&
	       modules_open(&modules, &config->modules, bytes_view(&cmdline), err) &&
	       modules_load_wanted(&modules, err) &&
	       nodes_make(config->nodes, config->node_count, err);
}

MUST_CHECK static bool run_root(struct ending *ending, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	CLEANUP(boot_config_freep) struct boot_config config = { 0 };
	struct command command;
	pid_t pid = 0;

	if (!mounts_make(MOUNT_IN_ROOT, err))
		return false;
	open_console();
	mounts_link_dev();
	if (!file_slurp(&text, AT_FDCWD, BOOT_CONFIG_PATH, err) ||
	    !boot_config_parse(&config, bytes_view(&text), err))
		return err_wrap(err, "%s", BOOT_CONFIG_PATH);
	return prepare_machine(&config, err) &&
	       command_make(&command, &config, &config.arena, err) && process_block_signals(err) &&
	       process_start(&pid, ending, &command, &config, err) &&
	       (pid == 0 || process_wait(ending, pid, err));
}

int main(void)
{
	struct ending ending = { 0 };
	struct err err = { 0 };
	bool ok = false;

	if (getpid() != 1) {
		fputs("vmbake: this is the init of a machine, to be run as PID 1\n", stderr);
		return CODE_INIT_FAILED;
	}
	umask(022);
	ending_catch_faults();
	if (access(INITRD_CONFIG_PATH, F_OK) == 0)
		ok = run_initrd(&err);
	else
		ok = run_root(&ending, &err);
	if (!ok) {
		say("failed: %s", err.msg);
		ending = (struct ending){ .code = CODE_INIT_FAILED };
	}
	ending_report(&ending);
	CLEANUP(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	ending_switch_off(ending_method_of_machine(root_fd));
}
