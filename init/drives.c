#include "drives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "block.h"
#include "disk.h"
#include "mount_options.h"

enum { WAIT_MS = 10 * 1000, PAUSE_MS = 5 };

MUST_CHECK static bool wait_for_drive(int root_fd, const char *source, char device[64],
				      struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };

	for (unsigned waited_ms = 0; !block_find(root_fd, view_of(source), device);
	     waited_ms += PAUSE_MS) {
		if (waited_ms >= WAIT_MS)
			return err_set(err, ERR_NOT_FOUND, "no drive %.100s after %d s", source,
				       WAIT_MS / 1000);
		nanosleep(&pause, NULL);
	}
	return true;
}

MUST_CHECK static bool mount_one(const struct setting_mount *wanted, int root_fd, struct err *err)
{
	unsigned long flags = wanted->is_read_only ? MS_RDONLY : 0;
	CLEANUP(freep) char *options = view_copy(view_of(wanted->options));
	struct disk_facts facts = { .type = wanted->type };
	char device[64] = "tmpfs";

	if (!options)
		return err_memory(err, "mount options");
	mount_options_take(options, &flags);
	if (strcmp(wanted->source, "tmpfs") == 0)
		facts.type = "tmpfs";
	else if (!wait_for_drive(root_fd, wanted->source, device, err))
		return false;
	if (!facts.type && !disk_probe(&facts, device, err))
		return false;
	if (!facts.type)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s holds no file system that is known here (ext4, xfs, erofs)",
			       device);
	if (mount(device, wanted->target, facts.type, flags, options) < 0)
		return err_os(err, "mount %s as %s%s%s", device, facts.type,
			      wanted->options[0] ? " with " : "", wanted->options);
	return true;
}

bool drives_mount(const struct settings *settings, int root_fd, struct err *err)
{
	for (size_t i = 0; i < settings->mount_count; i++) {
		const struct setting_mount *wanted = &settings->mounts[i];

		if (!file_make_dirs(AT_FDCWD, wanted->target, 0755, err) ||
		    !mount_one(wanted, root_fd, err))
			return err_wrap(err, "%s", wanted->target);
	}
	return true;
}

/* Where the overlay is put together: a folder that every baked image has, and that gets a fresh
 * mount afterwards anyway. */
#define WORKSHOP "/run"

MUST_CHECK static bool make_folder(const char *path, struct err *err)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST || err_os(err, "make folder %s", path);
}

MUST_CHECK static bool mount_workshop(const char *overlay, int root_fd, int *drive_fd,
				      struct err *err)
{
	const struct setting_mount drive = { .source = overlay,
					     .target = WORKSHOP,
					     .options = "" };

	if (strcmp(overlay, "tmpfs") == 0) {
		*drive_fd = -1;
		return mount("tmpfs", WORKSHOP, "tmpfs", 0, "mode=0755") == 0 ||
		       err_os(err, "mount tmpfs on " WORKSHOP);
	}
	return mount_one(&drive, root_fd, err) &&
	       file_open(drive_fd, AT_FDCWD, WORKSHOP, O_RDONLY | O_DIRECTORY, err);
}

MUST_CHECK static bool enter_overlay(struct err *err)
{
	static const char *const moved[] = { "/proc", "/sys", "/dev" };

	if (chdir(WORKSHOP "/root") < 0)
		return err_os(err, "enter the overlay");
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		if (mount(moved[i], moved[i] + 1, NULL, MS_MOVE, NULL) < 0 && errno != EINVAL)
			return err_os(err, "move %s", moved[i]); /* EINVAL: it is no mount */
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_os(err, "make the overlay the root");
	return true;
}

bool drives_overlay(const char *overlay, int root_fd, int *drive_fd, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;

	if (!mount_workshop(overlay, root_fd, &fd, err) ||
	    !make_folder(WORKSHOP "/upper", err) || !make_folder(WORKSHOP "/work", err) ||
	    !make_folder(WORKSHOP "/root", err))
		return err_wrap(err, "overlay=%.100s", overlay);
	if (mount("overlay", WORKSHOP "/root", "overlay", 0,
		  "lowerdir=/,upperdir=" WORKSHOP "/upper,workdir=" WORKSHOP "/work") < 0) {
		if (errno == ENODEV)
			return err_set(err, ERR_UNSUPPORTED,
				       "overlay=%.100s: this kernel has no overlay", overlay);
		return err_os(err, "overlay=%.100s: mount overlay", overlay);
	}
	if (!enter_overlay(err))
		return err_wrap(err, "overlay=%.100s", overlay);
	*drive_fd = fd_take(&fd);
	return true;
}

/* The size of the device under the root, in bytes; 0 when it has none. */
static uint64_t root_device_bytes(int root_fd)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(64);
	struct stat status;
	char path[64];
	uint64_t sectors = 0;
	struct err ignored;

	if (stat("/", &status) < 0)
		return 0;
	snprintf(path, sizeof(path), "sys/dev/block/%u:%u/size", major(status.st_dev),
		 minor(status.st_dev));
	if (!file_slurp(&text, root_fd, path, &ignored) ||
	    !view_number(view_trim(bytes_view(&text)), 10, UINT64_MAX / 512, &sectors))
		return 0;
	return sectors * 512;
}

/* Source: fs/ext4/ext4.h */
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

bool drives_grow_root(int root_fd, struct err *err)
{
	uint64_t device_bytes = root_device_bytes(root_fd);
	CLEANUP(fd_closep) int fd = -1;
	struct statfs status;

	if (!file_open(&fd, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, err))
		return false;
	if (fstatfs(fd, &status) < 0)
		return err_os(err, "look at the root");
	if (status.f_type != EXT4_SUPER_MAGIC || (status.f_flags & ST_RDONLY) ||
	    device_bytes == 0)
		return err_set(err, ERR_UNSUPPORTED, "grow: the root is no writable ext4");
	uint64_t block_count = device_bytes / (uint64_t)status.f_bsize;

	if (ioctl(fd, EXT4_IOC_RESIZE_FS, &block_count) < 0)
		return err_os(err, "grow the root to %llu blocks",
			      (unsigned long long)block_count);
	return true;
}
