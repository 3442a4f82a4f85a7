#include "whiteout.h"

#include <string.h>

static const char prefix[] = ".wh.", aufs_prefix[] = ".wh..wh.";

/* Below a folder of AUFS, all of which stand in the root. */
static enum whiteout classify_below_aufs(const char *path)
{
	bool is_link = strncmp(path, WHITEOUT_AUFS_LINKS "/", strlen(WHITEOUT_AUFS_LINKS) + 1) == 0;

	return is_link ? WHITEOUT_AUFS_LINKED : WHITEOUT_AUFS;
}

enum whiteout whiteout_classify(char *path, struct view *target)
{
	char *slash = strrchr(path, '/');
	char *last = slash ? slash + 1 : path;
	char *name = last + strlen(prefix);

	if (slash && strncmp(path, aufs_prefix, strlen(aufs_prefix)) == 0)
		return classify_below_aufs(path);
	if (strncmp(last, prefix, strlen(prefix)) != 0)
		return WHITEOUT_NONE;
	if (strcmp(name, ".wh..opq") == 0) {
		*target = (struct view){ path, slash ? (size_t)(slash - path) : 0 };
		return WHITEOUT_OPAQUE;
	}
	if (strncmp(name, prefix, strlen(prefix)) == 0)
		return WHITEOUT_AUFS;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return WHITEOUT_MALFORMED;
	memmove(last, name, strlen(name) + 1);
	*target = view_of(path);
	return WHITEOUT_NAME;
}
