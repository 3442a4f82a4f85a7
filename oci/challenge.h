/* WWW-Authenticate: which proof of identity a registry asks for.
 *
 * One header may hold several challenges, a challenge several parameters, and both are separated
 * by commas (RFC 9110, 11.6.1). Pure: no I/O.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

enum { CHALLENGE_VALUE_BYTES = 2048, CHALLENGE_COUNT_MAX = 8 };

struct challenge {
	enum challenge_scheme scheme;
	char realm[CHALLENGE_VALUE_BYTES]; /* of a bearer challenge: the token endpoint */
	char service[CHALLENGE_VALUE_BYTES];
	char scope[CHALLENGE_VALUE_BYTES];
	char error[64]; /* "insufficient_scope", "invalid_token", … */
};

/* Read all challenges of one header value, in order.
 * out:   room for CHALLENGE_COUNT_MAX; those beyond are not read
 * Errors: ERR_FORMAT  malformed, or a value that is too long or holds a control character
 * Source: RFC 9110 section 11; distribution spec "token authentication" */
MUST_CHECK bool challenge_parse(struct challenge *out, size_t *count, struct view header,
				struct err *err);
