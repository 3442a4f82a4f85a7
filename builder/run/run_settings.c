#include "run_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "init/contract/settings.h"
#include "init/contract/settings_keys.h"

/* JSON, which the drive holds, is UTF-8; other bytes would arrive as other ones. */
MUST_CHECK static bool is_utf8(const char *text)
{
	CLEANUP(json_freep) struct json_t *json = json_new_text(view_of(text));
	const char *kept = json_text(json);

	return kept && strcmp(kept, text) == 0;
}

MUST_CHECK static bool check_utf8(const char *text, const char *option, struct err *err)
{
	return is_utf8(text) ||
	       err_set(err, ERR_USAGE, "%s: \"%.200s\" is not UTF-8", option, text);
}

MUST_CHECK static bool put(struct json_t *document, struct view name, struct view value,
			   const char *option, struct err *err)
{
	if (settings_put(document, name, value, err))
		return true;
	err->kind = ERR_USAGE;
	return err_wrap(err, "%s", option);
}

bool run_settings_set(struct json_t *document, const char *assignment, struct err *err)
{
	struct view value = view_of(assignment), name = view_cut(&value, '=');

	return check_utf8(assignment, "--set", err) && put(document, name, value, "--set", err);
}

bool run_settings_put_env(struct json_t *document, const char *assignment, struct err *err)
{
	struct view value = view_of(assignment), name = view_cut(&value, '=');
	CLEANUP(freep) char *key = NULL;

	if (name.len == 0)
		return err_set(err, ERR_USAGE, "--env: \"%.200s\" has no name", assignment);
	if (!value.ptr) {
		const char *here = getenv(assignment);

		if (!here)
			return true;
		value = view_of(here);
		if (!check_utf8(here, "--env", err))
			return false;
	}
	key = malloc(strlen(SETTING_ENV ".") + name.len);
	if (!key)
		return err_memory(err, "a variable");
	memcpy(key, SETTING_ENV ".", strlen(SETTING_ENV "."));
	memcpy(key + strlen(SETTING_ENV "."), name.ptr, name.len);
	return check_utf8(assignment, "--env", err) &&
	       put(document, (struct view){ key, strlen(SETTING_ENV ".") + name.len }, value,
		   "--env", err);
}

bool run_settings_put_text(struct json_t *document, const char *key, const char *text,
			   const char *option, struct err *err)
{
	if (!text)
		return true;
	json_put_text(document, key, text);
	return check_utf8(text, option, err);
}

bool run_settings_put_list(struct json_t *document, const char *key, const char *const *items,
			   size_t count, const char *option, struct err *err)
{
	struct json_t *array = json_new_array();

	json_put(document, key, array);
	for (size_t i = 0; i < count; i++) {
		if (!check_utf8(items[i], option, err))
			return false;
		json_add_text(array, items[i]);
	}
	return true;
}

bool run_settings_check(const struct json_t *document, uint32_t *grace_seconds, struct err *err)
{
	CLEANUP(settings_freep) struct settings settings = settings_default();
	void *position = NULL;
	const char *unknown = settings_unknown_key(document, &position);

	if (unknown)
		return err_set(err, ERR_USAGE, "--set: \"%.100s\" is no setting", unknown);
	if (!settings_apply(&settings, document, err)) {
		err->kind = ERR_USAGE;
		return err_wrap(err, "settings");
	}
	*grace_seconds = settings.grace_seconds;
	return true;
}
