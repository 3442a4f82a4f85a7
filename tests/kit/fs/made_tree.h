/* Trees for tests: entries one by one, their bodies in a file without a name, merged as one layer.
 *
 * Running out of memory or disk ends the program: a test cannot go on.
 */
#pragma once

#include "base/bytes.h"
#include "base/view.h"
#include "fs/image.h"
#include "layers/body.h"
#include "layers/index.h"
#include "layers/tree.h"

struct made_tree {
	struct index_builder *builder; /* owned, as is all below */
	struct body_writer *bodies;
	int data_fd;
	struct bytes index_bytes;
	struct index index; /* points into index_bytes */
	struct tree *tree; /* NULL until made_tree_finish */
};
#define MADE_TREE_NONE (struct made_tree){ .data_fd = -1 }

/* data_fd: an empty file that the tree takes over; -1: one in memory */
void made_tree_begin(struct made_tree *made, int data_fd);
void made_tree_freep(struct made_tree *made);

/* Any entry; bodies are added with made_tree_add_file. */
void made_tree_add(struct made_tree *made, const struct entry *entry);
void made_tree_add_dir(struct made_tree *made, const char *path);
void made_tree_add_text(struct made_tree *made, const char *path, const char *body);

/* A file: entry's path and attributes, and parts in ascending order; what lies between them and
 * behind the last, up to entry->size, is a hole. */
struct made_part {
	uint64_t offset;
	struct view bytes;
};
void made_tree_add_file(struct made_tree *made, const struct entry *entry,
			const struct made_part *parts, size_t part_count);

/* len bytes that differ from block to block, none zero; owned. */
char *made_body(size_t len, unsigned seed);

/* Nothing can be added behind it. */
void made_tree_finish(struct made_tree *made);

/* Time 1,000,000,000, no free space beyond what is asked for later, one thread. */
struct image_options made_options(void);
/* The tree as an image. */
MUST_CHECK bool made_tree_write(const struct made_tree *made, int fd,
				const struct image_options *options, struct image_result *out,
				struct err *err);
