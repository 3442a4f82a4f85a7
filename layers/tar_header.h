/* One tar header block: its fields, its checksum, and the numbers in it.
 *
 * Accepts what Go's archive/tar accepts, so that what containerd unpacks is read here as well.
 * Pure: no I/O, no allocation.
 * Source: POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/view.h"

enum {
	TAR_BLOCK_BYTES = 512,
	TAR_NAME_BYTES_MAX = 155 + 1 + 100, /* ustar: prefix, slash, name */
};

enum tar_format {
	TAR_V7, /* no magic: name to link only */
	TAR_USTAR, /* and PAX: the same block */
	TAR_STAR, /* as ustar, with a shorter prefix */
	TAR_GNU, /* no prefix */
};

struct tar_sparse_field {
	char offset[12], len[12];
};

struct tar_block {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8]; /* with the version */
	char user[32], group[32];
	char rdev_major[8], rdev_minor[8];
	union {
		char prefix[155]; /* ustar */
		char star_prefix[131];
		struct {
			char atime[12], ctime[12], unused[17];
			struct tar_sparse_field sparse[4];
			char is_extended;
			char real_size[12];
		} gnu;
	};
	char rest[8];
	char trailer[4]; /* star */
};
_Static_assert(sizeof(struct tar_block) == TAR_BLOCK_BYTES, "a header is one block");

bool tar_is_zero(const struct tar_block *block);

/* Unsigned as POSIX says, or signed as some old tars summed. */
bool tar_checksum_holds(const struct tar_block *block);

enum tar_format tar_format_of(const struct tar_block *block);

/* Octal digits between spaces and NULs (nothing at all: 0), or base-256 when the first bit is set.
 * False when it is neither or does not fit. */
MUST_CHECK bool tar_number(const char *field, size_t len, int64_t *out);

/* Text up to the first NUL or the field's end. */
struct view tar_text(const char *field, size_t len);

/* The name in a header block, with its prefix where the format has one. */
size_t tar_header_name(const struct tar_block *block, char out[TAR_NAME_BYTES_MAX]);
