/* Base64, as RFC 4648 section 4 has it: for credentials, keys and data inside JSON. Pure. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* Append the decoded bytes. White space is passed over, missing padding at the end is taken.
 * Errors: ERR_FORMAT, without the text, which may be a secret */
MUST_CHECK bool base64_decode(struct bytes *out, struct view text, struct err *err);
MUST_CHECK bool base64_encode(struct bytes *out, struct view data, struct err *err);
