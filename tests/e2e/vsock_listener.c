/* An entrypoint that leaves a listener on a vsock port behind and exits with 7. The listener prints
 * what it is told after that: init's report. Without a device for vsock the kernel takes the
 * machine for its own host, so that CID 2, where the report goes, is here (vsock_loopback). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

int main(int argc, char **argv)
{
	const struct sockaddr_vm address = { .svm_family = AF_VSOCK,
					     .svm_cid = VMADDR_CID_ANY,
					     .svm_port = argc > 1 ? (unsigned)atoi(argv[1]) : 0 };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	char line[4096];
	size_t len = 0;
	ssize_t got;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0) {
		perror("vsock");
		return 1;
	}
	if (fork() != 0)
		return 7;
	setsid();
	fd = accept(fd, NULL, NULL);
	while (len < sizeof(line) && (got = read(fd, line + len, sizeof(line) - len)) > 0)
		len += (size_t)got;
	printf("heard %.*s", (int)len, line);
	fflush(stdout);
	return 0;
}
