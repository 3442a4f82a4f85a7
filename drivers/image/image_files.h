/* Finding and reading files in an image's merged tree: what the other modules of this room that
 * look into images share. Symlinks are followed inside the image, never on the host.
 *
 * Owns nothing of the tree. An image's symlink loop is a file that is not there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/view.h"
#include "layers/tree.h"

struct image_files {
	const struct tree *tree;
	const int *data_fds; /* data_fds[layer], as for layers/content.h */
};

/* Where path leads from directory dir (TREE_ROOT for absolute paths); TREE_NONE: nowhere. */
uint32_t image_find(const struct image_files *files, uint32_t dir, struct view path);

/* False for TREE_NONE. */
bool image_is_dir(const struct image_files *files, uint32_t inode);
bool image_is_file(const struct image_files *files, uint32_t inode);
uint64_t image_file_bytes(const struct image_files *files, uint32_t inode);

/* The absolute path of a directory without symlinks, or NULL when out of memory. */
const char *image_dir_path(const struct image_files *files, uint32_t dir, struct arena *arena);

/* An absolute path to a folder with every symlink on it resolved; what is not there stays as it is.
 * Errors: ERR_MISMATCH  a part of it is neither a folder nor a symlink to one; it is named
 *         ERR_FORMAT    too many parts that do not exist */
MUST_CHECK bool image_real_folder(const struct image_files *files, const char *path,
				  struct arena *arena, const char **out, struct err *err);

struct image_name {
	struct view name; /* borrowed from the tree */
	uint32_t inode;	  /* the symlink's own, where it is one */
	bool is_symlink;
};

struct image_names {
	struct image_name *items; /* items[count], ascending by name as bytes; in arena */
	size_t count;
};

/* What is in a directory. */
MUST_CHECK bool image_list(const struct image_files *files, uint32_t dir, struct arena *arena,
			   struct image_names *out, struct err *err);

/* Where a name of directory dir leads in the end. */
uint32_t image_follow(const struct image_files *files, uint32_t dir, const struct image_name *name);

/* A whole file appended to out.  Errors: ERR_UNSUPPORTED  over out's cap */
MUST_CHECK bool image_slurp(const struct image_files *files, uint32_t inode, struct bytes *out,
			    struct err *err);

/* "FOLDER/NAME" in arena; NULL when out of memory. */
const char *image_join(struct arena *arena, const char *folder, struct view name);
