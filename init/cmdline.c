#include "cmdline.h"

#include "base/file.h"

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\v' || byte == '\f' ||
	       byte == '\r';
}

/* Bytes of the first option, spaces inside quotes included. */
static size_t option_len(struct view text)
{
	bool is_quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			is_quoted = !is_quoted;
		else if (is_space(text.ptr[i]) && !is_quoted)
			return i;
	}
	return text.len;
}

static struct view without_quotes(struct view text)
{
	if (text.len > 0 && text.ptr[0] == '"')
		text = (struct view){ text.ptr + 1, text.len - 1 };
	if (text.len > 0 && text.ptr[text.len - 1] == '"')
		text.len--;
	return text;
}

bool cmdline_next(struct view *rest, struct cmdline_option *out)
{
	while (rest->len > 0 && is_space(rest->ptr[0]))
		*rest = view_from(*rest, 1);
	struct view option = { rest->ptr, option_len(*rest) };

	*rest = view_from(*rest, option.len);
	if (option.len == 0 || view_equal(option, "--"))
		return false;
	if (option.ptr[0] == '"')
		option = without_quotes(option);
	ptrdiff_t equals = view_find(option, '=');

	if (equals < 0) {
		*out = (struct cmdline_option){ .name = option };
		return true;
	}
	struct view value = { option.ptr + equals + 1, option.len - (size_t)equals - 1 };

	*out = (struct cmdline_option){ { option.ptr, (size_t)equals }, without_quotes(value) };
	return true;
}

bool cmdline_find(struct view text, const char *name, struct view *value)
{
	struct cmdline_option option;
	bool is_there = false;

	while (cmdline_next(&text, &option)) {
		if (!view_equal(option.name, name))
			continue;
		is_there = true;
		if (value)
			*value = option.value;
	}
	return is_there;
}

bool cmdline_read(struct bytes *out, int root_fd, struct err *err)
{
	enum { CMDLINE_BYTES_MAX = 64 << 10 }; /* the kernel's own limit is 2 or 4 KiB */

	*out = bytes_capped(CMDLINE_BYTES_MAX);
	return file_slurp(out, root_fd, "proc/cmdline", err);
}
