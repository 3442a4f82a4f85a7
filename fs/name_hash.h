/* The hash by which ext4 finds a name in a large directory: half of MD4's steps, with a seed.
 *
 * Pure. A name's bytes count as signed numbers, whatever char is on the host: the superblock says
 * so (EXT2_FLAGS_SIGNED_HASH).
 * Source: Linux fs/ext4/hash.c, DX_HASH_HALF_MD4; RFC 1320 for the three rounds.
 */
#pragma once

#include <stdint.h>

#include "base/view.h"

enum { HASH_SEED_BYTES = 16 };

/* What hashing starts from. */
struct hash_seed {
	uint32_t words[4];
};

struct name_hash {
	uint32_t major; /* even: the index keeps its lowest bit for itself */
	uint32_t minor; /* orders names of one major hash */
};

/* bytes: HASH_SEED_BYTES, as in the superblock; all zero stands for MD4's own start */
struct hash_seed hash_seed_of(const uint8_t *bytes);

/* name: 1 to 255 bytes */
struct name_hash name_hash(const struct hash_seed *seed, struct view name);
