#include "mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "say.h"

enum {
	SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC,
};

enum importance { MUST, SHOULD };

static const struct row {
	const char *target, *type, *options;
	unsigned long flags;
	enum mount_step step;
	enum importance importance;
	bool only_if_empty;
} rows[] = {
	/* Our own eyes: modules, devices, the kernel command line. */
	{ "/proc", "proc", NULL, SAFE, MOUNT_FIRST, MUST, false },
	{ "/sys", "sysfs", NULL, SAFE, MOUNT_FIRST, SHOULD, false },
	/* The kernel keeps it: device nodes appear as drivers find devices. */
	{ "/dev", "devtmpfs", "mode=0755", MS_NOSUID, MOUNT_FIRST, SHOULD, false },
	/* Terminals (docker exec -t, sshd, tmux); gid 5 is tty everywhere. */
	{ "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	  MS_NOSUID | MS_NOEXEC, MOUNT_REST, SHOULD, false },
	/* shm_open. NCCL and PyTorch put gigabytes here; docker's 64 MB is their most common
	 * failure. A limit, not a reservation. */
	{ "/dev/shm", "tmpfs", "mode=1777,size=50%", SAFE, MOUNT_REST, SHOULD, false },
	{ "/dev/mqueue", "mqueue", NULL, SAFE, MOUNT_REST, SHOULD, false },
	/* Out of the disk's way and empty at every boot. Where the image put something there
	 * (mkdir /run/mysqld), it stays visible, as under docker. */
	{ "/run", "tmpfs", "mode=0755,size=20%", MS_NOSUID | MS_NODEV, MOUNT_REST, SHOULD,
	  true },
	{ "/tmp", "tmpfs", "mode=1777,size=50%", MS_NOSUID | MS_NODEV, MOUNT_REST, SHOULD,
	  true },
	/* Memory accounting: who was killed for using too much. */
	{ "/sys/fs/cgroup", "cgroup2", "nsdelegate", SAFE, MOUNT_REST, SHOULD, false },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* A mount point is another device than its parent. */
static bool is_mounted(const char *target)
{
	char parent[64];
	struct stat here, above;
	size_t len = (size_t)(strrchr(target, '/') - target);

	if (len >= sizeof(parent))
		return false;
	memcpy(parent, target, len);
	parent[len] = '\0';
	return lstat(target, &here) == 0 && stat(len > 0 ? parent : "/", &above) == 0 &&
	       S_ISDIR(here.st_mode) && here.st_dev != above.st_dev;
}

static bool is_empty(const char *target)
{
	DIR *dir = opendir(target);
	const struct dirent *entry;
	bool is_empty = true;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			is_empty = false;
	if (dir)
		closedir(dir);
	return is_empty;
}

MUST_CHECK static bool make_one(const struct row *row, struct err *err)
{
	if (is_mounted(row->target))
		return true;
	if (mkdir(row->target, 0755) < 0 && errno != EEXIST)
		return err_os(err, "make folder %s", row->target);
	if (row->only_if_empty && !is_empty(row->target))
		return true;
	if (mount(row->type, row->target, row->type, row->flags, row->options) < 0)
		return err_os(err, "mount %s on %s", row->type, row->target);
	return true;
}

bool mounts_make(enum mount_step step, struct err *err)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct err why = { 0 };

		if (rows[i].step != step || make_one(&rows[i], &why))
			continue;
		if (rows[i].importance == MUST) {
			*err = why;
			return false;
		}
		say("%s", why.msg);
	}
	return true;
}

void mounts_link_dev(void)
{
	static const struct {
		const char *target, *path;
	} links[] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].target, links[i].path) < 0 && errno != EEXIST)
			say("link %s: %s", links[i].path, strerror(errno));
	/* devtmpfs has a ptmx of its own, which opens the instance at /dev/pts. */
	if (access("/dev/ptmx", F_OK) < 0 && symlink("pts/ptmx", "/dev/ptmx") < 0)
		say("link /dev/ptmx: %s", strerror(errno));
}

void mounts_open_console(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/console", O_RDWR) < 0)
			(void)!open("/dev/null", O_RDWR);
}

bool mounts_resize_shm(const char *size, struct err *err)
{
	char options[64];

	snprintf(options, sizeof(options), "mode=1777,size=%s", size);
	if (mount(NULL, "/dev/shm", NULL, MS_REMOUNT | SAFE, options) < 0)
		return err_os(err, "shm-size %.30s", size);
	return true;
}
