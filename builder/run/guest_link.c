#include "guest_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

void guest_link_closep(struct guest_link *link)
{
	fd_closep(&link->listen_fd);
	fd_closep(&link->report_fd);
	fd_closep(&link->api_fd);
	bytes_freep(&link->heard);
}

MUST_CHECK static bool make_address(struct sockaddr_un *out, const char *path, const char *suffix,
				    struct err *err)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int len = snprintf(out->sun_path, sizeof(out->sun_path), "%s%s", path, suffix);

	return (len > 0 && (size_t)len < sizeof(out->sun_path)) ||
	       err_set(err, ERR_UNSUPPORTED, "%s%s is longer than the %zu bytes of a socket's path",
		       path, suffix, sizeof(out->sun_path) - 1);
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int connect_to(const char *path)
{
	CLEANUP(fd_closep) int fd = new_socket();
	struct sockaddr_un address;
	struct err ignored;

	if (fd < 0 || !make_address(&address, path, "", &ignored) ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return fd_take(&fd);
}

/* The VMM connects to PATH_PORT when its guest connects to that port of the host. */
MUST_CHECK static bool listen_for_report(struct guest_link *link, const char *path,
					 struct err *err)
{
	struct sockaddr_un address;
	char suffix[16];

	snprintf(suffix, sizeof(suffix), "_%d", REPORT_VSOCK_PORT);
	link->listen_fd = new_socket();
	if (link->listen_fd < 0)
		return err_os(err, "make a socket");
	if (!make_address(&address, path, suffix, err))
		return false;
	unlink(address.sun_path);
	return (bind(link->listen_fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(link->listen_fd, 1) == 0) ||
	       err_os(err, "listen on %s", address.sun_path);
}

bool guest_link_open(struct guest_link *out, const struct machine *machine, struct err *err)
{
	struct sockaddr_un address;

	out->machine = machine;
	if (!machine->report_socket) {
		out->is_over = true;
		return true;
	}
	if (machine->vmm != VMM_QEMU)
		return listen_for_report(out, machine->report_socket, err);
	return make_address(&address, machine->report_socket, "", err);
}

int guest_link_fd(const struct guest_link *link)
{
	if (link->is_over)
		return -1;
	return link->report_fd >= 0 ? link->report_fd : link->listen_fd;
}

bool guest_link_is_coming(const struct guest_link *link)
{
	return !link->is_over && link->report_fd < 0 && link->listen_fd < 0;
}

const char *guest_link_stop_text(enum vmm vmm)
{
	static const char *const texts[VMM_COUNT] = {
		[VMM_QEMU] = "stop\n",
		[VMM_CLOUD_HYPERVISOR] = "PUT /api/v1/vm.power-button HTTP/1.1\r\n"
					 "Host: localhost\r\nAccept: */*\r\n\r\n",
		[VMM_FIRECRACKER] = "PUT /actions HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
				    "Content-Type: application/json\r\nContent-Length: 32\r\n\r\n"
				    "{\"action_type\":\"SendCtrlAltDel\"}",
	};

	return texts[vmm];
}

/* Short enough for every socket's buffer. */
static void send_stop(int fd, enum vmm vmm)
{
	const char *text = guest_link_stop_text(vmm);

	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

void guest_link_stop(struct guest_link *link)
{
	const struct machine *machine = link->machine;

	if (machine->vmm == VMM_QEMU) {
		link->is_stop_wanted = link->report_fd < 0;
		if (link->report_fd >= 0)
			send_stop(link->report_fd, machine->vmm);
		return;
	}
	fd_closep(&link->api_fd);
	if (machine->api_socket)
		link->api_fd = connect_to(machine->api_socket);
	if (link->api_fd >= 0)
		send_stop(link->api_fd, machine->vmm);
}

static void connect_or_accept(struct guest_link *link)
{
	if (link->listen_fd >= 0)
		link->report_fd = accept4(link->listen_fd, NULL, NULL,
					  SOCK_CLOEXEC | SOCK_NONBLOCK);
	else
		link->report_fd = connect_to(link->machine->report_socket);
	if (link->report_fd >= 0 && link->is_stop_wanted)
		guest_link_stop(link);
}

/* A guest that says more than a report is not listened to any more. */
static void read_report(struct guest_link *link)
{
	char chunk[4096];
	struct err ignored;
	ssize_t len;

	while ((len = recv(link->report_fd, chunk, sizeof(chunk), 0)) > 0)
		if (!bytes_append(&link->heard, chunk, (size_t)len, &ignored))
			break;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	link->is_over = true;
	fd_closep(&link->report_fd);
}

void guest_link_work(struct guest_link *link)
{
	if (link->is_over)
		return;
	if (link->report_fd < 0)
		connect_or_accept(link);
	if (link->report_fd >= 0)
		read_report(link);
}

bool guest_link_report(const struct guest_link *link, struct exit_record *out, struct view *line)
{
	struct view rest = bytes_view(&link->heard);
	struct err ignored;

	while (rest.len > 0) {
		struct view one = view_cut(&rest, '\n');

		if (!rest.ptr || !exit_record_parse(out, one, &ignored))
			continue;
		*line = one;
		return true;
	}
	return false;
}
