#include "etc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "say.h"

enum { TEXT_BYTES_MAX = 1 << 20 };

/* The machine's own name goes with its first address, as docker does it. */
static struct view first_address(const struct settings *settings)
{
	for (size_t i = 0; i < settings->interface_count; i++) {
		if (settings->interfaces[i].addresses.count > 0) {
			struct view text = view_of(settings->interfaces[i].addresses.items[0]);

			return view_cut(&text, '/');
		}
	}
	return view_of("127.0.1.1");
}

bool etc_hosts_print(struct bytes *out, const struct settings *settings, struct err *err)
{
	struct view own = first_address(settings);

	if (!bytes_print(out, err, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
				   "ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
				   "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"))
		return false;
	for (size_t i = 0; i < settings->hosts.count; i++)
		if (!bytes_print(out, err, "%s\n", settings->hosts.items[i]))
			return false;
	return !settings->hostname ||
	       bytes_print(out, err, "%.*s\t%s\n", VIEW_ARGS(own), settings->hostname);
}

MUST_CHECK static bool print_joined(struct bytes *out, const char *key,
				    const struct text_list *list, struct err *err)
{
	if (list->count == 0)
		return true;
	if (!bytes_print(out, err, "%s", key))
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!bytes_print(out, err, " %s", list->items[i]))
			return false;
	return bytes_append(out, "\n", 1, err);
}

bool etc_resolv_print(struct bytes *out, const struct settings *settings, struct err *err)
{
	for (size_t i = 0; i < settings->dns.count; i++)
		if (!bytes_print(out, err, "nameserver %s\n", settings->dns.items[i]))
			return false;
	return print_joined(out, "search", &settings->dns_search, err) &&
	       print_joined(out, "options", &settings->dns_options, err);
}

/* A symlink there (systemd-resolved's stub) would lead somewhere that is not on this machine. */
MUST_CHECK static bool replace(const char *path, struct view text, struct err *err)
{
	struct stat status;
	CLEANUP(fd_closep) int fd = -1;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode) && unlink(path) < 0)
		return err_os(err, "replace %s", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? err_os(err, "write %s", path) :
			file_write(fd, text.ptr, text.len, path, err);
}

#define COVERS "/dev/.vmbake" /* devtmpfs can always be written */

/* Bind a file over the image's own, which has to be there. */
MUST_CHECK static bool cover(const char *path, struct view text, struct err *err)
{
	const char *name = strrchr(path, '/') + 1;
	char source[64];

	snprintf(source, sizeof(source), COVERS "/%s", name);
	if (mkdir(COVERS, 0755) < 0 && errno != EEXIST)
		return err_os(err, "make folder %s", COVERS);
	if (!replace(source, text, err))
		return false;
	return mount(source, path, NULL, MS_BIND, NULL) == 0 || err_os(err, "cover %s", path);
}

static void put(const char *path, const struct bytes *text)
{
	struct err err = { 0 };

	if (mkdir("/etc", 0755) < 0 && errno != EEXIST && errno != EROFS)
		say("make folder /etc: %s", strerror(errno));
	if (replace(path, bytes_view(text), &err))
		return;
	if (err.os_errno != EROFS || !cover(path, bytes_view(text), &err))
		say("%s", err.msg);
}

static bool is_empty(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 || status.st_size == 0;
}

void etc_files_make(const struct settings *settings)
{
	CLEANUP(bytes_freep) struct bytes hosts = bytes_capped(TEXT_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes resolv = bytes_capped(TEXT_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes hostname = bytes_capped(TEXT_BYTES_MAX);
	struct err err = { 0 };

	if (!etc_hosts_print(&hosts, settings, &err) ||
	    !etc_resolv_print(&resolv, settings, &err) ||
	    !bytes_print(&hostname, &err, "%s\n", settings->hostname ? settings->hostname : "")) {
		say("%s", err.msg);
		return;
	}
	if (settings->hostname)
		put("/etc/hostname", &hostname);
	if (settings->hostname || settings->hosts.count > 0 || is_empty("/etc/hosts"))
		put("/etc/hosts", &hosts);
	if (resolv.len > 0)
		put("/etc/resolv.conf", &resolv);
}
