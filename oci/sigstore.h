/* cosign's key-based signatures of an image, fetched from its own repository and checked. */
#pragma once

#include "base/digest.h"
#include "base/err.h"
#include "policy.h"
#include "registry.h"

enum { SIGNED_DIGEST_COUNT_MAX = 8 };

/* Is one of these digests (the chosen manifest, and the indexes it was found through) signed by one
 * of the requirement's keys, for a name that the requirement accepts?
 * Errors: ERR_INTEGRITY    no signature there is good enough, and why the best one is not
 *         ERR_UNSUPPORTED  there is only a sigstore bundle; a rule that is not understood
 *         ERR_NETWORK, ERR_AUTH
 * Source: cosign specs/SIGNATURE_SPEC.md; OCI distribution spec, "Listing Referrers" */
MUST_CHECK bool sigstore_check(struct registry *registry, const struct requirement *requirement,
			       const struct reference *reference, const struct digest *digests,
			       size_t digest_count, struct err *err);
