/* The merge rule: put one layer on top of a tree (LAYERS.md).
 *
 * First every removal of the layer, wherever it stands in the tar, then additions in tar order.
 * Pure: no I/O; reads the index in place and allocates only in the tree.
 */
#pragma once

#include "base/err.h"
#include "index.h"
#include "tree.h"

/* tree:    the lower layers, merged; changed in place, unspecified on failure
 * index:   entries in tar order; borrowed, must outlive the tree (names point into it)
 * number:  of this layer, 0 lowest, more than all before
 * Errors:  ERR_FORMAT       a hard link whose target is missing or is a directory, a parent that
 *                           is neither a directory nor a symlink to one, a symlink loop
 *          ERR_UNSUPPORTED  an inode with more than 65,000 names, more names than tree_cap allows,
 *                           paths that lead through absurdly many symlinks
 * Source:  OCI image-spec layer.md, "Whiteouts"; where it is silent, containerd archive.Apply */
MUST_CHECK bool merge_layer(struct tree *tree, const struct index *index, uint32_t number,
			    struct err *err);
