#include "toml.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"

enum {
	TEXT_BYTES_MAX = 1 << 20,
	DEPTH_MAX = 16,
	TABLE_COUNT_MAX = 1024,
	KEY_BYTES_MAX = 4096,
};

static const char key_separator = '\x1f'; /* a control character cannot stand in a key */

struct table {
	char *path; /* its keys, each followed by key_separator; owned */
	struct json_t *json; /* borrowed from the document */
	bool is_closed; /* by its own header, or as an inline table: not to be defined again */
};

struct parser {
	struct view rest;
	unsigned line;
	struct table tables[TABLE_COUNT_MAX];
	size_t table_count;
	size_t current; /* the table that keys go into */
};

static void parser_freep(struct parser **parser)
{
	for (size_t i = 0; *parser && i < (*parser)->table_count; i++)
		free((*parser)->tables[i].path);
	free(*parser);
	*parser = NULL;
}

MUST_CHECK static bool malformed(const struct parser *parser, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "line %u: %s", parser->line, what);
}

static char peek(const struct parser *parser)
{
	return parser->rest.len > 0 ? parser->rest.ptr[0] : '\0';
}

static void skip(struct parser *parser, size_t count)
{
	for (size_t i = 0; i < count && i < parser->rest.len; i++)
		parser->line += parser->rest.ptr[i] == '\n';
	parser->rest = view_from(parser->rest, count);
}

static void skip_blanks(struct parser *parser)
{
	while (peek(parser) == ' ' || peek(parser) == '\t')
		skip(parser, 1);
}

static void skip_comment(struct parser *parser)
{
	if (peek(parser) == '#')
		while (parser->rest.len > 0 && peek(parser) != '\n')
			skip(parser, 1);
}

static void skip_lines(struct parser *parser)
{
	for (;;) {
		skip_blanks(parser);
		skip_comment(parser);
		if (view_starts(parser->rest, "\r\n"))
			skip(parser, 2);
		else if (peek(parser) == '\n')
			skip(parser, 1);
		else
			return;
	}
}

MUST_CHECK static bool end_of_line(struct parser *parser, struct err *err)
{
	skip_blanks(parser);
	skip_comment(parser);
	if (parser->rest.len > 0 && peek(parser) != '\n' && !view_starts(parser->rest, "\r\n"))
		return malformed(parser, "more on the line than belongs there", err);
	return true;
}

MUST_CHECK static bool append_code_point(struct bytes *out, uint64_t code, struct err *err)
{
	unsigned char utf8[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		utf8[i] = (unsigned char)(0x80 | (code & 0x3f));
	utf8[0] = (unsigned char)(first[len] | code);
	return bytes_append(out, utf8, len, err);
}

MUST_CHECK static bool read_unicode(struct parser *parser, struct bytes *out, size_t digit_count,
				    struct err *err)
{
	struct view digits = { parser->rest.ptr + 1, digit_count };
	uint64_t code = 0;

	if (parser->rest.len <= digit_count || !view_number(digits, 16, 0x10ffff, &code) ||
	    code == 0 || (code >= 0xd800 && code < 0xe000))
		return malformed(parser, "a malformed \\u in a string", err);
	skip(parser, digit_count);
	return append_code_point(out, code, err);
}

/* Behind a backslash. */
MUST_CHECK static bool read_escape(struct parser *parser, struct bytes *out, struct err *err)
{
	static const char escapes[] = "btnfr\"\\", meant[] = "\b\t\n\f\r\"\\";
	char byte = peek(parser);
	const char *found = byte ? strchr(escapes, byte) : NULL;
	bool is_ok = false;

	if (byte == 'u' || byte == 'U')
		is_ok = read_unicode(parser, out, byte == 'u' ? 4 : 8, err);
	else if (found)
		is_ok = bytes_append(out, meant + (found - escapes), 1, err);
	else
		return malformed(parser, "an unknown escape in a string", err);
	skip(parser, 1);
	return is_ok;
}

/* "basic" with escapes, or 'literal' without. */
MUST_CHECK static bool read_string(struct parser *parser, struct bytes *out, struct err *err)
{
	char quote = peek(parser);

	if (view_starts(parser->rest, "\"\"\"") || view_starts(parser->rest, "'''"))
		return err_set(err, ERR_UNSUPPORTED, "line %u: a string of several lines",
			       parser->line);
	skip(parser, 1);
	while (parser->rest.len > 0 && peek(parser) != quote) {
		char byte = peek(parser);

		if (((unsigned char)byte < ' ' && byte != '\t') || byte == 0x7f)
			return malformed(parser, "a string that does not end on its line", err);
		skip(parser, 1);
		if (quote == '"' && byte == '\\' ? !read_escape(parser, out, err)
						 : !bytes_append(out, &byte, 1, err))
			return false;
	}
	if (parser->rest.len == 0)
		return malformed(parser, "a string does not end", err);
	skip(parser, 1);
	return bytes_append(out, "", 0, err);
}

static bool is_bare_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

MUST_CHECK static bool read_simple_key(struct parser *parser, struct bytes *out, struct err *err)
{
	size_t len = 0;

	if (peek(parser) == '"' || peek(parser) == '\'') {
		if (!read_string(parser, out, err))
			return false;
		if (out->len > 0 && memchr(out->data, key_separator, out->len))
			return malformed(parser, "a control character in a key", err);
		return true;
	}
	while (len < parser->rest.len && is_bare_byte(parser->rest.ptr[len]))
		len++;
	if (len == 0)
		return malformed(parser, "a key is expected", err);
	if (!bytes_append(out, parser->rest.ptr, len, err))
		return false;
	skip(parser, len);
	return true;
}

MUST_CHECK static bool add_table(struct parser *parser, const char *path, struct json_t *json,
				 struct err *err)
{
	if (parser->table_count == TABLE_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d tables", TABLE_COUNT_MAX);
	char *copy = view_copy(view_of(path));

	if (!copy || !json) {
		free(copy);
		return err_memory(err, "a TOML file");
	}
	parser->tables[parser->table_count++] = (struct table){ .path = copy, .json = json };
	return true;
}

/* The table under key in a table, made if it is not there. */
MUST_CHECK static bool enter(struct parser *parser, size_t *table, const char *key, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes path = bytes_capped(64 << 10);

	if (!bytes_print(&path, err, "%s%s%c", parser->tables[*table].path, key, key_separator))
		return false;
	for (size_t i = 0; i < parser->table_count; i++)
		if (strcmp(parser->tables[i].path, path.data) == 0) {
			*table = i;
			return true;
		}
	if (json_has(parser->tables[*table].json, key))
		return malformed(parser, "a value is used as a table", err);
	struct json_t *json = json_new_object();

	if (!add_table(parser, path.data, json, err)) {
		json_freep(&json);
		return false;
	}
	json_put(parser->tables[*table].json, key, json);
	*table = parser->table_count - 1;
	return true;
}

/* "a.b.c": goes down into the tables of all parts but the last, which is left in out. */
MUST_CHECK static bool read_key(struct parser *parser, size_t *table, struct bytes *out,
				struct err *err)
{
	for (;;) {
		bytes_clear(out);
		skip_blanks(parser);
		if (!read_simple_key(parser, out, err))
			return false;
		skip_blanks(parser);
		if (peek(parser) != '.')
			return true;
		skip(parser, 1);
		if (!enter(parser, table, out->data, err))
			return false;
	}
}

MUST_CHECK static bool read_value(struct parser *parser, struct json_t **out, unsigned depth,
				  struct err *err);

MUST_CHECK static bool read_array(struct parser *parser, struct json_t **out, unsigned depth,
				  struct err *err)
{
	CLEANUP(json_freep) struct json_t *array = json_new_array();

	if (!array)
		return err_memory(err, "a TOML file");
	skip(parser, 1);
	for (skip_lines(parser); peek(parser) != ']'; skip_lines(parser)) {
		struct json_t *item = NULL;

		if (!read_value(parser, &item, depth, err))
			return false;
		json_add(array, item);
		skip_lines(parser);
		if (peek(parser) == ',')
			skip(parser, 1);
		else if (peek(parser) != ']')
			return malformed(parser, "an array does not go on", err);
	}
	skip(parser, 1);
	*out = ptr_take(&array);
	return true;
}

/* { a = 1, b = "x" } on one line; its keys are not dotted here. */
MUST_CHECK static bool read_inline_table(struct parser *parser, struct json_t **out, unsigned depth,
					 struct err *err)
{
	CLEANUP(json_freep) struct json_t *table = json_new_object();
	CLEANUP(bytes_freep) struct bytes key = bytes_capped(KEY_BYTES_MAX);

	if (!table)
		return err_memory(err, "a TOML file");
	skip(parser, 1);
	for (skip_blanks(parser); peek(parser) != '}'; skip_blanks(parser)) {
		struct json_t *value = NULL;

		bytes_clear(&key);
		if (!read_simple_key(parser, &key, err))
			return false;
		skip_blanks(parser);
		if (peek(parser) != '=' || json_has(table, key.data))
			return malformed(parser, "a malformed inline table", err);
		skip(parser, 1);
		if (!read_value(parser, &value, depth, err))
			return false;
		json_put(table, key.data, value);
		skip_blanks(parser);
		if (peek(parser) == ',')
			skip(parser, 1);
		else if (peek(parser) != '}')
			return malformed(parser, "a malformed inline table", err);
	}
	skip(parser, 1);
	*out = ptr_take(&table);
	return true;
}

/* true, false, or a whole number; anything else that TOML has is refused. */
MUST_CHECK static bool read_word(struct parser *parser, struct json_t **out, struct err *err)
{
	struct view word = { parser->rest.ptr, 0 };
	uint64_t number = 0;

	while (word.len < parser->rest.len &&
	       (is_bare_byte(word.ptr[word.len]) || strchr("+.:", word.ptr[word.len])) &&
	       word.ptr[word.len])
		word.len++;
	if (word.len == 0)
		return malformed(parser, "a value is expected", err);
	if (view_equal(word, "true") || view_equal(word, "false"))
		*out = json_new_bool(view_equal(word, "true"));
	else if (view_number(word, 10, INT64_MAX, &number))
		*out = json_new_size(number);
	else
		return err_set(err, ERR_UNSUPPORTED, "line %u: value %.*s", parser->line,
			       word.len > 40 ? 40 : (int)word.len, word.ptr);
	skip(parser, word.len);
	return *out || err_memory(err, "a TOML file");
}

MUST_CHECK static bool read_value(struct parser *parser, struct json_t **out, unsigned depth,
				  struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(TEXT_BYTES_MAX);

	if (depth >= DEPTH_MAX)
		return err_set(err, ERR_UNSUPPORTED, "line %u: nested deeper than %d", parser->line,
			       DEPTH_MAX);
	skip_blanks(parser);
	switch (peek(parser)) {
	case '"':
	case '\'':
		if (!read_string(parser, &text, err))
			return false;
		*out = json_new_text(bytes_view(&text));
		return *out || err_memory(err, "a TOML file");
	case '[':
		return read_array(parser, out, depth + 1, err);
	case '{':
		return read_inline_table(parser, out, depth + 1, err);
	default:
		return read_word(parser, out, err);
	}
}

MUST_CHECK static bool read_header(struct parser *parser, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes key = bytes_capped(KEY_BYTES_MAX);
	size_t table = 0;

	skip(parser, 1);
	if (peek(parser) == '[')
		return err_set(err, ERR_UNSUPPORTED, "line %u: an array of tables", parser->line);
	if (!read_key(parser, &table, &key, err) || !enter(parser, &table, key.data, err))
		return false;
	if (peek(parser) != ']')
		return malformed(parser, "a table's header does not end", err);
	skip(parser, 1);
	if (parser->tables[table].is_closed)
		return malformed(parser, "a table is defined twice", err);
	parser->tables[table].is_closed = true;
	parser->current = table;
	return end_of_line(parser, err);
}

MUST_CHECK static bool read_pair(struct parser *parser, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes key = bytes_capped(KEY_BYTES_MAX);
	struct json_t *value = NULL;
	size_t table = parser->current;

	if (!read_key(parser, &table, &key, err))
		return false;
	if (peek(parser) != '=')
		return malformed(parser, "a key without a value", err);
	skip(parser, 1);
	if (json_has(parser->tables[table].json, key.data))
		return malformed(parser, "a key is defined twice", err);
	if (!read_value(parser, &value, 0, err))
		return false;
	json_put(parser->tables[table].json, key.data, value);
	return end_of_line(parser, err);
}

bool toml_parse(struct json_t **out, struct view text, struct err *err)
{
	CLEANUP(parser_freep) struct parser *parser = calloc(1, sizeof(*parser));
	CLEANUP(json_freep) struct json_t *root = json_new_object();

	if (!parser || !root)
		return err_memory(err, "a TOML file");
	if (text.len > TEXT_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a TOML file over %d bytes", TEXT_BYTES_MAX);
	parser->rest = text;
	parser->line = 1;
	if (!add_table(parser, "", root, err))
		return false;
	for (skip_lines(parser); parser->rest.len > 0; skip_lines(parser))
		if (peek(parser) == '[' ? !read_header(parser, err) : !read_pair(parser, err))
			return false;
	*out = ptr_take(&root);
	return true;
}
