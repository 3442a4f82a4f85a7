/* Signatures by public key, as cosign makes them: SHA-256 with ECDSA or RSA (PKCS #1), or Ed25519.
 *
 * With digest.c the only user of openssl.
 */
#pragma once

#include "err.h"
#include "view.h"

struct public_key;

/* A key in PEM form ("BEGIN PUBLIC KEY").
 * Errors: ERR_FORMAT       malformed, or no public key
 *         ERR_UNSUPPORTED  a key of another kind */
MUST_CHECK bool public_key_new(struct public_key **out, struct view pem, struct err *err);
void public_key_freep(struct public_key **key);

/* Is it that key's signature of these bytes? False for whatever else it is. */
bool public_key_verify(const struct public_key *key, struct view signature, struct view bytes);
