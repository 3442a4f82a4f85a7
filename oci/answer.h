/* What a registry's refusal means: a status and the error document in its body become one
 * sentence, an error kind, and whether trying again makes sense. Pure: no I/O. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "retry.h"

enum { ANSWER_BODY_BYTES_MAX = 64 << 10 }; /* of an error; longer ones are not read */

struct answer {
	unsigned status;
	uint64_t retry_after_seconds;
	struct view body;
};

/* Sets ERR_NOT_FOUND for 404, ERR_AUTH for 401 and 403, else ERR_NETWORK, with host, status and
 * the registry's own words. Returns false.
 * Source: distribution spec, "Error Codes" */
bool answer_error(const struct answer *answer, struct view host, struct setback *setback,
		  struct err *err);
