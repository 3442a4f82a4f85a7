#include "answer.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/json.h"

enum { WORDS_BYTES = 200 };

/* Foreign text for a terminal: one line of printable ASCII, cut. */
static void copy_words(char out[WORDS_BYTES], const char *prefix, const char *text)
{
	size_t len = (size_t)snprintf(out, WORDS_BYTES, "%s", prefix);

	for (; *text && len + 1 < WORDS_BYTES; text++)
		out[len++] = *text >= ' ' && *text < 0x7f ? *text : '?';
	out[len] = '\0';
}

/* {"errors":[{"code":…,"message":…}]}, or a token server's {"details":…}; "" when it is neither. */
static void registry_words(char out[WORDS_BYTES], struct view body)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *errors = NULL;
	const char *message = NULL;
	struct err ignored;

	out[0] = '\0';
	if (!json_parse(&json, body, &ignored))
		return;
	if (!json_want_array(json, "errors", &errors, &ignored))
		errors = NULL;
	const struct json_t *first = json_item(errors, 0);

	if ((json_want_string(first, "message", &message, &ignored) && message && *message) ||
	    (json_want_string(first, "code", &message, &ignored) && message && *message) ||
	    (json_want_string(json, "details", &message, &ignored) && message && *message))
		copy_words(out, ": ", message);
}

static enum err_kind kind_of(unsigned status)
{
	if (status == 404)
		return ERR_NOT_FOUND;
	return status == 401 || status == 403 ? ERR_AUTH : ERR_NETWORK;
}

static const char *meaning_of(unsigned status)
{
	switch (status) {
	case 401:
		return "refuses (401 Unauthorized)";
	case 403:
		return "refuses (403 Forbidden)";
	case 404:
		return "does not have it (404 Not Found)";
	case 429:
		return "is asked too often (429 Too Many Requests)";
	default:
		return NULL;
	}
}

bool answer_error(const struct answer *answer, struct view host, struct setback *setback,
		  struct err *err)
{
	char words[WORDS_BYTES];
	const char *meaning = meaning_of(answer->status);
	unsigned status = answer->status;

	registry_words(words, answer->body);
	*setback = (struct setback){
		.may_pass = status == 408 || status == 425 || status == 429 || status >= 500,
		.is_absent = status == 404,
		.wait_seconds = answer->retry_after_seconds,
	};
	if (meaning)
		return err_set(err, kind_of(status), "%.*s %s%s", VIEW_ARGS(host), meaning, words);
	return err_set(err, kind_of(status), "%.*s answers with status %u%s", VIEW_ARGS(host),
		       status, words);
}
