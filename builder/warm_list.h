/* What `vmbake warm` is to do: one image a line, with options of its own behind it.
 *
 * Lines end in LF or CRLF, words are apart by spaces and tabs, a word that begins with # begins a
 * comment. '…' and "…" hold a word together; nothing else means anything: no variables, no
 * patterns, and a backslash is refused. What the words mean is for options_parse_line to say.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

struct warm_line {
	const char *list; /* the name of its list; NULL: an operand of the command line */
	size_t number; /* in the list, from 1 */
	const char *const *words; /* words[word_count], at least one */
	size_t word_count;
};

struct warm_list {
	struct arena arena; /* owned: names and words */
	struct warm_line *lines; /* lines[count]; owned */
	size_t count, capacity;
};
void warm_list_freep(struct warm_list *list);

enum {
	WARM_LIST_BYTES_MAX = 16 << 20, /* of one file */
	WARM_LINE_BYTES_MAX = 64 << 10,
	WARM_WORDS_MAX = 256, /* of one line */
	WARM_LINES_MAX = 100000, /* with an image, of all lists */
};

/* Errors of all: ERR_USAGE past a cap or at a line that is none, with its number; then the list
 * holds what stood before. */

/* An operand of the command line: an image, whatever it looks like. text is copied. */
MUST_CHECK bool warm_list_add(struct warm_list *list, const char *text, struct err *err);
/* name: what the lines are said to be from */
MUST_CHECK bool warm_list_parse(struct warm_list *list, const char *name, struct view content,
				struct err *err);
/* path: "-" is standard input.  Errors: also those of file_slurp */
MUST_CHECK bool warm_list_read(struct warm_list *list, const char *path, struct err *err);
