/* What a test of whole images needs: a tree, the file it is written to, and what came of it. */
#pragma once

#include "made_tree.h"

struct written {
	struct made_tree made; /* owned */
	int fd; /* owned, a scratch file */
	struct image_result result; /* of the last write */
	struct err err;
};

void written_begin(struct written *written);
void written_end(struct written *written);

/* A directory, a file, a symlink. */
void written_add_some(struct written *written);
/* len bytes, none of them zero. */
void written_add_body(struct written *written, const char *path, size_t len);

/* The running test fails when the tree is not written … */
void written_write(struct written *written, const struct image_options *options);
/* … and when it is refused with another kind of error, or not at all. */
void written_refuse(struct written *written, const struct image_options *options,
		    enum err_kind kind);
/* written_add_some and the tree's end, then written_write. */
void written_write_some(struct written *written, const struct image_options *options);
/* The running test fails unless the image says what the tree says, and e2fsck nothing. */
void written_check(const struct written *written);
