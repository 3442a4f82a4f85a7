/* Where a build's image goes: a file that appears when it is whole, or a block device that is
 * overwritten in place.
 *
 * A device is never touched while it is in use, nor when it holds something, unless forced. After
 * a failure its start is zeroed: half an image must not look like one.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/file.h"

struct output {
	int fd; /* borrowed by users; -1 when not open */
	struct new_file file; /* not open for a device */
	bool is_device, is_touched;
};
#define OUTPUT_NONE (struct output){ .fd = -1, .file = NEW_FILE_NONE }

/* Errors: those of new_file_open
 *         ERR_BUSY   a device that is mounted or otherwise in use
 *         ERR_USAGE  a device that is not empty, without is_forced */
MUST_CHECK bool output_open(struct output *out, int dir_fd, const char *path, mode_t mode,
			    bool is_forced, struct err *err);
/* From here on a device's content is lost. */
void output_touch(struct output *output);
MUST_CHECK bool output_commit(struct output *output, struct err *err);
void output_discardp(struct output *output);
