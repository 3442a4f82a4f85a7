/* For LD_PRELOAD: cuts the file $CUT_FILE to $CUT_BYTES the moment a part of it was mapped, as
 * somebody else might. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *mmap64(void *start, size_t len, int protection, int flags, int fd, off_t offset);

void *mmap64(void *start, size_t len, int protection, int flags, int fd, off_t offset)
{
	void *(*map)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap64");
	void *result = map(start, len, protection, flags, fd, offset);
	const char *path = getenv("CUT_FILE"), *bytes = getenv("CUT_BYTES");
	struct stat mapped, meant;

	if (path && bytes && fd >= 0 && fstat(fd, &mapped) == 0 && stat(path, &meant) == 0 &&
	    mapped.st_ino == meant.st_ino && mapped.st_dev == meant.st_dev &&
	    truncate(path, atol(bytes)) != 0)
		abort();
	return result;
}
