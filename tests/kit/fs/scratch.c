#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int scratch_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) {
		perror("a scratch file");
		abort();
	}
	return fd;
}

void scratch_path(int fd, char out[SCRATCH_PATH_BYTES])
{
	snprintf(out, SCRATCH_PATH_BYTES, "/proc/%d/fd/%d", (int)getpid(), fd);
}

bool scratch_is_sound(int fd)
{
	char path[SCRATCH_PATH_BYTES], command[256], line[512];
	bool asks = false;

	scratch_path(fd, path);
	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin:/sbin e2fsck -fn %s 2>&1", path);
	FILE *pipe = popen(command, "re");

	if (!pipe)
		return false;
	while (fgets(line, sizeof(line), pipe)) {
		/* With -n it may ask and go on, and still end in 0. */
		asks = asks || strstr(line, "Fix?") || strstr(line, "WARNING");
		fprintf(stderr, "%s", line);
	}
	return pclose(pipe) == 0 && !asks;
}
