#include "console.h"

#include <string.h>

static const char panic_start[] = "Kernel panic - not syncing: ";
static const char panic_end[] = "---[ end Kernel panic - not syncing: ";

static void keep(char *out, size_t capacity, struct view text)
{
	size_t len = text.len < capacity ? text.len : capacity - 1;

	memcpy(out, text.ptr, len);
	out[len] = '\0';
}

/* What stands behind the words; ptr NULL: they are not in it. */
static struct view behind(struct view line, const char *words)
{
	const char *found = memmem(line.ptr, line.len, words, strlen(words));

	return found ? view_from(line, (size_t)(found - line.ptr) + strlen(words)) :
		       (struct view){ 0 };
}

static void end_line(struct console *console)
{
	struct view line = view_trim((struct view){ console->line, console->line_len });
	struct view failure = failure_line_parse(line), panic = behind(line, panic_start);

	console->line_len = 0;
	if (line.len == 0)
		return;
	if (exit_line_parse(&console->ending, line))
		console->has_ending = true;
	if (failure.ptr)
		keep(console->failure, sizeof(console->failure), failure);
	if (panic.ptr && console->panic[0] == '\0')
		keep(console->panic, sizeof(console->panic), panic);
	console->stands_still = behind(line, panic_end).ptr != NULL;
}

void console_take(struct console *console, struct view bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.ptr[i] == '\n')
			end_line(console);
		else if (console->line_len < sizeof(console->line))
			console->line[console->line_len++] = bytes.ptr[i];
	}
}

size_t console_plain(struct console *console, char *data, size_t len)
{
	size_t kept = 0;

	if (len == 0)
		return 0;
	if (console->has_return && data[0] != '\n' && data[0] != '\r') {
		memmove(data + 1, data, len);
		data[0] = '\r';
		len++;
	}
	console->has_return = false;
	for (size_t i = 0; i < len; i++) {
		while (data[i] == '\n' && kept > 0 && data[kept - 1] == '\r')
			kept--;
		data[kept++] = data[i];
	}
	for (; kept > 0 && data[kept - 1] == '\r'; kept--)
		console->has_return = true;
	return kept;
}
