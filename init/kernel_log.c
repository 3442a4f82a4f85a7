#include "kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

int kernel_log_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

MUST_CHECK static bool add_view(struct bytes *out, struct view view, struct err *err)
{
	return bytes_append(out, view.ptr, view.len, err);
}

bool kernel_log_add(struct bytes *out, struct view record, struct err *err)
{
	static const char line_end[] = "\\x0a", prefix[] = "NVRM:";
	struct view message = view_cut(&record, '\n');

	view_cut(&message, ';');
	while (message.len > 0) {
		const char *end =
			memmem(message.ptr, message.len, line_end, sizeof(line_end) - 1);
		size_t len = end ? (size_t)(end - message.ptr) : message.len;

		if (!add_view(out, (struct view){ message.ptr, len }, err))
			return false;
		message = view_from(message, end ? len + sizeof(line_end) - 1 : len);
		if (view_starts(message, prefix))
			message = view_from(message, sizeof(prefix) - 1);
	}
	return bytes_append(out, "\n", 1, err);
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
		if (!kernel_log_add(out, (struct view){ record, (size_t)len }, &ignored))
			return;
	}
}
