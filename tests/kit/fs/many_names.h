/* A tree with one directory of many names, for tests: all lead to one empty file.
 *
 * Names are windows into one text of random letters, so that millions of long ones cost little.
 */
#pragma once

#include <stdint.h>

#include "base/view.h"
#include "layers/tree.h"

struct many_names {
	struct tree *tree; /* owned */
	char *text; /* owned: the names point into it */
	uint32_t dir; /* inode of the directory */
	uint32_t len; /* of a name */
};

/* len: 8 to 255; from 8 on no two windows are the same */
void many_names_make(struct many_names *out, uint32_t len);
/* Add the names from first up to end - 1, in that order or the other way round; below 4,000,000. */
void many_names_add(struct many_names *names, uint32_t first, uint32_t end, bool is_backwards);
void many_names_freep(struct many_names *names);

struct view many_names_text(const struct many_names *names, uint32_t name);
