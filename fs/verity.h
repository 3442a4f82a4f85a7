/* A dm-verity hash tree behind the file system: each 4 KiB of the image that a guest reads is
 * checked against one root hash that it was told from outside.
 *
 * Format 1, SHA-256, salted, data and hash blocks of 4 KiB, with a superblock in front of the tree,
 * as veritysetup makes and reads it. Nothing here touches device-mapper.
 * Source: Linux Documentation/admin-guide/device-mapper/verity.rst; cryptsetup's wiki, "DMVerity"
 */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

enum { VERITY_SALT_BYTES = 32 };

struct verity {
	uint64_t data_blocks; /* of 4,096 bytes: the file system */
	uint64_t hash_blocks; /* behind it: the superblock and the tree */
	struct digest root;
	uint8_t salt[VERITY_SALT_BYTES];
};

/* Read the file system and write superblock and tree behind it; the file grows.
 * fd:          open for reading and writing; data_blocks long, at least 2
 * identity:    salt and UUID are derived from it, so that the same image gets the same root hash
 * jobs:        threads that hash, at least 1
 * Errors: ERR_SPACE, ERR_IO */
MUST_CHECK bool verity_write(struct verity *out, int fd, uint64_t data_blocks,
			     const struct digest *identity, unsigned jobs, struct err *err);

/* What a finished image says of itself; *is_there is false when nothing is behind the file system.
 * Errors: ERR_NOT_FOUND, ERR_IO, ERR_FORMAT  a superblock that is not one of ours */
MUST_CHECK bool verity_read(struct verity *out, const char *path, uint64_t data_blocks,
			    bool *is_there, struct err *err);

/* Hold all of an image against its tree, which verity_read found.
 * Errors: ERR_INTEGRITY, ERR_IO, ERR_NOT_FOUND */
MUST_CHECK bool verity_check(const struct verity *verity, const char *path, unsigned jobs,
			     struct err *err);

/* The kernel argument that maps a device ("/dev/vda") as /dev/dm-0, for root=/dev/dm-0.
 * Source: Linux Documentation/admin-guide/device-mapper/dm-init.rst */
enum { VERITY_ARGUMENT_BYTES = 512 };
void verity_argument(const struct verity *verity, const char *device,
		     char out[VERITY_ARGUMENT_BYTES]);
