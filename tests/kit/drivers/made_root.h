/* An image's tree for tests: files and symlinks one by one, bodies in a file without a name, merged
 * as one layer. Folders above them come by themselves. Running out of memory ends the program.
 */
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "layers/body.h"
#include "layers/index.h"
#include "layers/tree.h"
#include "made_library.h"

struct made_root {
	struct index_builder *builder; /* owned, as is all below */
	struct body_writer *bodies;
	int data_fd;
	struct bytes index_bytes;
	struct index index; /* points into index_bytes */
	struct tree *tree;  /* NULL until made_root_finish */
};

void made_root_begin(struct made_root *root);
void made_root_freep(struct made_root *root);

/* path: clean, "usr/lib/libx.so.1" */
void made_root_file(struct made_root *root, const char *path, struct view body);
void made_root_symlink(struct made_root *root, const char *path, const char *target);
void made_root_library(struct made_root *root, const char *path,
		       const struct made_library *library);

/* Nothing can be added behind it. */
void made_root_finish(struct made_root *root);
