/* Maps of sparse files, in the four forms that GNU tar has written.
 *
 * Old GNU keeps the map in header blocks, PAX 0.0 in a pair of records per segment, 0.1 in one
 * record, 1.0 in front of the body. This turns fields and texts into segments; fetching blocks is
 * tar_entry.c's. Pure but for the array's memory.
 * Source: GNU tar manual, "Storing Sparse Files"
 */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "tar_header.h"

/* Stored data of a sparse file: data bytes that belong at offset. Ascending, not overlapping. */
struct tar_segment {
	uint64_t offset, len;
};

struct tar_map {
	struct tar_segment *segments; /* owned; segments[count] */
	size_t count, capacity;
	size_t cap; /* most segments of one entry */
	bool is_half; /* the last segment has its offset, its length is to come */
};

void tar_map_freep(struct tar_map *map);
void tar_map_clear(struct tar_map *map);

/* Numbers alternate: an offset, the length of what is there, and so on. */
MUST_CHECK bool tar_map_add(struct tar_map *map, uint64_t number, struct err *err);

/* Old GNU: fields of a header or of an extension block, up to an empty one. */
MUST_CHECK bool tar_map_add_fields(struct tar_map *map, const struct tar_sparse_field *fields,
				   size_t field_count, struct err *err);

/* PAX 0.1: "offset,length,offset,length" */
MUST_CHECK bool tar_map_add_list(struct tar_map *map, struct view list, struct err *err);

/* Ascending, inside size, and stored_bytes together; empty segments are dropped.
 * Errors: ERR_FORMAT */
MUST_CHECK bool tar_map_check(struct tar_map *map, uint64_t size, uint64_t stored_bytes,
			      struct err *err);

/* PAX 1.0: the text in front of the body, which comes in blocks. */
struct tar_map_text {
	uint64_t number; /* read so far */
	unsigned digit_count;
	uint64_t numbers_left; /* to read; the first one says how many follow */
	bool has_count;
};

/* One more block of it; *is_whole when all numbers have come.
 * Errors: ERR_FORMAT, ERR_UNSUPPORTED past the cap */
MUST_CHECK bool tar_map_add_text(struct tar_map *map, struct tar_map_text *text,
				 const char block[TAR_BLOCK_BYTES], bool *is_whole,
				 struct err *err);
