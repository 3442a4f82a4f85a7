/* For whom a signature speaks: does the name it was made for cover the image that is asked for?
 * Without this a signature of one repository would pass for another. Pure: no I/O. */
#pragma once

#include "base/err.h"
#include "reference.h"

struct json_t;

/* Is `signed_name` (the signature's docker-reference) acceptable for the image under the rule?
 * rule: a "signedIdentity" object; NULL: matchRepoDigestOrExact, which is the default
 * *is_match is false as well for a signed name that is malformed.
 * Errors: ERR_UNSUPPORTED  a rule that is malformed or unknown
 * Source: containers-policy.json(5), "signedIdentity" */
MUST_CHECK bool identity_matches(bool *is_match, const struct json_t *rule,
				 const struct reference *image, const char *signed_name,
				 struct err *err);
