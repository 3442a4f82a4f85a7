#include "kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"

int kernel_log_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

struct view kernel_log_message(struct view record)
{
	struct view line = view_cut(&record, '\n');

	view_cut(&line, ';');
	return line;
}

void kernel_log_read(int fd, struct bytes *out)
{
	char record[8192]; /* the kernel's own limit of a record */
	struct err ignored; /* past the cap: what came first tells the most */
	ssize_t len;

	if (fd < 0)
		return;
	while ((len = read(fd, record, sizeof(record))) > 0 || (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue; /* EPIPE: the ring overran us; read on */
		struct view message = kernel_log_message((struct view){ record, (size_t)len });

		if (!bytes_append(out, message.ptr, message.len, &ignored) ||
		    !bytes_append(out, "\n", 1, &ignored))
			return;
	}
}
