/* Everything that decides an image's bytes, and the key over it.
 *
 * Two builds with the same recipe give the same image, so what is not in here must not reach the
 * image: not the reference that led to the manifest, no clock, no host name, no thread count.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "oci/image.h"
#include "options.h"

enum {
	RECIPE_FORMAT = 2, /* a new number whenever vmbake writes other bytes for the same recipe */
	FREE_PERCENT_DEFAULT = 25,
};
#define FREE_BYTES_DEFAULT ((uint64_t)1 << 30)

/* A driver that is put in, as far as it decides bytes; all borrowed. */
struct recipe_driver {
	const char *name; /* of the bundle, which its manifest's digest is part of */
	struct digest manifest_digest;
	const char *kernel_release;
	const char *gpu_id; /* as 10de:2330; NULL: any */
	unsigned capabilities, policy, gpu_class; /* enums of drivers/ and init/ */
	bool keep_leftovers, allow_musl;
};

struct recipe {
	const struct image *image; /* borrowed */
	const struct recipe_driver *driver; /* borrowed; NULL: none */
	struct digest init_digest; /* of the guest init put in */
	int64_t time_seconds; /* 1 to 2^32-1 */
	uint64_t size_bytes; /* 0: content and free space */
	uint64_t free_bytes;
	unsigned free_percent;
	uint64_t journal_bytes; /* 0: the default */
	uint64_t inode_count; /* 0: the default */
	char label[17];
	bool has_no_journal, is_read_only, has_verity;
};

/* What can be known to be wrong before there is an image.
 * Errors: ERR_USAGE  a label over 16 bytes, options that exclude each other */
MUST_CHECK bool recipe_check(const struct options *options, struct err *err);

/* The image's time is SOURCE_DATE_EPOCH, else its "created", else 1; always within ext4's unsigned
 * 32 bits and never 0, which libext2fs takes for "now".
 * Errors: ERR_USAGE  SOURCE_DATE_EPOCH is no number, and what recipe_check finds */
MUST_CHECK bool recipe_make(struct recipe *out, const struct image *image,
			    const struct options *options, const struct digest *init_digest,
			    struct err *err);

/* The key: SHA-256 over the recipe's fields as lines of text. */
MUST_CHECK bool recipe_key(const struct recipe *recipe, struct digest *out, struct err *err);

/* What the image says of its own origin, /.vmbake/image.json. */
MUST_CHECK bool recipe_print(const struct recipe *recipe, struct bytes *out, struct err *err);
