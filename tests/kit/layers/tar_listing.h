/* What the tar reader says of an archive, as text, so that a test is one comparison. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "layers/input.h"

/* A line for each entry:
 * "KIND PATH -> LINK MODE UID:GID SECONDS.NS SIZE [ OFFSET+LEN… NAME=VALUE…] BODY\n"
 * KIND is one of f d l h c b p; without bodies they are left to the reader to skip. */
MUST_CHECK bool tar_listing(struct bytes *out, struct input *input, bool with_bodies,
			    struct err *err);
