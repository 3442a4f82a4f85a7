/* Files without a name on a real file system, and what e2fsprogs says of an image in one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SCRATCH_PATH_BYTES = 64 };

/* Below $TMPDIR or /var/tmp, not /tmp: that may be in memory. Gone when closed. */
int scratch_file(void);
/* A path that other programs reach it by, as long as it is open here. */
void scratch_path(int fd, char out[SCRATCH_PATH_BYTES]);

/* Does e2fsck -fn find nothing? What it says, or why it did not run, goes to standard error. */
bool scratch_is_sound(int fd);
