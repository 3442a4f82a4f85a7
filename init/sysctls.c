#include "sysctls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

bool sysctl_path(char out[SYSCTL_PATH_BYTES], const char *name, struct err *err)
{
	static const char prefix[] = "proc/sys/";
	char separator = strchr(name, '/') ? '/' : '.';
	size_t len = strlen(prefix);
	struct view rest = view_of(name);

	if (name[0] == '\0' || strlen(name) >= SYSCTL_PATH_BYTES - len)
		return err_set(err, ERR_FORMAT, "\"sysctls\": \"%.100s\" is no name", name);
	memcpy(out, prefix, len);
	while (rest.ptr) {
		struct view part = view_cut(&rest, separator);

		if (part.len == 0 || view_equal(part, ".") || view_equal(part, ".."))
			return err_set(err, ERR_FORMAT, "\"sysctls\": \"%.100s\" is no name",
				       name);
		memcpy(out + len, part.ptr, part.len);
		len += part.len;
		out[len++] = rest.ptr ? '/' : '\0';
	}
	return true;
}

bool sysctls_set(const struct setting_pairs *sysctls, int root_fd, struct err *err)
{
	for (size_t i = 0; i < sysctls->count; i++) {
		const struct setting_pair *pair = &sysctls->items[i];
		char path[SYSCTL_PATH_BYTES];
		CLEANUP(fd_closep) int fd = -1;

		if (!sysctl_path(path, pair->name, err) ||
		    !file_open(&fd, root_fd, path, O_WRONLY, err) ||
		    !file_write(fd, pair->value, strlen(pair->value), path, err))
			return err_wrap(err, "sysctl %.100s", pair->name);
	}
	return true;
}
