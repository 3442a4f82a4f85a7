#include "challenge.h"

#include <string.h>

#include "base/view.h"

/* RFC 9110 "tchar". */
static bool is_token_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

static void skip_space(struct view *rest)
{
	while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
		*rest = view_from(*rest, 1);
}

static void skip_commas(struct view *rest)
{
	skip_space(rest);
	while (rest->len > 0 && rest->ptr[0] == ',') {
		*rest = view_from(*rest, 1);
		skip_space(rest);
	}
}

static struct view cut_token(struct view *rest)
{
	struct view token = { rest->ptr, 0 };

	while (token.len < rest->len && is_token_byte(rest->ptr[token.len]))
		token.len++;
	*rest = view_from(*rest, token.len);
	return token;
}

/* Of "name = value" at the start of rest: is it a parameter, not the scheme of a new challenge? */
static bool starts_parameter(struct view rest)
{
	struct view name = cut_token(&rest);

	skip_space(&rest);
	if (name.len == 0 || rest.len == 0 || rest.ptr[0] != '=')
		return false;
	rest = view_from(rest, 1);
	skip_space(&rest);
	return rest.len > 0 && rest.ptr[0] != '=' && rest.ptr[0] != ',';
}

MUST_CHECK static bool append_byte(char *out, size_t out_size, size_t *len, char byte,
				   struct err *err)
{
	if ((unsigned char)byte < ' ' || byte == 0x7f)
		return err_set(err, ERR_FORMAT, "a control character in WWW-Authenticate");
	if (*len + 1 >= out_size)
		return err_set(err, ERR_FORMAT, "a value over %zu bytes in WWW-Authenticate",
			       out_size - 1);
	out[(*len)++] = byte;
	out[*len] = '\0';
	return true;
}

MUST_CHECK static bool read_quoted(char *out, size_t out_size, struct view *rest, struct err *err)
{
	size_t len = 0, at = 1;

	for (; at < rest->len && rest->ptr[at] != '"'; at++) {
		if (rest->ptr[at] == '\\' && at + 1 < rest->len)
			at++;
		if (!append_byte(out, out_size, &len, rest->ptr[at], err))
			return false;
	}
	if (at == rest->len)
		return err_set(err, ERR_FORMAT, "a quote in WWW-Authenticate does not end");
	*rest = view_from(*rest, at + 1);
	return true;
}

/* Some registries leave out the quotes around a URL, so anything up to a comma or space goes. */
MUST_CHECK static bool read_plain(char *out, size_t out_size, struct view *rest, struct err *err)
{
	size_t len = 0, at = 0;

	for (; at < rest->len && !strchr(", \t", rest->ptr[at]); at++)
		if (!append_byte(out, out_size, &len, rest->ptr[at], err))
			return false;
	*rest = view_from(*rest, at);
	return true;
}

struct field {
	char *room;
	size_t size;
};

static struct field field_of(struct challenge *challenge, struct view name)
{
	if (view_equal_any_case(name, "realm"))
		return (struct field){ challenge->realm, sizeof(challenge->realm) };
	if (view_equal_any_case(name, "service"))
		return (struct field){ challenge->service, sizeof(challenge->service) };
	if (view_equal_any_case(name, "scope"))
		return (struct field){ challenge->scope, sizeof(challenge->scope) };
	if (view_equal_any_case(name, "error"))
		return (struct field){ challenge->error, sizeof(challenge->error) };
	return (struct field){ 0 };
}

MUST_CHECK static bool read_parameter(struct challenge *challenge, struct view *rest,
				      struct err *err)
{
	char ignored[8192];
	struct view name = cut_token(rest);
	struct field field = field_of(challenge, name);

	if (!field.room)
		field = (struct field){ ignored, sizeof(ignored) };
	else if (field.room[0])
		return err_set(err, ERR_FORMAT, "%.*s stands twice in WWW-Authenticate",
			       VIEW_ARGS(name));
	skip_space(rest);
	*rest = view_from(*rest, 1); /* the '=' that starts_parameter saw */
	skip_space(rest);
	return rest->ptr[0] == '"' ? read_quoted(field.room, field.size, rest, err)
				   : read_plain(field.room, field.size, rest, err);
}

/* "Negotiate YWJj==": one opaque word in place of parameters. */
static void skip_token68(struct view *rest)
{
	while (rest->len > 0 && rest->ptr[0] != ',')
		*rest = view_from(*rest, 1);
}

MUST_CHECK static bool read_challenge(struct challenge *challenge, struct view *rest,
				      struct err *err)
{
	struct view scheme = cut_token(rest);

	if (scheme.len == 0)
		return err_set(err, ERR_FORMAT, "a malformed WWW-Authenticate header");
	if (view_equal_any_case(scheme, "bearer"))
		challenge->scheme = CHALLENGE_BEARER;
	else if (view_equal_any_case(scheme, "basic"))
		challenge->scheme = CHALLENGE_BASIC;
	skip_space(rest);
	if (rest->len > 0 && rest->ptr[0] != ',' && !starts_parameter(*rest))
		skip_token68(rest);
	skip_commas(rest);
	while (starts_parameter(*rest)) {
		if (!read_parameter(challenge, rest, err))
			return false;
		skip_space(rest);
		if (rest->len > 0 && rest->ptr[0] != ',')
			return err_set(err, ERR_FORMAT, "a malformed WWW-Authenticate header");
		skip_commas(rest);
	}
	return true;
}

bool challenge_parse(struct challenge *out, size_t *count, struct view header, struct err *err)
{
	struct view rest = header;
	size_t found = 0;

	skip_commas(&rest);
	while (rest.len > 0 && found < CHALLENGE_COUNT_MAX) {
		out[found] = (struct challenge){ 0 };
		if (!read_challenge(&out[found], &rest, err))
			return false;
		found++;
	}
	*count = found;
	return true;
}
