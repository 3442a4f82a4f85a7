/* Docker's credential helpers: a program docker-credential-NAME that is asked over stdin and
 * answers on stdout. What it is asked and what it answers never stands on a command line. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* Ask for the credentials of a server, as that helper knows it. *is_found false: it has none.
 * out: its JSON answer, secret
 * Errors: ERR_AUTH  no such helper, or it fails
 * Source: docker-credential-helpers README, "Development" */
MUST_CHECK bool helper_ask(struct bytes *out, bool *is_found, const char *name, const char *server,
			   struct err *err);
