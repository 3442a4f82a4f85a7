#include "mount_options.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>

#include "base/view.h"

static const struct {
	const char *name;
	unsigned long set, cleared;
} options[] = {
	{ "defaults", 0, 0 },
	{ "ro", MS_RDONLY, 0 },
	{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },
	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },
	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },
	{ "exec", 0, MS_NOEXEC },
	{ "noatime", MS_NOATIME, 0 },
	{ "atime", 0, MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, 0 },
	{ "diratime", 0, MS_NODIRATIME },
	{ "relatime", MS_RELATIME, 0 },
	{ "norelatime", 0, MS_RELATIME },
	{ "strictatime", MS_STRICTATIME, 0 },
	{ "nostrictatime", 0, MS_STRICTATIME },
	{ "lazytime", MS_LAZYTIME, 0 },
	{ "nolazytime", 0, MS_LAZYTIME },
	{ "sync", MS_SYNCHRONOUS, 0 },
	{ "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 },
};

static bool is_flag(struct view option, unsigned long *flags)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!view_equal(option, options[i].name))
			continue;
		*flags = (*flags | options[i].set) & ~options[i].cleared;
		return true;
	}
	return false;
}

void mount_options_take(char *text, unsigned long *flags)
{
	struct view rest = view_of(text);
	char *end = text;

	while (rest.len > 0) {
		struct view option = view_cut(&rest, ',');

		if (option.len == 0 || is_flag(option, flags))
			continue;
		if (end > text)
			*end++ = ',';
		memmove(end, option.ptr, option.len);
		end += option.len;
	}
	*end = '\0';
}
