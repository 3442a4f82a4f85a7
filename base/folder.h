/* What is in a folder of the host: its names, in an order that no file system decides. */
#pragma once

#include <stddef.h>

#include "err.h"

struct folder_names {
	char **items; /* items[count], ascending by bytes; owned */
	size_t count;
};
void folder_names_freep(struct folder_names *names);

/* All but "." and "..". What does not exist or is no folder is ERR_NOT_FOUND, all else ERR_IO. */
MUST_CHECK bool folder_list(struct folder_names *out, int dir_fd, const char *path,
			    struct err *err);
