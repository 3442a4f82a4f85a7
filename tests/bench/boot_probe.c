/* The entrypoint of the boot bench: the first thing it does is to look at the clock. Prints the
 * microseconds since the kernel said "Run /init as init process", and switches the machine off. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec now;
	char record[8192];
	long long started_us = -1;
	ssize_t len;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	while ((len = read(fd, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		const char *time = strchr(record, ',');

		time = time ? strchr(time + 1, ',') : NULL;
		if (time && strstr(record, ";Run /") && started_us < 0)
			started_us = strtoll(time + 1, NULL, 10);
	}
	printf("init-to-entrypoint-us=%lld\n",
	       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000 - started_us);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF); /* the reference's root has nobody else to do it */
	return 1;
}
