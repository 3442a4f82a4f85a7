#include "exit_report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "say.h"

enum { SEND_TIMEOUT_MS = 2000 };

static struct exit_gpu gpu_of(const struct gpu_verdict *verdict)
{
	const struct gpu_symptom *symptom = verdict->symptom;
	struct exit_gpu gpu = { .verdict = gpu_state_name(verdict->state),
				.gpu_count = verdict->gpu_count,
				.unknown_count = verdict->unknown_count };

	if (symptom) {
		gpu.code = symptom->failure;
		gpu.symptom = symptom->sentence;
		gpu.hint = symptom->hint;
		gpu.is_drain = symptom->is_drain;
	}
	return gpu;
}

bool exit_report_print(struct bytes *out, const struct exit_report *report, struct err *err)
{
	const struct exit_record record = { .ending = *report->ending,
					    .had_oom_kill = report->had_oom_kill,
					    .failure = report->failure,
					    .gpu = gpu_of(report->gpu) };
	CLEANUP(json_freep) struct json_t *json = exit_record_json(&record);

	json_put(json, "stages-us", stages_json(report->stages));
	return json_print(out, json, JSON_ONE_LINE, err) && bytes_append(out, "\n", 1, err);
}

static bool is_named(int root_fd, const char *port, const char *name)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(4096);
	char path[300];
	struct err ignored;

	snprintf(path, sizeof(path), "sys/class/virtio-ports/%s/name", port);
	return file_slurp(&text, root_fd, path, &ignored) &&
	       view_equal(view_trim(bytes_view(&text)), name);
}

/* -1 when there is no such port, with errno 0, or when it does not open. */
static int open_port(int root_fd, const char *port_name)
{
	int dir_fd = openat(root_fd, "sys/class/virtio-ports", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
	const struct dirent *entry;
	char path[300];
	int fd = -1;

	int code = 0;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_named(root_fd, entry->d_name, port_name))
			continue;
		snprintf(path, sizeof(path), "dev/%s", entry->d_name);
		fd = openat(root_fd, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		code = fd < 0 ? errno : 0;
	}
	if (dir)
		closedir(dir);
	errno = code;
	return fd;
}

/* Host and guest talk about each port first, so one may appear a moment after its driver. */
int exit_channel_open(int root_fd, const char *port_name)
{
	enum { TRIES = 500 };
	const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };
	int fd = open_port(root_fd, port_name);

	for (unsigned i = 0; fd < 0 && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		fd = open_port(root_fd, port_name);
	}
	if (fd < 0)
		say("report-port %s: %s", port_name,
		    errno ? strerror(errno) : "no virtio-serial port has that name");
	return fd;
}

static bool send_on_port(int fd, struct view line)
{
	while (line.len > 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
		int ready = poll(&poll_fd, 1, SEND_TIMEOUT_MS);

		if (ready == 0)
			errno = ETIMEDOUT;
		if (ready <= 0)
			return false;
		if (!(poll_fd.revents & POLLOUT)) {
			errno = ENOTCONN;
			return false;
		}
		ssize_t written = write(fd, line.ptr, line.len);

		if (written < 0)
			return false;
		line = view_from(line, (size_t)written);
	}
	return true;
}

static bool send_on_vsock(uint32_t port, struct view line)
{
	CLEANUP(fd_closep) int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval timeout = { .tv_sec = SEND_TIMEOUT_MS / 1000 };
	const struct sockaddr_vm host = { .svm_family = AF_VSOCK,
					  .svm_cid = VMADDR_CID_HOST,
					  .svm_port = port };

	if (fd < 0)
		return false;
	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&host, sizeof(host)) < 0)
		return false;
	while (line.len > 0) {
		ssize_t sent = send(fd, line.ptr, line.len, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		line = view_from(line, (size_t)sent);
	}
	return true;
}

void exit_report_send(int port_fd, uint32_t vsock_port, struct view line)
{
	if (port_fd >= 0 && !send_on_port(port_fd, line))
		say("the exit report did not reach its port: %s", strerror(errno));
	if (vsock_port != 0 && !send_on_vsock(vsock_port, line))
		say("the exit report did not reach vsock port %u: %s", vsock_port,
		    strerror(errno));
}
