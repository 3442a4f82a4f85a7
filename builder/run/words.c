#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

void words_freep(struct words *words)
{
	bytes_freep(&words->text);
	words->count = 0;
}

bool words_add(struct words *words, struct err *err, const char *format, ...)
{
	char *word = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&word, format, args);
	va_end(args);
	if (len < 0)
		return err_memory(err, "a command line");
	CLEANUP(freep) char *owned = word;

	if (!bytes_append(&words->text, owned, (size_t)len + 1, err))
		return false;
	words->count++;
	return true;
}

bool words_add_all(struct words *words, const char *const *items, struct err *err)
{
	for (; *items; items++)
		if (!words_add(words, err, "%s", *items))
			return false;
	return true;
}

char **words_argv(const struct words *words)
{
	char **argv = calloc(words->count + 1, sizeof(*argv));
	char *word = words->text.data;

	for (size_t i = 0; argv && i < words->count; i++) {
		argv[i] = word;
		word += strlen(word) + 1;
	}
	return argv;
}

/* What no shell gives a meaning to, wherever it stands. */
static bool is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./:,=+@%";

	return word[0] != '\0' && word[strspn(word, plain)] == '\0';
}

/* In single quotes only the single quote itself means something. */
MUST_CHECK static bool quote(struct bytes *out, const char *word, struct err *err)
{
	struct view rest = view_of(word);

	if (is_plain(word))
		return bytes_append(out, word, strlen(word), err);
	do {
		struct view part = view_cut(&rest, '\'');

		if (!bytes_print(out, err, "'%.*s'%s", VIEW_ARGS(part), rest.ptr ? "\\'" : ""))
			return false;
	} while (rest.ptr);
	return true;
}

bool words_quote(struct bytes *out, const struct words *words, struct err *err)
{
	const char *word = words->text.data;

	for (size_t i = 0; i < words->count; i++) {
		if ((i > 0 && !bytes_append(out, " ", 1, err)) || !quote(out, word, err))
			return false;
		word += strlen(word) + 1;
	}
	return true;
}

struct json_t *words_json(const struct words *words)
{
	struct json_t *array = json_new_array();
	const char *word = words->text.data;

	for (size_t i = 0; i < words->count; i++) {
		json_add_text(array, word);
		word += strlen(word) + 1;
	}
	return array;
}
