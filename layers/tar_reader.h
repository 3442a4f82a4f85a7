/* Where the reading of a tar stands, and what it has taken: the ground under tar.c, which goes from
 * header to header, and tar_entry.c, which makes an entry of what has come. Knows of bytes and
 * blocks, not of what they say. Nobody else includes this.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "input.h"
#include "tar_caps.h"
#include "tar_header.h"
#include "tar_pax.h"
#include "tar_sparse.h"

struct tar_reader {
	struct input *input; /* borrowed */
	struct tar_caps caps;
	uint64_t stored_left; /* of the current body, not handed out yet */
	uint32_t padding; /* behind it, to the next block */
	/* What came in front of the entry. Views of the entry point in here, never into the input,
	 * which moves on while the body is read. */
	bool is_announced; /* an extended header has come, its entry has not */
	struct tar_block block;
	char name[TAR_NAME_BYTES_MAX];
	struct bytes global_text, pax_text, long_name, long_link; /* owned */
	struct tar_pax pax; /* owned */
	struct tar_map map; /* owned */
};

/* Copy what comes next; *got is less than len only at the end of the stream. */
MUST_CHECK bool tar_reader_take_some(struct tar_reader *reader, void *to, size_t len, size_t *got,
				     struct err *err);
/* All len bytes. Errors: ERR_FORMAT when the stream ends before */
MUST_CHECK bool tar_reader_take(struct tar_reader *reader, void *to, size_t len, struct err *err);
/* The size field of the header block. */
MUST_CHECK bool tar_reader_take_size(const struct tar_reader *reader, uint64_t *out,
				     struct err *err);
/* So many bytes, and then padding, stand between here and the next header. */
void tar_reader_set_body(struct tar_reader *reader, uint64_t stored_bytes);
/* Begin the text of PAX records with the global ones. */
MUST_CHECK bool tar_reader_begin_pax(struct tar_reader *reader, struct err *err);

/* The stream ends where it may not. Returns false. */
bool tar_reader_err_end(struct err *err);
