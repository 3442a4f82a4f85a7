/* The names of a tree or an image, being gathered into a listing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct node {
	char *path; /* owned; "" is the root */
	char *text; /* owned: attributes, without the path */
	uint64_t inode; /* the same for all names of it */
};

struct nodes {
	struct node *items; /* owned; items[count] */
	size_t count, capacity;
};

/* path and text are copied. */
void nodes_add(struct nodes *nodes, const char *path, const char *text, uint64_t inode);
/* In order of path, with "= FIRST" behind all further names of an inode. */
void nodes_print(struct nodes *nodes, struct bytes *out);
void nodes_freep(struct nodes *nodes);

/* As printf into out, which grows; running out of memory ends the program. */
void nodes_text(struct bytes *out, const char *format, ...) PRINTF(2, 3);
/* " NAME=HEX" for each; sorted by the caller. */
void nodes_xattr(struct bytes *out, const char *name, size_t name_len, const void *value,
		 size_t value_len);
