/* Where a path leads in a tree, for whoever only wants to know that: layers/walk.h has the way. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "tree.h"

/* Walk a path ("/etc/passwd", "a/b") from the root, following symlinks inside the root, ".." too;
 * *inode is TREE_NONE when there is nothing. follow_last: the last component's symlink as well.
 * Errors: ERR_FORMAT  more than 255 symlinks on the way */
MUST_CHECK bool tree_walk(const struct tree *tree, struct view path, bool follow_last,
			  uint32_t *inode, struct err *err);
