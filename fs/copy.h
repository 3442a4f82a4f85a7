/* Bodies from stored layers into the image: cloned where the file system can, else copied by the
 * kernel, else read and written, around the page cache where that is taken and nobody reads the
 * image next; each falls back to the next by itself. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/report.h"
#include "image.h"
#include "plan.h"

struct copy_result {
	uint64_t data_bytes; /* of all copies */
	uint64_t copied_bytes; /* of those, moved rather than cloned */
	enum copy_method method; /* that carried most of them */
};

/* image_fd:  as large as it will be
 * data_fds:  data_fds[layer_count], as in image_write
 * options:   jobs, is_read_next
 * Errors: ERR_SPACE, ERR_IO */
MUST_CHECK bool copy_bodies(int image_fd, const struct plan *plan, const int *data_fds,
			    uint32_t layer_count, const struct image_options *options,
			    struct report *report, struct copy_result *out, struct err *err);
