#include "whiteout.h"

#include <string.h>

static const char prefix[] = ".wh.";

enum whiteout whiteout_classify(char *path, struct view *target)
{
	char *slash = strrchr(path, '/');
	char *last = slash ? slash + 1 : path;
	char *name = last + strlen(prefix);

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
