/* What a tree says and what an image says, both as the same text, so that they can be compared.
 *
 * A line for each name, ascending by path:
 * "PATH MODE UID:GID SECONDS.NS [SIZE] LINKS [CRC] [-> TARGET] [MAJOR,MINOR] [NAME=HEX…]", MODE in
 * octal and with the type; a further name of an inode is "PATH = FIRST".
 * The image is read by libext2fs's own code; nothing of fs/ is used, so that it is not compared
 * with itself.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "layers/tree.h"

/* image_time: of what no entry describes, lost+found among it. */
void listing_of_tree(struct bytes *out, const struct tree *tree, int64_t image_time);
/* Ends the program when libext2fs finds something broken. */
void listing_of_image(struct bytes *out, const char *path);

/* The first line in which they differ, for people; empty when they are the same. */
void listing_difference(struct bytes *out, const struct bytes *got, const struct bytes *wanted);
