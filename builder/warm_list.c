#include "warm_list.h"

#include <stdlib.h>

#include "base/file.h"

void warm_list_freep(struct warm_list *list)
{
	arena_freep(&list->arena);
	free(list->lines);
	*list = (struct warm_list){ 0 };
}

MUST_CHECK static bool append(struct warm_list *list, const struct warm_line *line,
			      const char *const *words, struct err *err)
{
	size_t words_bytes = line->word_count * sizeof(*words);
	const char **copy = arena_take(&list->arena, words_bytes);

	if (list->count == WARM_LINES_MAX)
		return err_set(err, ERR_USAGE, "over %d images", WARM_LINES_MAX);
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct warm_line *lines = reallocarray(list->lines, capacity, sizeof(*lines));

		if (!lines)
			return err_memory(err, "a list of images");
		list->lines = lines;
		list->capacity = capacity;
	}
	if (!copy)
		return err_memory(err, "a list of images");
	memcpy(copy, words, words_bytes);
	list->lines[list->count] = *line;
	list->lines[list->count++].words = copy;
	return true;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct view skip_blanks(struct view text)
{
	size_t at = 0;

	while (at < text.len && is_blank(text.ptr[at]))
		at++;
	return view_from(text, at);
}

/* The word at the front, without its quotes and with a NUL, to *out, which moves behind it. */
MUST_CHECK static bool take_word(struct view *rest, char **out, struct err *err)
{
	char quote = '\0';
	size_t at = 0;

	for (; at < rest->len; at++) {
		char byte = rest->ptr[at];

		if (quote ? byte == quote : byte == '\'' || byte == '"')
			quote = quote ? '\0' : byte;
		else if (!quote && is_blank(byte))
			break;
		else if (!quote && byte == '\\')
			return err_set(err, ERR_USAGE, "a backslash means nothing here; '…' and"
				       " \"…\" hold a word together");
		else
			*(*out)++ = byte;
	}
	if (quote)
		return err_set(err, ERR_USAGE, "a %c is not closed", quote);
	*(*out)++ = '\0';
	*rest = view_from(*rest, at);
	return true;
}

/* Words are apart by a byte at least, which is the room for each NUL but the last. */
MUST_CHECK static bool split(struct warm_list *list, struct view text, struct warm_line *line,
			     struct err *err)
{
	const char *words[WARM_WORDS_MAX];
	char *room = arena_take(&list->arena, text.len + 1);

	if (!room)
		return err_memory(err, "a list of images");
	for (struct view rest = text; rest.len > 0 && rest.ptr[0] != '#';
	     rest = skip_blanks(rest)) {
		if (line->word_count == WARM_WORDS_MAX)
			return err_set(err, ERR_USAGE, "over %d words", WARM_WORDS_MAX);
		words[line->word_count++] = room;
		if (!take_word(&rest, &room, err))
			return false;
	}
	return append(list, line, words, err);
}

MUST_CHECK static bool add_line(struct warm_list *list, const char *name, size_t number,
				struct view text, struct err *err)
{
	struct warm_line line = { .list = name, .number = number };

	text = view_trim(text);
	if (text.len == 0 || text.ptr[0] == '#')
		return true;
	if (text.len > WARM_LINE_BYTES_MAX)
		return err_set(err, ERR_USAGE, "over %d bytes", WARM_LINE_BYTES_MAX);
	if (view_find(text, '\0') >= 0)
		return err_set(err, ERR_USAGE, "a NUL byte, which no text holds");
	return split(list, text, &line, err);
}

bool warm_list_add(struct warm_list *list, const char *text, struct err *err)
{
	const char *words[] = { "--", arena_copy(&list->arena, text, strlen(text)) };
	struct warm_line line = { .word_count = 2 };

	return words[1] ? append(list, &line, words, err) : err_memory(err, "a list of images");
}

bool warm_list_parse(struct warm_list *list, const char *name, struct view content,
		     struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, as some editors put it first */
	struct view rest = view_starts(content, mark) ? view_from(content, strlen(mark)) : content;
	const char *kept = arena_copy(&list->arena, name, strlen(name));

	if (!kept)
		return err_memory(err, "a list of images");
	for (size_t number = 1; rest.len > 0; number++)
		if (!add_line(list, kept, number, view_cut(&rest, '\n'), err))
			return err_wrap(err, "%s line %zu", name, number);
	return true;
}

bool warm_list_read(struct warm_list *list, const char *path, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes content = bytes_capped(WARM_LIST_BYTES_MAX);
	bool is_input = strcmp(path, "-") == 0;
	const char *name = is_input ? "standard input" : path;

	if (is_input ? !file_read_rest(&content, STDIN_FILENO, name, err) :
		       !file_slurp(&content, AT_FDCWD, path, err))
		return false;
	return warm_list_parse(list, name, bytes_view(&content), err);
}
