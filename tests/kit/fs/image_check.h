/* Is an image what its tree says? */
#pragma once

#include <stdint.h>

#include "layers/tree.h"

/* Fails the running test unless e2fsck finds nothing in fd, and libext2fs reads from it what tree
 * says. image_time: of what no entry describes. name: what the sentence begins with */
void image_check(int fd, const struct tree *tree, int64_t image_time, const char *name);
