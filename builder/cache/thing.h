/* One thing in a store: a layer, an image, a blob, and what else is kept or left there. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum thing_kind {
	THING_LAYER,
	THING_IMAGE,
	THING_BLOB, /* kept, or a .part */
	THING_DRIVER,
	THING_KERNEL, /* what a guest kernel says of itself */
	THING_DRAFT, /* being made, or left by a killed process */
	THING_LOCK,
	THING_KIND_COUNT,
};

struct thing {
	enum thing_kind kind;
	char *path; /* relative to the store's; owned */
	uint64_t bytes; /* that its blocks take on the disk */
	uint64_t shared_bytes; /* of an image: of those, in blocks that are other files' too */
	uint64_t entry_count; /* of a layer or driver */
	int64_t last_use; /* seconds since 1970 */
	bool knows_shared, knows_entries;
	bool is_part; /* of a blob: it is still being fetched, or was */
};

/* "layers", as in JSON and in totals; "layer" */
const char *thing_kind_names(enum thing_kind kind);
const char *thing_kind_name(enum thing_kind kind);
/* The last part of its path. */
const char *thing_file_name(const struct thing *thing);
/* How programs know it: "sha256:HEX" for what has a digest, else the last part of its path. */
enum { THING_NAME_BYTES = 256 };
void thing_name(const struct thing *thing, char out[THING_NAME_BYTES]);
/* The same short enough for people: twelve digits of a digest. */
void thing_short_name(const struct thing *thing, char out[THING_NAME_BYTES]);
/* Bytes that are its own: what an image shares, a layer has. */
uint64_t thing_own_bytes(const struct thing *thing);
/* The file whose mtime is its last use, and which is open while it is in use. */
enum { THING_PATH_BYTES = 400 };
void thing_main_file(const struct thing *thing, char out[THING_PATH_BYTES]);
