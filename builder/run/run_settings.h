/* A machine's settings from the words of a command line, as the document that its settings drive
 * carries. Keys and their values are init/contract's; here is what a command line adds. Pure.
 *
 * Errors of all that put: ERR_USAGE; the word is named
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_t;

/* "KEY=VALUE" or "KEY.NAME=VALUE"; without "=" a flag is switched on. */
MUST_CHECK bool run_settings_set(struct json_t *document, const char *assignment, struct err *err);
/* "NAME=VALUE"; "NAME" takes the value that it has here, and is left out when it has none. */
MUST_CHECK bool run_settings_put_env(struct json_t *document, const char *assignment,
				     struct err *err);
/* The text of a setting as it stands; NULL: it was not given. option: for the sentence */
MUST_CHECK bool run_settings_put_text(struct json_t *document, const char *key, const char *text,
				      const char *option, struct err *err);
/* items[count] as a list. */
MUST_CHECK bool run_settings_put_list(struct json_t *document, const char *key,
				      const char *const *items, size_t count, const char *option,
				      struct err *err);

/* The document as the guest will take it: what it would refuse is refused here.
 * *grace_seconds: between the guest's stop signal and its SIGKILL
 * Errors: ERR_USAGE  a value or a key that is none; it is named */
MUST_CHECK bool run_settings_check(const struct json_t *document, uint32_t *grace_seconds,
				   struct err *err);
