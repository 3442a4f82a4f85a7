#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/map_guard.h"

#include <linux/fs.h>

enum { HEAD_BYTES = 1 << 20 }; /* where partition tables, file systems and volume managers begin */

/* Anything counts, known or not: what it is, its owner knows better. */
MUST_CHECK static bool is_empty(int fd, const char *path, bool *out, struct err *err)
{
	CLEANUP(freep) char *head = calloc(1, HEAD_BYTES);
	size_t len = 0, done = 0;

	if (!head)
		return err_memory(err, path);
	do {
		if (!file_read_some(fd, head + done, HEAD_BYTES - done, &len, path, err))
			return false;
		done += len;
	} while (len > 0 && done < HEAD_BYTES);
	*out = done == 0 || (head[0] == 0 && memcmp(head, head + 1, done - 1) == 0);
	return true;
}

MUST_CHECK static bool open_device(struct output *out, int dir_fd, const char *path,
				   bool is_forced, struct err *err)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, path, O_RDWR | O_EXCL | O_CLOEXEC);
	bool is_free = true;

	if (fd < 0 && errno == EBUSY)
		return err_set(err, ERR_BUSY, "%s is mounted or otherwise in use", path);
	if (fd < 0)
		return err_os_path(err, "open %s", path);
	if (!is_forced && !is_empty(fd, path, &is_free, err))
		return false;
	if (!is_free)
		return err_set(err, ERR_USAGE, "%s is not empty (--force overwrites it)", path);
	*out = (struct output){ .file = NEW_FILE_NONE, .is_device = true };
	out->fd = fd_take(&fd);
	return true;
}

bool output_open(struct output *out, int dir_fd, const char *path, mode_t mode, bool is_forced,
		 struct err *err)
{
	struct stat stat;
	struct output output = OUTPUT_NONE;

	if (fstatat(dir_fd, path, &stat, 0) == 0 && S_ISBLK(stat.st_mode))
		return open_device(out, dir_fd, path, is_forced, err);
	if (!new_file_open(&output.file, dir_fd, path, mode, err))
		return false;
	output.fd = output.file.fd;
	*out = output;
	return true;
}

void output_touch(struct output *output)
{
	output->is_touched = true;
}

bool output_commit(struct output *output, struct err *err)
{
	if (!output->is_device) {
		output->fd = -1;
		return new_file_commit(&output->file, err);
	}
	if (!map_guard_check(err))
		return err_wrap(err, "the device");
	if (fsync(output->fd) < 0)
		return err_os(err, "write to the device");
	output->is_touched = false;
	fd_closep(&output->fd);
	return true;
}

void output_discardp(struct output *output)
{
	uint64_t range[2] = { 0, HEAD_BYTES };

	new_file_discardp(&output->file);
	if (!output->is_device)
		return;
	/* Nothing else can be done about a device that cannot be zeroed; the error is told. */
	if (output->is_touched && ioctl(output->fd, BLKZEROOUT, range) == 0)
		fsync(output->fd);
	fd_closep(&output->fd);
}
