#include "network.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { MESSAGE_BYTES_MAX = 1024 };

/* Ask the kernel, and wait for its answer: an error number, 0 for done. */
MUST_CHECK static bool ask(int fd, const struct bytes *message, struct err *err)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr body;
		char rest[MESSAGE_BYTES_MAX];
	} answer;

	if (send(fd, message->data, message->len, 0) < 0)
		return err_os(err, "ask the kernel");
	ssize_t len = recv(fd, &answer, sizeof(answer), 0);

	if (len < (ssize_t)(sizeof(answer.header) + sizeof(answer.body.error)) ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		return err_set(err, ERR_IO, "the kernel gives no answer");
	errno = -answer.body.error;
	return answer.body.error == 0 || err_os(err, "the kernel refuses");
}

/* One line of sys/class/net/NAME/FILE. */
static bool read_line(int root_fd, const char *name, const char *file, char *out, size_t out_bytes)
{
	char path[300];

	snprintf(path, sizeof(path), "sys/class/net/%s/%s", name, file);
	CLEANUP(fd_closep) int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, out, out_bytes - 1) : -1;

	if (len < 0)
		return false;
	out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static unsigned read_index(int root_fd, const char *name)
{
	char text[32];
	uint64_t index = 0;

	if (!read_line(root_fd, name, "ifindex", text, sizeof(text)) ||
	    !view_number(view_of(text), 10, INT32_MAX, &index))
		return 0;
	return (unsigned)index;
}

/* Is it the one that is wanted? Without a name or a mac: any Ethernet. */
static bool is_wanted(int root_fd, const char *name, const struct setting_interface *wanted)
{
	char text[64];

	if (wanted->name)
		return strcmp(name, wanted->name) == 0;
	if (wanted->mac)
		return read_line(root_fd, name, "address", text, sizeof(text)) &&
		       strcasecmp(text, wanted->mac) == 0;
	return read_line(root_fd, name, "type", text, sizeof(text)) && strcmp(text, "1") == 0;
}

/* The wanted interface with the lowest index; 0 when there is none. */
static unsigned find_interface(int root_fd, const struct setting_interface *wanted)
{
	int dir_fd = openat(root_fd, "sys/class/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
	const struct dirent *entry;
	unsigned best = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_wanted(root_fd, entry->d_name, wanted))
			continue;
		unsigned index = read_index(root_fd, entry->d_name);

		if (index != 0 && (best == 0 || index < best))
			best = index;
	}
	if (dir)
		closedir(dir);
	return best;
}

MUST_CHECK static bool add_address(int fd, unsigned index, const char *text, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes message = bytes_capped(MESSAGE_BYTES_MAX);
	struct network_address address;

	return network_address_parse(&address, text, err) &&
	       network_message_address(&message, index, &address, err) &&
	       (ask(fd, &message, err) || err_wrap(err, "address %s", text));
}

MUST_CHECK static bool add_route(int fd, unsigned index, const struct setting_route *route,
				 struct err *err)
{
	CLEANUP(bytes_freep) struct bytes message = bytes_capped(MESSAGE_BYTES_MAX);
	bool is_default = strcmp(route->to, "default") == 0;
	struct network_address to, via;

	if (is_default && !route->via)
		return err_set(err, ERR_FORMAT, "the default route has no \"via\"");
	if ((!is_default && !network_address_parse(&to, route->to, err)) ||
	    (route->via && !network_address_parse(&via, route->via, err)))
		return false;
	if (!is_default && route->via && to.family != via.family)
		return err_set(err, ERR_FORMAT, "route to %.100s via %.100s mixes IPv4 and IPv6",
			       route->to, route->via);
	return network_message_route(&message, index, is_default ? NULL : &to,
				     route->via ? &via : NULL, err) &&
	       (ask(fd, &message, err) || err_wrap(err, "route to %s", route->to));
}

MUST_CHECK static bool bring_up(int fd, unsigned index, uint32_t mtu, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes message = bytes_capped(MESSAGE_BYTES_MAX);

	return network_message_link_up(&message, index, mtu, err) && ask(fd, &message, err);
}

MUST_CHECK static bool make_interface(int fd, int root_fd, const struct setting_interface *wanted,
				      struct err *err)
{
	unsigned index = find_interface(root_fd, wanted);

	if (index == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no such interface");
	if (!bring_up(fd, index, wanted->mtu, err))
		return false;
	for (size_t i = 0; i < wanted->addresses.count; i++)
		if (!add_address(fd, index, wanted->addresses.items[i], err))
			return false;
	for (size_t i = 0; i < wanted->route_count; i++)
		if (!add_route(fd, index, &wanted->routes[i], err))
			return false;
	return true;
}

bool network_make(const struct settings *settings, int root_fd, struct err *err)
{
	static const struct setting_interface loopback = { .name = "lo" };
	CLEANUP(fd_closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned loopback_index = find_interface(root_fd, &loopback);

	if (fd < 0)
		return settings->interface_count == 0 || err_os(err, "netlink"); /* no network */
	if (loopback_index != 0 && !bring_up(fd, loopback_index, 0, err))
		return err_wrap(err, "interface lo");
	for (size_t i = 0; i < settings->interface_count; i++) {
		const struct setting_interface *wanted = &settings->interfaces[i];
		const char *name = wanted->name ? wanted->name :
				   wanted->mac	? wanted->mac :
						  "(first)";

		if (!make_interface(fd, root_fd, wanted, err))
			return err_wrap(err, "network interface %.100s", name);
	}
	return true;
}
