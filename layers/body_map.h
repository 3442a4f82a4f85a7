/* A stored body as one piece of memory, whatever extents it lies in: mapped and not read, so that
 * whoever looks at a few parts of a large file pays for those parts. Holes are zeros.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "index.h"
#include "tree.h"

struct body_map {
	struct view bytes; /* borrowed until body_map_closep */
	size_t mapped_bytes;
};
void body_map_closep(struct body_map *map);

/* data_fd: what the extents point into; cut short while the map is in use, it reads as zeros, of
 *          which map_guard_check tells
 * extents: extents[extent_count], as struct index has them
 * Errors:  ERR_INTEGRITY  an extent that lies outside of data or behind the body's end
 *          ERR_IO */
MUST_CHECK bool body_map_open(struct body_map *out, int data_fd, const struct extent *extents,
			      size_t extent_count, uint64_t size, struct err *err);

/* A regular file of a merged tree. data_fds as in layers/content.h */
MUST_CHECK bool body_map_file(struct body_map *out, const struct tree *tree, const int *data_fds,
			      uint32_t inode, struct err *err);
