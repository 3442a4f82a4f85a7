#include "settings.h"

#include <string.h>

#include "base/json.h"
#include "init/contract/config_lists.h"

enum {
	GRACE_SECONDS_DEFAULT = 10, /* docker stop */
	GRACE_SECONDS_MAX = 24 * 3600,
	GPU_TIMEOUT_SECONDS_DEFAULT = 60,
};

/* All readers: an absent key leaves out as it is. */
MUST_CHECK static bool read_text(struct arena *arena, const struct json_t *object, const char *key,
				 const char **out, struct err *err)
{
	const char *text = NULL;

	if (!json_want_string(object, key, &text, err))
		return false;
	if (!text)
		return true;
	*out = arena_copy(arena, text, strlen(text));
	return *out || err_memory(err, "a setting");
}

MUST_CHECK static bool read_path(struct arena *arena, const struct json_t *object, const char *key,
				 const char **out, struct err *err)
{
	const char *text = NULL;

	if (!read_text(arena, object, key, &text, err))
		return false;
	if (text && text[0] != '/')
		return err_set(err, ERR_FORMAT, "\"%s\" is not absolute: %.200s", key, text);
	if (text)
		*out = text;
	return true;
}

MUST_CHECK static bool read_list(struct arena *arena, const struct json_t *object, const char *key,
				 struct text_list *out, struct err *err)
{
	return !json_has(object, key) || list_read_texts(arena, object, key, out, err);
}

MUST_CHECK static bool read_number(const struct json_t *object, const char *key, uint32_t max,
				   uint32_t *out, struct err *err)
{
	uint64_t value = 0;

	if (!json_want_size(object, key, &value, err))
		return false;
	if (value > max)
		return err_set(err, ERR_FORMAT, "\"%s\" is over %u", key, max);
	if (json_has(object, key))
		*out = (uint32_t)value;
	return true;
}

MUST_CHECK static bool read_flag(const struct json_t *object, const char *key, bool *out,
				 struct err *err)
{
	bool value = *out;

	if (!json_has(object, key))
		return true;
	if (!json_want_bool(object, key, &value, err))
		return false;
	*out = value;
	return true;
}

/* One of the words. */
MUST_CHECK static bool read_word(const struct json_t *object, const char *key,
				 const char *const *words, size_t word_count, size_t *index,
				 struct err *err)
{
	const char *text = NULL;

	if (!json_want_string(object, key, &text, err))
		return false;
	for (size_t i = 0; text && i < word_count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*index = i;
			return true;
		}
	}
	return !text || err_set(err, ERR_FORMAT, "\"%s\" cannot be \"%.100s\"", key, text);
}

/* Adds to what out has. */
MUST_CHECK static bool read_pairs(struct arena *arena, const struct json_t *document,
				  const char *key, struct setting_pairs *out, struct err *err)
{
	const struct json_t *object = NULL, *value;
	void *position = NULL;
	const char *name;
	size_t count = 0;

	if (!json_want_object(document, key, &object, err))
		return false;
	while (json_next_member(object, &position, &name, &value))
		count++;
	if (count > LIST_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "\"%s\" has over %d members", key,
			       LIST_COUNT_MAX);
	struct setting_pair *items =
		arena_take(arena, (out->count + count + 1) * sizeof(*items));

	if (!items)
		return err_memory(err, "a setting");
	if (out->count > 0)
		memcpy(items, out->items, out->count * sizeof(*items));
	position = NULL;
	for (size_t i = out->count; json_next_member(object, &position, &name, &value); i++) {
		if (!json_text(value))
			return err_set(err, ERR_FORMAT, "\"%.100s\" of \"%s\" is not a string",
				       name, key);
		items[i].name = arena_copy(arena, name, strlen(name));
		items[i].value = arena_copy(arena, json_text(value), strlen(json_text(value)));
		if (!items[i].name || !items[i].value)
			return err_memory(err, "a setting");
	}
	*out = (struct setting_pairs){ items, out->count + count };
	return true;
}

MUST_CHECK static bool find_objects(struct arena *arena, const struct json_t *object,
				    const char *key, size_t item_bytes,
				    const struct json_t **array, void **items, struct err *err)
{
	if (!json_want_array(object, key, array, err))
		return false;
	if (json_count(*array) > LIST_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "\"%s\" has over %d items", key,
			       LIST_COUNT_MAX);
	*items = arena_take(arena, (json_count(*array) + 1) * item_bytes);
	return *items || err_memory(err, "a setting");
}

MUST_CHECK static bool read_routes(struct arena *arena, const struct json_t *object,
				   struct setting_interface *interface, struct err *err)
{
	const struct json_t *array = NULL;
	void *items = NULL;

	if (!find_objects(arena, object, "routes", sizeof(struct setting_route), &array, &items,
			  err))
		return false;
	struct setting_route *routes = items;

	for (size_t i = 0; i < json_count(array); i++)
		if (!list_read_text(arena, json_item(array, i), "to", &routes[i].to, err) ||
		    !read_text(arena, json_item(array, i), "via", &routes[i].via, err))
			return err_wrap(err, "\"routes\" item %zu", i + 1);
	interface->routes = routes;
	interface->route_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_interfaces(struct settings *settings, const struct json_t *document,
				       struct err *err)
{
	struct arena *arena = &settings->arena;
	const struct json_t *array = NULL;
	void *items = NULL;

	if (!json_has(document, "network"))
		return true;
	if (!find_objects(arena, document, "network", sizeof(struct setting_interface), &array,
			  &items, err))
		return false;
	struct setting_interface *interfaces = items;

	for (size_t i = 0; i < json_count(array); i++) {
		const struct json_t *object = json_item(array, i);

		if (!read_text(arena, object, "interface", &interfaces[i].name, err) ||
		    !read_text(arena, object, "mac", &interfaces[i].mac, err) ||
		    !list_read_texts(arena, object, "addresses", &interfaces[i].addresses, err) ||
		    !read_number(object, "mtu", 65535, &interfaces[i].mtu, err) ||
		    !read_routes(arena, object, &interfaces[i], err))
			return err_wrap(err, "\"network\" item %zu", i + 1);
	}
	settings->interfaces = interfaces;
	settings->interface_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_mounts(struct settings *settings, const struct json_t *document,
				   struct err *err)
{
	struct arena *arena = &settings->arena;
	const struct json_t *array = NULL;
	void *items = NULL;

	if (!json_has(document, "mounts"))
		return true;
	if (!find_objects(arena, document, "mounts", sizeof(struct setting_mount), &array, &items,
			  err))
		return false;
	struct setting_mount *mounts = items;

	for (size_t i = 0; i < json_count(array); i++) {
		const struct json_t *object = json_item(array, i);

		mounts[i].options = "";
		if (!list_read_text(arena, object, "source", &mounts[i].source, err) ||
		    !read_path(arena, object, "target", &mounts[i].target, err) ||
		    !read_text(arena, object, "type", &mounts[i].type, err) ||
		    !read_text(arena, object, "options", &mounts[i].options, err) ||
		    !read_flag(object, "read-only", &mounts[i].is_read_only, err))
			return err_wrap(err, "\"mounts\" item %zu", i + 1);
		if (!mounts[i].target)
			return err_set(err, ERR_FORMAT,
				       "\"mounts\" item %zu: \"target\" is missing", i + 1);
	}
	settings->mounts = mounts;
	settings->mount_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_process(struct settings *settings, const struct json_t *document,
				    struct err *err)
{
	struct arena *arena = &settings->arena;

	return read_list(arena, document, "entrypoint", &settings->entrypoint, err) &&
	       read_list(arena, document, "cmd", &settings->cmd, err) &&
	       read_pairs(arena, document, "env", &settings->env, err) &&
	       read_text(arena, document, "user", &settings->user, err) &&
	       read_path(arena, document, "workdir", &settings->working_dir, err) &&
	       read_flag(document, "terminal", &settings->has_terminal, err) &&
	       read_pairs(arena, document, "rlimits", &settings->rlimits, err) &&
	       read_list(arena, document, "capabilities", &settings->capabilities, err) &&
	       read_flag(document, "no-new-privs", &settings->no_new_privs, err) &&
	       read_number(document, "grace-seconds", GRACE_SECONDS_MAX,
			   &settings->grace_seconds, err);
}

MUST_CHECK static bool read_machine(struct settings *settings, const struct json_t *document,
				    struct err *err)
{
	struct arena *arena = &settings->arena;

	return read_text(arena, document, "hostname", &settings->hostname, err) &&
	       read_list(arena, document, "dns", &settings->dns, err) &&
	       read_list(arena, document, "dns-search", &settings->dns_search, err) &&
	       read_list(arena, document, "dns-options", &settings->dns_options, err) &&
	       read_list(arena, document, "hosts", &settings->hosts, err) &&
	       read_text(arena, document, "shm-size", &settings->shm_size, err) &&
	       read_pairs(arena, document, "sysctls", &settings->sysctls, err) &&
	       read_text(arena, document, "report-port", &settings->report_port, err) &&
	       read_number(document, "report-vsock-port", UINT32_MAX - 1,
			   &settings->report_vsock_port, err) &&
	       read_text(arena, document, "overlay", &settings->overlay, err) &&
	       read_flag(document, "grow", &settings->grow, err) &&
	       read_flag(document, "lock-modules", &settings->lock_modules, err);
}

MUST_CHECK static bool read_policies(struct settings *settings, const struct json_t *document,
				     struct err *err)
{
	static const char *const shutdowns[] = { "auto", "poweroff", "reboot" };
	static const char *const policies[] = { "none", "optional", "required" };
	size_t shutdown = settings->shutdown, policy = SIZE_MAX;

	if (!read_word(document, "shutdown", shutdowns, 3, &shutdown, err) ||
	    !read_word(document, "gpu", policies, 3, &policy, err) ||
	    !read_flag(document, "gpu-scan", &settings->gpu_scan, err) ||
	    !read_number(document, "gpu-timeout-seconds", 3600, &settings->gpu_timeout_seconds,
			 err))
		return false;
	settings->shutdown = (enum shutdown)shutdown;
	if (policy != SIZE_MAX) {
		settings->has_gpu_policy = true;
		settings->gpu_policy = (enum gpu_policy)policy;
	}
	return true;
}

struct settings settings_default(void)
{
	return (struct settings){
		.grace_seconds = GRACE_SECONDS_DEFAULT,
		.gpu_scan = true,
		.gpu_timeout_seconds = GPU_TIMEOUT_SECONDS_DEFAULT,
		.lock_modules = true,
	};
}

bool settings_apply(struct settings *settings, const struct json_t *document, struct err *err)
{
	return read_process(settings, document, err) && read_machine(settings, document, err) &&
	       read_interfaces(settings, document, err) && read_mounts(settings, document, err) &&
	       read_policies(settings, document, err);
}

void settings_freep(struct settings *settings)
{
	arena_freep(&settings->arena);
	*settings = (struct settings){ 0 };
}
