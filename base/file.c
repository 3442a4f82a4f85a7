#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <time.h>

#include "clock.h"
#include "map_guard.h"

bool file_open(int *out, int dir_fd, const char *path, int flags, struct err *err)
{
	int fd = openat(dir_fd, path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_os_path(err, "open %s", path);
	*out = fd;
	return true;
}

bool file_write(int fd, const void *data, size_t len, const char *name, struct err *err)
{
	const char *rest = data;

	while (len > 0) {
		ssize_t written = write(fd, rest, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_os(err, "write %s", name);
		rest += written;
		len -= (size_t)written;
	}
	return true;
}

bool file_pwritev(int fd, struct iovec *parts, size_t part_count, uint64_t offset,
		  const char *name, struct err *err)
{
	while (part_count > 0) {
		int count = part_count > IOV_MAX ? IOV_MAX : (int)part_count;
		ssize_t written = pwritev(fd, parts, count, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_os(err, "write %s", name);
		offset += (uint64_t)written;
		for (; part_count > 0 && (size_t)written >= parts->iov_len; part_count--)
			written -= (ssize_t)parts++->iov_len;
		if (part_count > 0) {
			parts->iov_base = (char *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return true;
}

bool file_pwrite(int fd, const void *data, size_t len, uint64_t offset, const char *name,
		 struct err *err)
{
	struct iovec part = { .iov_len = len };

	memcpy(&part.iov_base, &data, sizeof(data)); /* pwritev only reads it */
	return len == 0 || file_pwritev(fd, &part, 1, offset, name, err);
}

void file_reserve(int fd, uint64_t offset, uint64_t len)
{
	struct statfs host;

	if (fstatfs(fd, &host) < 0 || host.f_type == TMPFS_MAGIC)
		return;
	fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len);
}

bool file_pread(int fd, void *data, size_t len, uint64_t offset, const char *name, struct err *err)
{
	char *rest = data;

	while (len > 0) {
		ssize_t got = pread(fd, rest, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_os(err, "read %s", name);
		if (got == 0)
			return err_set(err, ERR_IO, "read %s: it ends %zu bytes too early", name,
				       len);
		rest += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

bool file_read_some(int fd, void *data, size_t capacity, size_t *len, const char *name,
		    struct err *err)
{
	ssize_t got;

	do
		got = read(fd, data, capacity);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_os(err, "read %s", name);
	*len = (size_t)got;
	return true;
}

bool file_read_rest(struct bytes *out, int fd, const char *name, struct err *err)
{
	char chunk[16 << 10];
	size_t len = 0;

	do {
		if (!file_read_some(fd, chunk, sizeof(chunk), &len, name, err))
			return false;
		if (!bytes_append(out, chunk, len, err))
			return err_wrap(err, "%s", name);
	} while (len > 0);
	return true;
}

bool file_slurp(struct bytes *out, int dir_fd, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;

	return file_open(&fd, dir_fd, path, O_RDONLY, err) && file_read_rest(out, fd, path, err);
}

bool file_make_dirs(int dir_fd, const char *path, mode_t mode, struct err *err)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return err_set(err, ERR_USAGE, "a path of %zu bytes", len);
	for (size_t end = 1; end <= len; end++) {
		if (end < len && path[end] != '/')
			continue;
		memcpy(part, path, end);
		part[end] = '\0';
		if (mkdirat(dir_fd, part, mode) < 0 && errno != EEXIST)
			return err_os(err, "make folder %s", part);
	}
	return true;
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

MUST_CHECK static bool remove_inside(int dir_fd, const char *path, struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	CLEANUP(fd_closep) int fd = openat(dir_fd, path, flags);

	if (fd < 0)
		return err_os(err, "open folder %s", path);
	CLEANUP(dir_closep) DIR *dir = fdopendir(fd);

	if (!dir)
		return err_os(err, "list %s", path);
	int inner_fd = fd_take(&fd);

	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!file_remove_tree(inner_fd, entry->d_name, err))
			return err_wrap(err, "%s", path);
	}
	return true;
}

bool file_remove_tree(int dir_fd, const char *path, struct err *err)
{
	if (unlinkat(dir_fd, path, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return err_os(err, "remove %s", path);
	if (!remove_inside(dir_fd, path, err))
		return false;
	if (unlinkat(dir_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_os(err, "remove %s", path);
	return true;
}

/* The folder of a path, opened; *last points at its last component, inside path. */
MUST_CHECK static bool open_parent(int *out, int dir_fd, const char *path, const char **last,
				   struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *parent = NULL;

	*last = slash ? slash + 1 : path;
	if (!slash)
		return file_open(out, dir_fd, ".", O_RDONLY | O_DIRECTORY, err);
	parent = view_copy((struct view){ path, slash == path ? 1 : (size_t)(slash - path) });
	if (!parent)
		return err_memory(err, path);
	return file_open(out, dir_fd, parent, O_RDONLY | O_DIRECTORY, err);
}

bool file_sync_parent(int dir_fd, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	const char *last = NULL;

	if (!open_parent(&fd, dir_fd, path, &last, err))
		return false;
	if (fsync(fd) < 0)
		return err_os(err, "sync the folder of %s", path);
	return true;
}

bool file_map_open(struct file_map *out, int dir_fd, const char *path, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	struct stat stat;

	if (!file_open(&fd, dir_fd, path, O_RDONLY, err))
		return false;
	if (fstat(fd, &stat) < 0)
		return err_os(err, "stat %s", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, ERR_FORMAT, "%s is not a regular file", path);
	struct file_map map = { .len = (size_t)stat.st_size };

	if (map.len > 0) {
		void *data = mmap(NULL, map.len, PROT_READ, MAP_PRIVATE, fd, 0);

		if (data == MAP_FAILED)
			return err_os(err, "map %s", path);
		if (!map_guard_add(data, map.len, fd, err)) {
			munmap(data, map.len);
			return false;
		}
		map.data = data;
	}
	*out = map;
	return true;
}

void file_map_closep(struct file_map *map)
{
	void *data = NULL;

	memcpy(&data, &map->data, sizeof(data));
	if (data) {
		map_guard_remove(data);
		munmap(data, map->len);
	}
	*map = (struct file_map){ 0 };
}

bool file_is_named(int fd, int dir_fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
	       fstatat(dir_fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

void file_touch(int dir_fd, const char *path)
{
	if (path[0] == '\0')
		futimens(dir_fd, NULL);
	else
		utimensat(dir_fd, path, NULL, AT_SYMLINK_NOFOLLOW);
}

bool file_is_open_elsewhere(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

/* Writable until it is whole: a killed process's is opened again. */
MUST_CHECK static bool open_named(struct new_file *file, struct err *err)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	char temp[sizeof(file->name) + 16];

	snprintf(temp, sizeof(temp), ".%s.vmbake", file->name);
	do {
		fd_closep(&file->fd);
		file->fd = openat(file->dir_fd, temp, flags, file->mode | S_IWUSR);
		if (file->fd < 0)
			return err_os(err, "create %s", file->name);
		if (flock(file->fd, LOCK_EX | LOCK_NB) < 0)
			return err_set(err, ERR_BUSY, "%s is being written by another process",
				       file->name);
	} while (!file_is_named(file->fd, file->dir_fd, temp));
	file->is_named = true;
	if (ftruncate(file->fd, 0) < 0)
		return err_os(err, "reset %s", temp);
	return true;
}

bool new_file_open(struct new_file *out, int dir_fd, const char *path, mode_t mode, struct err *err)
{
	CLEANUP(new_file_discardp) struct new_file file = { .fd = -1, .dir_fd = -1, .mode = mode };
	const char *last = NULL;
	struct stat stat;

	if (!open_parent(&file.dir_fd, dir_fd, path, &last, err))
		return err_wrap(err, "create %s", path);
	if (last[0] == '\0' || strlen(last) + 16 > sizeof(file.name))
		return err_set(err, ERR_USAGE, "%s is no file name", path);
	memcpy(file.name, last, strlen(last) + 1);
	if (fstatat(file.dir_fd, last, &stat, 0) == 0 && S_ISDIR(stat.st_mode))
		return err_set(err, ERR_USAGE, "%s is a folder", path);
	file.fd = openat(file.dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (file.fd < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return err_os(err, "create %s", path);
	if (file.fd < 0 && !open_named(&file, err))
		return false;
	*out = file;
	file = NEW_FILE_NONE;
	return true;
}

/* linkat cannot replace, so the file first gets the temporary name, then rename replaces. Whoever
 * clears away what killed processes left sees by the lock that this one lives. */
MUST_CHECK static bool give_name(struct new_file *file, struct err *err)
{
	char temp[sizeof(file->name) + 16], self[32];

	snprintf(temp, sizeof(temp), ".%s.vmbake", file->name);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	if (!file->is_named) {
		flock(file->fd, LOCK_EX | LOCK_NB);
		unlinkat(file->dir_fd, temp, 0); /* left by a process that was killed right here */
		if (linkat(AT_FDCWD, self, file->dir_fd, temp, AT_SYMLINK_FOLLOW) < 0)
			return err_os(err, "name %s", file->name);
		file->is_named = true;
	}
	if (renameat(file->dir_fd, temp, file->dir_fd, file->name) < 0)
		return err_os(err, "name %s", file->name);
	file->is_named = false;
	return true;
}

bool new_file_commit(struct new_file *file, struct err *err)
{
	if (!map_guard_check(err))
		return err_wrap(err, "%s is not kept", file->name);
	if (file->is_named && fchmod(file->fd, file->mode) < 0)
		return err_os(err, "set the mode of %s", file->name);
	if (fsync(file->fd) < 0)
		return err_os(err, "sync %s", file->name);
	if (!give_name(file, err))
		return false;
	int fd = fd_take(&file->fd);

	if (close(fd) < 0)
		return err_os(err, "close %s", file->name);
	if (fsync(file->dir_fd) < 0)
		return err_os(err, "sync the folder of %s", file->name);
	fd_closep(&file->dir_fd);
	return true;
}

void new_file_discardp(struct new_file *file)
{
	char temp[sizeof(file->name) + 16];

	if (file->is_named) {
		snprintf(temp, sizeof(temp), ".%s.vmbake", file->name);
		unlinkat(file->dir_fd, temp, 0);
	}
	fd_closep(&file->fd);
	fd_closep(&file->dir_fd);
	*file = NEW_FILE_NONE;
}

bool file_write_whole(int dir_fd, const char *path, mode_t mode, struct view content,
		      struct err *err)
{
	CLEANUP(new_file_discardp) struct new_file file = NEW_FILE_NONE;

	return new_file_open(&file, dir_fd, path, mode, err) &&
	       file_write(file.fd, content.ptr, content.len, path, err) &&
	       new_file_commit(&file, err);
}

MUST_CHECK static bool wait_for_lock(int fd, const char *path, int64_t timeout_ms,
				     int64_t deadline_ms, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	while (flock(fd, LOCK_EX | (timeout_ms >= 0 ? LOCK_NB : 0)) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_os(err, "lock %s", path);
		if (timeout_ms >= 0 && clock_now_ms() >= deadline_ms)
			return err_set(err, ERR_BUSY, "%s is locked by another process", path);
		nanosleep(&pause, NULL);
	}
	return true;
}

bool file_lock(int *out, int dir_fd, const char *path, int64_t timeout_ms, struct err *err)
{
	CLEANUP(fd_closep) int fd = -1;
	int64_t deadline_ms = clock_now_ms() + timeout_ms;

	do {
		fd_closep(&fd);
		if (!file_open(&fd, dir_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW, err) ||
		    !wait_for_lock(fd, path, timeout_ms, deadline_ms, err))
			return false;
	} while (!file_is_named(fd, dir_fd, path));
	*out = fd_take(&fd);
	return true;
}
