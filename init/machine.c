#include "machine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmdline.h"
#include "drives.h"
#include "etc_files.h"
#include "exit_report.h"
#include "gpu.h"
#include "init/contract/require.h"
#include "kernel_log.h"
#include "launch.h"
#include "memory_group.h"
#include "modules.h"
#include "mounts.h"
#include "network.h"
#include "nodes.h"
#include "process.h"
#include "say.h"
#include "settings_source.h"
#include "stop.h"
#include "supervise.h"
#include "sysctls.h"

MUST_CHECK static bool open_root(struct machine *machine, const char *sysroot, struct err *err)
{
	fd_closep(&machine->root_fd);
	return file_open(&machine->root_fd, AT_FDCWD, sysroot ? sysroot : "/",
			 O_PATH | O_DIRECTORY, err);
}

static void open_channel(struct machine *machine)
{
	if (machine->settings.report_port)
		machine->channel_fd =
			exit_channel_open(machine->root_fd, machine->settings.report_port);
}

/* What the settings need to be found, and no more: an overlay comes before all else. */
MUST_CHECK static bool read_settings(struct machine *machine, const char *sysroot, struct err *err)
{
	if (!mounts_make(MOUNT_FIRST, err))
		return false;
	mounts_open_console();
	stages_parse(&machine->stages, getenv(STAGES_VARIABLE));
	stages_reached(&machine->stages, STAGE_INIT);
	if (!open_root(machine, sysroot, err) ||
	    !cmdline_read(&machine->cmdline, machine->root_fd, err) ||
	    !settings_gather(&machine->settings, machine->root_fd, bytes_view(&machine->cmdline),
			     true, err))
		return false;
	open_channel(machine);
	return true;
}

MUST_CHECK static bool make_mounts(struct machine *machine, const char *sysroot, struct err *err)
{
	const struct settings *settings = &machine->settings;

	if (settings->overlay &&
	    (!drives_overlay(settings->overlay, machine->root_fd, &machine->drive_fd, err) ||
	     !open_root(machine, sysroot, err)))
		return false;
	if (!mounts_make(MOUNT_REST, err))
		return false;
	mounts_link_dev();
	if (settings->shm_size && !mounts_resize_shm(settings->shm_size, err))
		return false;
	stages_reached(&machine->stages, STAGE_SETTINGS);
	return true;
}

MUST_CHECK static bool read_config(struct machine *machine, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BOOT_CONFIG_BYTES_MAX);

	return file_slurp(&text, AT_FDCWD, BOOT_CONFIG_PATH, err) &&
	       (boot_config_parse(&machine->config, bytes_view(&text), err) ||
		err_wrap(err, "%s", BOOT_CONFIG_PATH));
}

MUST_CHECK static bool load_drivers(struct machine *machine, struct err *err)
{
	CLEANUP(modules_closep) struct modules modules = { 0 };
	const struct boot_config *config = &machine->config;

	if (!modules_open(&modules, &config->modules, bytes_view(&machine->cmdline), err) ||
	    !modules_load_all(&modules, err) ||
	    !nodes_make(config->nodes, config->node_count, err))
		return false;
	stages_reached(&machine->stages, STAGE_MODULES);
	return true;
}

static struct gpu_request gpu_request_of(const struct machine *machine,
					 const struct launch *launch)
{
	const char *const *env = launch->command.environment;
	size_t env_count = 0;

	while (env[env_count])
		env_count++;
	return (struct gpu_request){ .boot = &machine->config.gpu,
				     .settings = &machine->settings,
				     .cmdline = bytes_view(&machine->cmdline),
				     .root_fd = machine->root_fd,
				     .ignores_requirements = require_is_disabled(env, env_count) };
}

MUST_CHECK static bool start_gpus(struct machine *machine, const struct launch *launch,
				  struct err *err)
{
	const struct gpu_request request = gpu_request_of(machine, launch);

	if (!gpu_make_ready(&machine->gpu, &request, err))
		return false;
	stages_reached(&machine->stages, STAGE_GPU);
	return true;
}

MUST_CHECK static bool start_fabric(struct machine *machine, const struct launch *launch,
				    struct err *err)
{
	const struct gpu_request request = gpu_request_of(machine, launch);

	machine->fabric_manager.name = "the fabric manager";
	return gpu_start_fabric(&machine->fabric_manager.pid, &machine->gpu, &request, err);
}

MUST_CHECK static bool set_hostname(const char *name, struct err *err)
{
	return !name || sethostname(name, strlen(name)) == 0 ||
	       err_os(err, "set hostname %.100s", name);
}

MUST_CHECK static bool apply_settings(struct machine *machine, struct err *err)
{
	const struct settings *settings = &machine->settings;

	if ((settings->grow && !drives_grow_root(machine->root_fd, err)) ||
	    !drives_mount(settings, machine->root_fd, err) ||
	    !sysctls_set(&settings->sysctls, machine->root_fd, err) ||
	    !set_hostname(settings->hostname, err) ||
	    !network_make(settings, machine->root_fd, err))
		return false;
	etc_files_make(settings);
	stages_reached(&machine->stages, STAGE_NETWORK);
	return true;
}

/* One way: from here on not even root can put code into the kernel. */
static void lock_modules(const struct machine *machine)
{
	CLEANUP(fd_closep) int fd = openat(machine->root_fd, "proc/sys/kernel/modules_disabled",
					   O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) < 0)
		say("modules_disabled could not be set");
}

MUST_CHECK static bool run_entrypoint(struct machine *machine, const struct launch *launch,
				      struct ending *ending, struct err *err)
{
	CLEANUP(stop_inputs_closep) struct stop_inputs inputs = { 0 };
	CLEANUP(fd_closep) int log_fd = kernel_log_mark();
	struct supervision supervision = {
		.stop_signal = machine->config.stop_signal,
		.grace_seconds = machine->settings.grace_seconds,
		.inputs = &inputs,
		.companion = &machine->fabric_manager,
	};

	reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del becomes a signal to us; elsewhere than PID 1: no */
	stop_inputs_open(&inputs, machine->channel_fd);
	memory_group_make();
	stages_reached(&machine->stages, STAGE_ENTRYPOINT);
	if (!process_block_signals(err) ||
	    !process_start(&supervision.pid, ending, launch, err) ||
	    (supervision.pid != 0 && !supervise(ending, &supervision, err)))
		return false;
	if (machine->fabric_manager.has_ended)
		gpu_lose_fabric(&machine->gpu);
	gpu_review(&machine->gpu, log_fd);
	stages_reached(&machine->stages, STAGE_EXIT);
	return true;
}

bool machine_run(struct machine *machine, const char *sysroot, struct ending *ending,
		 struct err *err)
{
	struct launch launch;

	if (!read_settings(machine, sysroot, err) || !make_mounts(machine, sysroot, err) ||
	    !read_config(machine, err) ||
	    !launch_make(&launch, &machine->config, &machine->settings, machine->root_fd,
			 &machine->config.arena, err) ||
	    !load_drivers(machine, err) || !start_gpus(machine, &launch, err) ||
	    !apply_settings(machine, err) || !start_fabric(machine, &launch, err))
		return false;
	if (machine->settings.lock_modules)
		lock_modules(machine);
	return run_entrypoint(machine, &launch, ending, err);
}

/* The initrd's init reads no settings, and broken ones are taken from nowhere; the host is to learn
 * of it all the same. */
static void find_channel(struct machine *machine)
{
	CLEANUP(bytes_freep) struct bytes cmdline = { 0 };
	struct err ignored;

	if (machine->settings.report_port || machine->settings.report_vsock_port != 0 ||
	    !cmdline_read(&cmdline, machine->root_fd, &ignored))
		return;
	settings_take_report(&machine->settings, bytes_view(&cmdline));
	open_channel(machine);
}

static void send_report(const struct machine *machine, const struct ending *ending,
			const char *failure)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(64 << 10);
	const struct exit_report report = { .ending = ending,
					    .failure = failure,
					    .had_oom_kill = memory_group_had_oom_kill(),
					    .gpu = &machine->gpu,
					    .stages = &machine->stages };
	struct err err = { 0 };

	if (!exit_report_print(&line, &report, &err))
		say("%s", err.msg);
	exit_report_send(machine->channel_fd, machine->settings.report_vsock_port,
			 bytes_view(&line));
}

void machine_end(struct machine *machine, const struct ending *ending, const char *failure)
{
	struct err ignored;

	if (failure)
		say(CONSOLE_FAILURE "%s", failure);
	if (machine->root_fd < 0)
		(void)!open_root(machine, NULL, &ignored);
	if (failure)
		find_channel(machine);
	send_report(machine, ending, failure);
	ending_report(ending);
	enum ending_method method = ending_method_of_machine(machine->root_fd);

	if (machine->settings.shutdown != SHUTDOWN_AUTO)
		method = machine->settings.shutdown == SHUTDOWN_REBOOT ? END_BY_REBOOT :
									 END_BY_POWER_OFF;
	ending_switch_off(method, machine->drive_fd);
}
