#include "root_mount.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "disk.h"
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

static bool is_block_device(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISBLK(status.st_mode);
}

MUST_CHECK static bool wait_for_device(const struct root_options *options,
				       struct modules *modules, const char *device,
				       struct err *err)
{
	CLEANUP(fd_closep) int root_fd = -1;

	if (!file_open(&root_fd, AT_FDCWD, "/", O_PATH | O_DIRECTORY, err))
		return false;
	for (unsigned waited_ms = 0; !is_block_device(device); waited_ms += PAUSE_MS) {
		if (waited_ms >= WAIT_MS && !options->waits_forever)
			return err_set(err, ERR_NOT_FOUND, "root=%s: no such device after %d s",
				       device, WAIT_MS / 1000);
		modules_load_for_devices(modules, root_fd);
		if (waited_ms > 0 || !is_block_device(device))
			pause_ms(PAUSE_MS);
	}
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
	char alias[64] = "fs-";
	size_t count = 0;

	if (strlen(type) >= sizeof(alias) - 3)
		return;
	memcpy(alias + 3, type, strlen(type) + 1);
	modules_load_for(modules, alias, &count);
}

bool root_mount(const struct root_options *options, struct modules *modules, const char *where,
		struct err *err)
{
	CLEANUP(freep) char *device = view_copy(options->root);
	CLEANUP(freep) char *flags = view_copy(options->flags);
	CLEANUP(freep) char *type = NULL;

	if (!device || !flags)
		return err_memory(err, "the root's name");
	if (!view_starts(options->root, "/dev/"))
		return err_set(err, ERR_UNSUPPORTED, "root=%s is not below /dev", device);
	pause_ms(options->delay_seconds * 1000);
	if (!wait_for_device(options, modules, device, err) ||
	    !find_type(options, device, &type, err))
		return false;
	load_file_system(modules, type);
	if (mkdir(where, 0755) < 0 && errno != EEXIST)
		return err_os(err, "make folder %s", where);
	if (mount(device, where, type, options->is_writable ? 0 : MS_RDONLY, flags) < 0)
		return err_os(err, "mount root=%s as %s%s%s", device, type,
			      flags[0] ? " with " : "", flags);
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
