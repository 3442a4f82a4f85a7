/* A finished ext4 image read back into a tree, so that whoever looks into an image need not care
 * whether it is still layers or already a file: layers/content.h reads bodies from both.
 *
 * Reads inodes, directories and extents by libext2fs, never mounts, changes nothing. Extended
 * attributes, CRCs of bodies and the paths of entries are left out: names are the tree's. Foreign
 * bytes: a broken image is refused, and none makes it run for ever.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "layers/tree.h"

struct image_tree {
	struct tree *tree; /* owned, as is all below; every inode is of layer 0 */
	int data_fd; /* the image itself: the extents are its own blocks */
	struct index index; /* points into the next three */
	struct bytes entries, extents, links;
	struct arena names;
};
#define IMAGE_TREE_NONE                                          \
	(struct image_tree){ .data_fd = -1,                      \
			     .entries = bytes_capped((size_t)1 << 30),  \
			     .extents = bytes_capped((size_t)1 << 30),  \
			     .links = bytes_capped((size_t)1 << 28) }
void image_tree_closep(struct image_tree *image);

/* out:    starts as IMAGE_TREE_NONE; to be closed also after a failure
 * Errors: ERR_NOT_FOUND    no such file
 *         ERR_FORMAT       not ext4, or one that is broken or cut off
 *         ERR_UNSUPPORTED  made in a way that vmbake does not make images: other block sizes, data
 *                          inside inodes, block maps, encryption; a journal that was not played
 *                          back; over 10,000,000 inodes
 *         ERR_IO */
MUST_CHECK bool image_tree_open(struct image_tree *out, const char *path, struct err *err);
