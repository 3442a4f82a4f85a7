/* warm's lists: what is taken has at least a word a line, and comes out the same when its words are
 * quoted and read again; the options parser takes or refuses whatever the words are. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "builder/options.h"
#include "builder/warm_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 'it'"'"'s' */
static void put_quoted(struct bytes *out, const char *word)
{
	struct err err;
	bool is_ok = bytes_append(out, "'", 1, &err);

	for (; *word; word++)
		is_ok = is_ok && (*word == '\'' ? bytes_append(out, "'\"'\"'", 5, &err) :
						  bytes_append(out, word, 1, &err));
	is_ok = is_ok && bytes_append(out, "' ", 2, &err);
	assert(is_ok);
}

/* Quoting makes a line longer, perhaps too long: then there is nothing to compare. */
static void check_again(const struct warm_line *line)
{
	CLEANUP(warm_list_freep) struct warm_list again = { 0 };
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(SIZE_MAX / 2);
	struct err err;

	for (size_t i = 0; i < line->word_count; i++)
		put_quoted(&text, line->words[i]);
	if (text.len > WARM_LINE_BYTES_MAX)
		return;
	bool is_ok = warm_list_parse(&again, "again", bytes_view(&text), &err);

	assert(is_ok && again.count == 1 && again.lines[0].word_count == line->word_count);
	for (size_t i = 0; i < line->word_count; i++)
		assert(strcmp(again.lines[0].words[i], line->words[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(warm_list_freep) struct warm_list list = { 0 };
	static const struct options defaults = { .command = COMMAND_WARM };
	struct options options;
	struct err err;
	size_t number = 0;
	bool is_ok = warm_list_parse(&list, "list", (struct view){ (const char *)data, size },
				     &err);

	assert(is_ok || err.kind == ERR_USAGE);
	for (size_t i = 0; i < list.count; i++) {
		const struct warm_line *line = &list.lines[i];

		assert(line->number > number && line->word_count > 0);
		number = line->number;
		check_again(line);
		if (options_parse_line(&options, &defaults, line->words, line->word_count, &err))
			assert(options.operands.count == 1);
		else
			assert(err.kind == ERR_USAGE);
	}
	return 0;
}
