#include "json.h"

#include <string.h>

#include <jansson.h>

enum { DEPTH_MAX = 64 };

/* jansson recurses once a level; its own limit (2,048) is compiled in, so ours is checked on the
 * text before it starts. */
static bool is_too_deep(struct view text)
{
	bool is_in_string = false;
	int depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];

		if (is_in_string) {
			if (byte == '\\')
				i++;
			else if (byte == '"')
				is_in_string = false;
		} else if (byte == '"') {
			is_in_string = true;
		} else if (byte == '{' || byte == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (byte == '}' || byte == ']') {
			depth--;
		}
	}
	return false;
}

bool json_parse(struct json_t **out, struct view text, struct err *err)
{
	json_error_t failure;

	if (is_too_deep(text))
		return err_set(err, ERR_FORMAT, "JSON nested deeper than %d levels", DEPTH_MAX);
	json_t *json = json_loadb(text.ptr ? text.ptr : "", text.len,
				  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &failure);

	if (!json)
		return err_set(err, ERR_FORMAT, "not JSON: line %d column %d: %s", failure.line,
			       failure.column, failure.text);
	*out = json;
	return true;
}

void json_freep(struct json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

static const json_t *member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

bool json_has(const struct json_t *object, const char *key)
{
	return member(object, key) != NULL;
}

MUST_CHECK static bool missing(const char *key, struct err *err)
{
	return err_set(err, ERR_FORMAT, "\"%s\" is missing", key);
}

bool json_want_string(const struct json_t *object, const char *key, const char **out,
		      struct err *err)
{
	const json_t *value = member(object, key);

	if (value && !json_is_string(value))
		return err_set(err, ERR_FORMAT, "\"%s\" is not a string", key);
	*out = json_string_value(value);
	return true;
}

bool json_want_object(const struct json_t *object, const char *key, const struct json_t **out,
		      struct err *err)
{
	const json_t *value = member(object, key);

	if (value && !json_is_object(value))
		return err_set(err, ERR_FORMAT, "\"%s\" is not an object", key);
	*out = value;
	return true;
}

bool json_want_array(const struct json_t *object, const char *key, const struct json_t **out,
		     struct err *err)
{
	const json_t *value = member(object, key);

	if (value && !json_is_array(value))
		return err_set(err, ERR_FORMAT, "\"%s\" is not an array", key);
	*out = value;
	return true;
}

bool json_want_size(const struct json_t *object, const char *key, uint64_t *out, struct err *err)
{
	const json_t *value = member(object, key);

	if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
		return err_set(err, ERR_FORMAT, "\"%s\" is not a whole number of 0 or more", key);
	*out = value ? (uint64_t)json_integer_value(value) : 0;
	return true;
}

bool json_want_bool(const struct json_t *object, const char *key, bool *out, struct err *err)
{
	const json_t *value = member(object, key);

	if (value && !json_is_boolean(value))
		return err_set(err, ERR_FORMAT, "\"%s\" is neither true nor false", key);
	*out = json_is_true(value);
	return true;
}

bool json_need_string(const struct json_t *object, const char *key, const char **out,
		      struct err *err)
{
	return member(object, key) ? json_want_string(object, key, out, err) : missing(key, err);
}

bool json_need_object(const struct json_t *object, const char *key, const struct json_t **out,
		      struct err *err)
{
	return member(object, key) ? json_want_object(object, key, out, err) : missing(key, err);
}

bool json_need_array(const struct json_t *object, const char *key, const struct json_t **out,
		     struct err *err)
{
	return member(object, key) ? json_want_array(object, key, out, err) : missing(key, err);
}

bool json_need_size(const struct json_t *object, const char *key, uint64_t *out, struct err *err)
{
	return member(object, key) ? json_want_size(object, key, out, err) : missing(key, err);
}

size_t json_count(const struct json_t *array)
{
	return json_array_size(array);
}

const struct json_t *json_item(const struct json_t *array, size_t index)
{
	return json_array_get(array, index);
}

const char *json_text(const struct json_t *item)
{
	return json_string_value(item);
}

bool json_size(const struct json_t *item, uint64_t *out)
{
	if (!json_is_integer(item) || json_integer_value(item) < 0)
		return false;
	*out = (uint64_t)json_integer_value(item);
	return true;
}

/* jansson's iterators want a mutable object though they only read. */
static json_t *mutable(const json_t *object)
{
	json_t *same = NULL;

	memcpy(&same, &object, sizeof(same));
	return same;
}

bool json_next_member(const struct json_t *object, void **position, const char **key,
		      const struct json_t **value)
{
	*position = *position ? json_object_iter_next(mutable(object), *position) :
				json_object_iter(mutable(object));
	if (!*position)
		return false;
	*key = json_object_iter_key(*position);
	*value = json_object_iter_value(*position);
	return true;
}

struct json_t *json_new_object(void)
{
	return json_object();
}

struct json_t *json_new_array(void)
{
	return json_array();
}

struct json_t *json_new_size(uint64_t value)
{
	return json_integer((json_int_t)value);
}

struct json_t *json_new_bool(bool value)
{
	return json_boolean(value);
}

void json_put(struct json_t *object, const char *key, struct json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *text_of_bytes(struct view text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	CLEANUP(bytes_freep) struct bytes utf8 = bytes_capped(SIZE_MAX / 2);
	struct err ignored;

	for (size_t i = 0; i < text.len; i++) {
		bool is_ascii = (unsigned char)text.ptr[i] < 0x80;

		if (!bytes_append(&utf8, is_ascii ? text.ptr + i : replacement,
				  is_ascii ? 1 : strlen(replacement), &ignored))
			return NULL;
	}
	return json_stringn(utf8.data ? utf8.data : "", utf8.len);
}

struct json_t *json_new_text(struct view text)
{
	json_t *json = json_stringn(text.ptr ? text.ptr : "", text.len);

	return json ? json : text_of_bytes(text);
}

void json_put_view(struct json_t *object, const char *key, struct view text)
{
	json_put(object, key, json_new_text(text));
}

void json_put_text(struct json_t *object, const char *key, const char *text)
{
	json_put(object, key, text ? json_new_text(view_of(text)) : json_null());
}

void json_put_size(struct json_t *object, const char *key, uint64_t value)
{
	json_put(object, key, json_integer((json_int_t)value));
}

void json_put_bool(struct json_t *object, const char *key, bool value)
{
	json_put(object, key, json_boolean(value));
}

struct json_t *json_object_at(struct json_t *object, const char *key)
{
	json_t *inner = json_object_get(object, key);

	if (json_is_object(inner))
		return inner;
	inner = json_object();
	return json_object_set_new(object, key, inner) == 0 ? inner : NULL;
}

void json_add(struct json_t *array, struct json_t *value)
{
	json_array_append_new(array, value);
}

void json_add_text(struct json_t *array, const char *text)
{
	json_add(array, text ? json_new_text(view_of(text)) : json_null());
}

void json_add_size(struct json_t *array, uint64_t value)
{
	json_add(array, json_integer((json_int_t)value));
}

static int append_part(const char *part, size_t len, void *out)
{
	struct err ignored;

	return bytes_append(out, part, len, &ignored) ? 0 : -1;
}

bool json_print(struct bytes *out, const struct json_t *json, enum json_style style,
		struct err *err)
{
	size_t flags = JSON_ENCODE_ANY | (style == JSON_INDENTED ? JSON_INDENT(2) : JSON_COMPACT);

	if (json_dump_callback(json, append_part, out, flags) < 0)
		return err_set(err, ERR_IO, "a JSON document could not be printed");
	return true;
}
