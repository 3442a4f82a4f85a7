/* The words of a command line, one after the other: for execvp, for a shell, for JSON. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct json_t;

struct words {
	struct bytes text; /* each word and a NUL; owned */
	size_t count;
};
#define WORDS_NONE (struct words){ .text = bytes_capped(1 << 20) }
void words_freep(struct words *words);

MUST_CHECK bool words_add(struct words *words, struct err *err, const char *format, ...)
	PRINTF(3, 4);
/* Several words as they stand; NULL ends them. */
MUST_CHECK bool words_add_all(struct words *words, const char *const *items, struct err *err);

/* For execvp: argv[count], then NULL; the array is owned, the words are borrowed. NULL when out of
 * memory. */
char **words_argv(const struct words *words);
/* On one line, so that a shell reads the same words whatever is in them. */
MUST_CHECK bool words_quote(struct bytes *out, const struct words *words, struct err *err);
struct json_t *words_json(const struct words *words);
