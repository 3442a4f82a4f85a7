#include "view.h"

#include <strings.h>

bool view_equal(struct view view, const char *text)
{
	return text && view_same(view, view_of(text));
}

bool view_equal_any_case(struct view view, const char *text)
{
	return text && view.len == strlen(text) &&
	       (view.len == 0 || strncasecmp(view.ptr, text, view.len) == 0);
}

bool view_same(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int view_compare(struct view a, struct view b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool view_starts(struct view view, const char *prefix)
{
	size_t len = strlen(prefix);

	return view.len >= len && (len == 0 || memcmp(view.ptr, prefix, len) == 0);
}

bool view_ends(struct view view, const char *suffix)
{
	size_t len = strlen(suffix);

	return view.len >= len && (len == 0 || memcmp(view.ptr + view.len - len, suffix, len) == 0);
}

struct view view_from(struct view view, size_t offset)
{
	if (offset >= view.len)
		return (struct view){ 0 };
	return (struct view){ view.ptr + offset, view.len - offset };
}

struct view view_cut(struct view *rest, char separator)
{
	ptrdiff_t at = view_find(*rest, separator);
	struct view head = *rest;

	if (at < 0) {
		*rest = (struct view){ 0 };
		return head;
	}
	head.len = (size_t)at;
	rest->ptr += at + 1;
	rest->len -= (size_t)at + 1;
	return head;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct view view_trim(struct view view)
{
	while (view.len > 0 && is_space(view.ptr[0])) {
		view.ptr++;
		view.len--;
	}
	while (view.len > 0 && is_space(view.ptr[view.len - 1]))
		view.len--;
	return view;
}

ptrdiff_t view_find(struct view view, char byte)
{
	const char *found = view.len > 0 ? memchr(view.ptr, byte, view.len) : NULL;

	return found ? found - view.ptr : -1;
}

ptrdiff_t view_find_last(struct view view, char byte)
{
	const char *found = view.len > 0 ? memrchr(view.ptr, byte, view.len) : NULL;

	return found ? found - view.ptr : -1;
}

struct view view_behind_last(struct view view, char byte)
{
	return view_from(view, (size_t)(view_find_last(view, byte) + 1));
}

static unsigned digit_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return (unsigned)(byte - '0');
	if (byte >= 'a' && byte <= 'f')
		return (unsigned)(byte - 'a') + 10;
	if (byte >= 'A' && byte <= 'F')
		return (unsigned)(byte - 'A') + 10;
	return 16;
}

bool view_number(struct view view, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (view.len == 0)
		return false;
	for (size_t i = 0; i < view.len; i++) {
		unsigned digit = digit_value(view.ptr[i]);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

char *view_copy(struct view view)
{
	char *copy = malloc(view.len + 1);

	if (!copy)
		return NULL;
	if (view.len > 0)
		memcpy(copy, view.ptr, view.len);
	copy[view.len] = '\0';
	return copy;
}
