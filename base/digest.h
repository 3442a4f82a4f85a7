/* SHA-256, the only digest of OCI content here, and its "sha256:HEX" form.
 *
 * The one place that includes openssl. Hashing runs at SHA-NI speed (1.8 GB/s a core,
 * 2.7 for two at a time).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "err.h"
#include "view.h"

struct digest {
	uint8_t sha256[32];
};

enum {
	DIGEST_HEX_LEN = 64,
	DIGEST_HEX_BYTES = DIGEST_HEX_LEN + 1, /* with the final NUL */
	DIGEST_TEXT_BYTES = DIGEST_HEX_LEN + 8, /* "sha256:" HEX NUL */
};

struct sha256; /* a running hash */

MUST_CHECK bool sha256_new(struct sha256 **out, struct err *err);
void sha256_add(struct sha256 *hash, const void *data, size_t len);
enum { SHA256_BLOCK_BYTES = 64 };
/* len bytes to each of two: faster than one after the other. */
void sha256_add_both(struct sha256 *first, const void *first_data, struct sha256 *second,
		     const void *second_data, size_t len);
/* What was added so far; the hash goes on. */
struct digest sha256_now(const struct sha256 *hash);
void sha256_freep(struct sha256 **hash);

/* One call for bytes at hand. Cannot fail: runs without allocation. */
struct digest digest_of(const void *data, size_t len);

/* Parse "sha256:" + 64 lower-case hex digits.
 * Errors: ERR_UNSUPPORTED  another well-formed algorithm, which is named
 *         ERR_FORMAT       anything else
 * Source: OCI image-spec descriptor.md, "Digests" */
MUST_CHECK bool digest_parse(struct digest *out, struct view text, struct err *err);

/* The first 16 bytes as a UUID of version 8, made from something: RFC 9562, 5.8. */
enum { DIGEST_UUID_BYTES = 16 };
void digest_uuid(const struct digest *digest, uint8_t out[DIGEST_UUID_BYTES]);

bool digest_equal(const struct digest *a, const struct digest *b);
void digest_hex(const struct digest *digest, char out[DIGEST_HEX_BYTES]);
void digest_text(const struct digest *digest, char out[DIGEST_TEXT_BYTES]);
