#include "nodes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

MUST_CHECK static bool make_parent(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *parent = view_copy((struct view){ path, (size_t)(slash - path) });

	if (!parent)
		return err_memory(err, path);
	return file_make_dirs(AT_FDCWD, parent, 0755, err);
}

bool nodes_make(const struct boot_node *nodes, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct boot_node *node = &nodes[i];

		if (!make_parent(node->path, err))
			return false;
		if (unlink(node->path) < 0 && errno != ENOENT)
			return err_os(err, "replace %s", node->path);
		if (mknod(node->path, node->mode, makedev(node->major, node->minor)) < 0 ||
		    chown(node->path, node->uid, node->gid) < 0 ||
		    chmod(node->path, node->mode & 07777) < 0)
			return err_os(err, "make %s", node->path);
	}
	return true;
}
