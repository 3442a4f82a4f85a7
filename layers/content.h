/* File bodies of a tree, read from the stored layers they lie in: for the few files that a build
 * must understand (/etc/passwd, an ELF interpreter), not for copying. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tree.h"

/* Some bytes of a file, holes as zeros: exactly len from offset, which must lie inside it.
 * data_fds: data_fds[layer], the data file of each layer number in the tree */
MUST_CHECK bool content_read(const struct tree *tree, const int *data_fds, uint32_t inode,
			     uint64_t offset, void *out, size_t len, struct err *err);

/* A whole file, found from the root as the kernel would find it, appended to out.
 * Errors: ERR_NOT_FOUND    no such path, or it is no regular file
 *         ERR_UNSUPPORTED  over out's cap */
MUST_CHECK bool content_slurp(const struct tree *tree, const int *data_fds, const char *path,
			      struct bytes *out, struct err *err);
