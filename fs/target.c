#include "target.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

MUST_CHECK static bool clear_device(int fd, uint64_t size_bytes, struct err *err)
{
	uint64_t range[2] = { 0, size_bytes }, device_bytes = 0;

	if (ioctl(fd, BLKGETSIZE64, &device_bytes) < 0)
		return err_os(err, "the device's size");
	if (device_bytes < size_bytes)
		return err_set(err, ERR_SPACE,
			       "a device of %llu bytes is too small: the image has %llu bytes",
			       (unsigned long long)device_bytes, (unsigned long long)size_bytes);
	/* Unmaps where that reads back as zeros, else writes them. */
	return ioctl(fd, BLKZEROOUT, range) == 0 || err_os(err, "zero the device");
}

bool target_clear(int fd, uint64_t size_bytes, struct err *err)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return err_os(err, "the image's place");
	if (S_ISBLK(stat.st_mode))
		return clear_device(fd, size_bytes, err);
	return (ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)size_bytes) == 0) ||
	       err_os(err, "the image's size");
}
