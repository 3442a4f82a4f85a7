#include "settings_keys.h"

#include "base/json.h"

enum key_kind { KEY_TEXT, KEY_NUMBER, KEY_FLAG, KEY_LIST, KEY_PAIRS, KEY_OBJECTS };

/* All there are; settings.schema.json says the same to people and editors. */
static const struct key {
	const char *name;
	enum key_kind kind;
} keys[] = {
	{ SETTING_ENTRYPOINT, KEY_LIST },
	{ SETTING_CMD, KEY_LIST },
	{ SETTING_ENV, KEY_PAIRS },
	{ SETTING_USER, KEY_TEXT },
	{ SETTING_WORKDIR, KEY_TEXT },
	{ SETTING_TERMINAL, KEY_FLAG },
	{ SETTING_HOSTNAME, KEY_TEXT },
	{ "network", KEY_OBJECTS },
	{ "dns", KEY_LIST },
	{ "dns-search", KEY_LIST },
	{ "dns-options", KEY_LIST },
	{ "hosts", KEY_LIST },
	{ "mounts", KEY_OBJECTS },
	{ "shm-size", KEY_TEXT },
	{ "rlimits", KEY_PAIRS },
	{ "sysctls", KEY_PAIRS },
	{ "capabilities", KEY_LIST },
	{ "no-new-privs", KEY_FLAG },
	{ SETTING_REPORT_PORT, KEY_TEXT },
	{ SETTING_REPORT_VSOCK_PORT, KEY_NUMBER },
	{ "grace-seconds", KEY_NUMBER },
	{ "shutdown", KEY_TEXT },
	{ "gpu", KEY_TEXT },
	{ "gpu-scan", KEY_FLAG },
	{ "gpu-timeout-seconds", KEY_NUMBER },
	{ "lock-modules", KEY_FLAG },
	{ "grow", KEY_FLAG },
	{ SETTING_OVERLAY, KEY_TEXT },
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

size_t settings_key_count(void)
{
	return KEY_COUNT;
}

static const struct key *find_key(struct view name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (view_equal(name, keys[i].name))
			return &keys[i];
	return NULL;
}

const char *settings_unknown_key(const struct json_t *document, void **position)
{
	const struct json_t *value;
	const char *name;

	while (json_next_member(document, position, &name, &value))
		if (!find_key(view_of(name)))
			return name;
	return NULL;
}

static struct json_t *split(struct view text)
{
	struct json_t *array = json_new_array();

	while (text.len > 0)
		json_add(array, json_new_text(view_cut(&text, ',')));
	return array;
}

MUST_CHECK static bool put_flag(struct json_t *object, const char *key, struct view value,
				struct err *err)
{
	bool is_on = value.len == 0 || view_equal(value, "on") || view_equal(value, "true") ||
		     view_equal(value, "1");
	bool is_off = view_equal(value, "off") || view_equal(value, "false") ||
		      view_equal(value, "0");

	if (!is_on && !is_off)
		return err_set(err, ERR_FORMAT, "\"%s\" is neither on nor off: %.*s", key,
			       VIEW_ARGS(value));
	json_put_bool(object, key, is_on);
	return true;
}

MUST_CHECK static bool put_value(struct json_t *object, const struct key *key, struct view value,
				 struct err *err)
{
	struct json_t *json = NULL;
	uint64_t number = 0;

	if (view_starts(value, "[") || view_starts(value, "{")) {
		if (!json_parse(&json, value, err))
			return err_wrap(err, "\"%s\"", key->name);
		json_put(object, key->name, json);
		return true;
	}
	switch (key->kind) {
	case KEY_TEXT:
		json_put_view(object, key->name, value);
		return true;
	case KEY_NUMBER:
		if (!view_number(value, 10, UINT32_MAX, &number))
			return err_set(err, ERR_FORMAT, "\"%s\" is no number: %.*s", key->name,
				       VIEW_ARGS(value));
		json_put_size(object, key->name, number);
		return true;
	case KEY_FLAG:
		return put_flag(object, key->name, value, err);
	case KEY_LIST:
		json_put(object, key->name, split(value));
		return true;
	case KEY_PAIRS:
	case KEY_OBJECTS:
		break;
	}
	return err_set(err, ERR_FORMAT, "\"%s\" has to be JSON", key->name);
}

MUST_CHECK static bool put_member(struct json_t *object, struct view name, struct view value,
				  struct err *err)
{
	CLEANUP(freep) char *copy = view_copy(name);

	if (!copy)
		return err_memory(err, "a setting");
	json_put_view(object, copy, value);
	return true;
}

bool settings_put(struct json_t *document, struct view name, struct view value, struct err *err)
{
	struct view part = name, first = view_cut(&part, '.');
	const struct key *key = find_key(first);

	if (!key)
		return put_member(document, first, value, err);
	if (!part.ptr)
		return put_value(document, key, value, err);
	if (key->kind != KEY_PAIRS || part.len == 0)
		return err_set(err, ERR_FORMAT, "\"%s\" has no part \"%.*s\"", key->name,
			       VIEW_ARGS(part));
	return put_member(json_object_at(document, key->name), part, value, err);
}
