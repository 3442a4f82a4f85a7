/* Borrowed bytes with a length: what parsers pass around instead of NUL-terminated strings.
 *
 * A view owns nothing and is valid as long as what it points into. Pure: no I/O, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "err.h"

struct view {
	const char *ptr; /* may be NULL when len is 0 */
	size_t len;
};

/* For printf's "%.*s". */
#define VIEW_ARGS(view) (int)(view).len, (view).ptr ? (view).ptr : ""

static inline struct view view_of(const char *text)
{
	return (struct view){ text, strlen(text) };
}

/* text may be NULL, which no view equals. */
bool view_equal(struct view view, const char *text);
bool view_equal_any_case(struct view view, const char *text); /* of ASCII letters */
bool view_same(struct view a, struct view b);
/* By bytes, as memcmp, a beginning before what goes on behind it. */
int view_compare(struct view a, struct view b);
bool view_starts(struct view view, const char *prefix);
bool view_ends(struct view view, const char *suffix);

/* The bytes from offset on; empty when offset is past the end. */
struct view view_from(struct view view, size_t offset);

/* Cut the view at the first separator: returns what stands before it and moves *rest behind it.
 * Without a separator returns everything and leaves *rest empty (ptr NULL, so that "a" and "a/"
 * can be told apart). */
struct view view_cut(struct view *rest, char separator);

/* Drop spaces and tabs, CR and LF, from both ends. */
struct view view_trim(struct view view);

/* Index of the first or last such byte, or -1. */
ptrdiff_t view_find(struct view view, char byte);
ptrdiff_t view_find_last(struct view view, char byte);
/* What stands behind the last such byte; all of it when there is none. "a/b" by '/': "b" */
struct view view_behind_last(struct view view, char byte);

/* Parse the whole view as an unsigned number in that base (8, 10 or 16); no sign, no prefix, no
 * white space, at least one digit. False when it is anything else or more than max. */
MUST_CHECK bool view_number(struct view view, unsigned base, uint64_t max, uint64_t *out);

/* A heap copy that ends in NUL; owned. NULL when out of memory. */
char *view_copy(struct view view);
