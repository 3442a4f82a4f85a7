/* Following a redirect: not for ever, not from https to http, and never with a secret to another
 * origin. Pure: no I/O. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct redirects {
	unsigned count; /* so far */
	bool is_elsewhere; /* of another origin than the first url: nothing that proves who we are
			    * may go there, nor from there back */
};

/* url becomes to.
 * allows_plain: also from https to http
 * Errors: ERR_NETWORK */
MUST_CHECK bool redirect_follow(struct redirects *redirects, struct bytes *url, struct view to,
				bool allows_plain, struct err *err);
