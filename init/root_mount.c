#include "root_mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "block.h"
#include "device_mapper.h"
#include "disk.h"
#include "mount_options.h"
#include "say.h"

enum {
	WAIT_MS = 10 * 1000, /* for a device without rootwait */
	PAUSE_MS = 2,
};

static void pause_ms(unsigned ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

/* Wait for a device, loading modules as buses show new ones. */
MUST_CHECK static bool wait_for_device(struct view wanted, bool waits_forever,
				       struct modules *modules, int root_fd, char device[64],
				       struct err *err)
{
	int64_t end_ms = clock_now_ms() + WAIT_MS;

	while (!block_find(root_fd, wanted, device)) {
		if (clock_now_ms() >= end_ms && !waits_forever)
			return err_set(err, ERR_NOT_FOUND, "no device %.*s after %d s",
				       VIEW_ARGS(wanted), WAIT_MS / 1000);
		if (modules_load_for_devices(modules, root_fd) == 0)
			pause_ms(PAUSE_MS);
	}
	return true;
}

MUST_CHECK static bool wait_for_parts(const struct mapped_device *device, bool waits_forever,
				      struct modules *modules, int root_fd, struct err *err)
{
	char module[64], path[64];

	for (size_t i = 0; i < device->table_count; i++) {
		struct view rest = device->tables[i].arguments;

		snprintf(module, sizeof(module), "dm_%.*s", VIEW_ARGS(device->tables[i].target));
		modules_load_for(modules, module);
		while (rest.len > 0) {
			struct view word = view_cut(&rest, ' ');

			if (view_starts(word, "/dev/") &&
			    !wait_for_device(word, waits_forever, modules, root_fd, path, err))
				return false;
		}
	}
	return true;
}

bool root_map_devices(const struct root_options *options, struct modules *modules, int root_fd,
		      struct err *err)
{
	struct view rest = options->mapped;
	struct mapped_device device;

	if (rest.len > 0) {
		modules_load_for(modules, "dm_mod");
		modules_load_for(modules, "crypto-sha256");
	}
	while (rest.len > 0)
		if (!mapped_device_parse(&device, &rest, err) ||
		    !wait_for_parts(&device, options->waits_forever, modules, root_fd, err) ||
		    !mapped_device_make(&device, err))
			return false;
	return true;
}

MUST_CHECK static bool find_type(const struct root_options *options, const char *device,
				 char **type, struct err *err)
{
	struct disk_facts facts;

	if (options->type.len == 0) {
		if (!disk_probe(&facts, device, err))
			return false;
		if (!facts.type)
			return err_set(err, ERR_UNSUPPORTED,
				       "root=%s holds no file system that is known here "
				       "(ext4, xfs, erofs); rootfstype= names others",
				       device);
	}
	*type = view_copy(options->type.len > 0 ? options->type : view_of(facts.type));
	return *type || err_memory(err, "the root's type");
}

static void load_file_system(struct modules *modules, const char *type)
{
	char alias[64];

	snprintf(alias, sizeof(alias), "fs-%s", type);
	modules_load_for(modules, alias);
}

void root_load_file_systems(struct modules *modules, int root_fd)
{
	CLEANUP(block_names_freep) struct block_names names = { 0 };
	char start[DISK_PROBE_BYTES];
	struct disk_facts facts;
	struct err err = { 0 };

	if (!block_list(&names, root_fd, &err))
		say("%s", err.msg);
	for (size_t i = 0; i < names.count; i++) {
		if (!block_read_start(root_fd, names.items[i], start, sizeof(start)))
			continue;
		disk_read_facts((struct view){ start, sizeof(start) }, &facts);
		if (facts.type)
			load_file_system(modules, facts.type);
	}
}

bool root_mount(const struct root_options *options, struct modules *modules, int root_fd,
		const char *where, struct err *err)
{
	CLEANUP(freep) char *own_flags = view_copy(options->flags);
	CLEANUP(freep) char *type = NULL;
	unsigned long flags = options->is_writable ? 0 : MS_RDONLY;
	char device[64];

	if (!own_flags)
		return err_memory(err, "the root's flags");
	mount_options_take(own_flags, &flags);
	pause_ms(options->delay_seconds * 1000);
	if (!wait_for_device(options->root, options->waits_forever, modules, root_fd, device, err))
		return err_wrap(err, "root=%.*s", VIEW_ARGS(options->root));
	if (!find_type(options, device, &type, err))
		return false;
	load_file_system(modules, type);
	if (mkdir(where, 0755) < 0 && errno != EEXIST)
		return err_os(err, "make folder %s", where);
	if (mount(device, where, type, flags, own_flags) < 0)
		return err_os(err, "mount root=%s as %s%s%s", device, type,
			      own_flags[0] ? " with " : "", own_flags);
	return true;
}

/* Only a file system in memory that is the initramfs may be emptied. */
MUST_CHECK static bool check_initramfs(struct err *err)
{
	struct statfs status;

	if (statfs("/", &status) < 0)
		return err_os(err, "look at /");
	if (status.f_type != RAMFS_MAGIC && status.f_type != TMPFS_MAGIC)
		return err_set(err, ERR_INTERNAL, "/ is no initramfs");
	return true;
}

/* Its files would take memory for as long as the machine runs. */
static void empty_initramfs(void)
{
	static const char *const names[] = { "/init", "/.vmbake", "/lib" };
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!file_remove_tree(AT_FDCWD, names[i], &err))
			say("empty the initramfs: %s", err.msg);
}

/* Into the new root's folder of that name, or nowhere when it has none. */
static void carry_mount(const char *place)
{
	const char *below = place + 1;

	if (mount(place, below, NULL, MS_MOVE, NULL) < 0)
		umount2(place, MNT_DETACH);
}

bool root_switch(const char *new_root, const char *init, struct err *err)
{
	char *const arguments[] = { strdup(init), NULL };

	if (!check_initramfs(err))
		return false;
	if (chdir(new_root) < 0)
		return err_os(err, "enter %s", new_root);
	if (access(init + 1, X_OK) < 0)
		return err_os_path(err, "init=%s of the root", init);
	carry_mount("/dev");
	carry_mount("/sys");
	carry_mount("/proc");
	empty_initramfs();
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_os(err, "make %s the root", new_root);
	execv(init, arguments);
	return err_os_path(err, "run init=%s", init);
}
