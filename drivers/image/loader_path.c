#include "loader_path.h"

#include <string.h>

struct view loader_folder_of(const char *path)
{
	struct view view = view_of(path);
	ptrdiff_t slash = view_find_last(view, '/');

	view.len = slash > 0 ? (size_t)slash : 1;
	return view;
}

/* The word behind a '$', without it or with braces; its length, or 0. */
static size_t word_len(struct view text, const char *word)
{
	size_t len = strlen(word);

	if (view_starts(text, word))
		return len;
	if (!view_starts(text, "{") || !view_starts(view_from(text, 1), word) ||
	    !view_starts(view_from(text, 1 + len), "}"))
		return 0;
	return len + 2;
}

/* What stands for the text behind a '$'; *len of it is used up, 0 where it is no such word. */
static struct view value_of(struct view text, const struct loader_words *words, size_t *len)
{
	const struct {
		const char *word;
		struct view value;
	} rows[] = {
		{ "ORIGIN", words->origin },
		{ "LIB", words->lib },
		{ "PLATFORM", words->platform },
	};

	*len = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*len = word_len(text, rows[i].word);
		if (*len > 0)
			return rows[i].value;
	}
	return (struct view){ 0 };
}

bool loader_expand(char out[PATH_MAX], struct view text, const struct loader_words *words)
{
	size_t out_len = 0, used = 0;

	while (text.len > 0) {
		struct view part = { text.ptr, 1 };

		if (text.ptr[0] == '$') {
			struct view value = value_of(view_from(text, 1), words, &used);

			if (used > 0)
				part = value;
			text = view_from(text, used);
		}
		text = view_from(text, 1);
		if (part.len >= PATH_MAX - out_len)
			return false;
		if (part.len > 0)
			memcpy(out + out_len, part.ptr, part.len);
		out_len += part.len;
	}
	out[out_len] = '\0';
	return true;
}
