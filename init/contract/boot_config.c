#include "boot_config.h"

#include "base/json.h"
#include "boot_gpu.h"
#include "config_lists.h"

MUST_CHECK static bool read_document(struct json_t **out, struct view text, struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	uint64_t format = 0;

	if (text.len > BOOT_CONFIG_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d bytes", BOOT_CONFIG_BYTES_MAX);
	if (!json_parse(&json, text, err) || !json_need_size(json, "format", &format, err))
		return false;
	if (format != BOOT_CONFIG_FORMAT)
		return err_set(err, ERR_UNSUPPORTED,
			       "format %llu, and this program knows only format %d",
			       (unsigned long long)format, BOOT_CONFIG_FORMAT);
	*out = ptr_take(&json);
	return true;
}

MUST_CHECK static bool read_groups(struct arena *arena, const struct json_t *object,
				   struct boot_user *user, struct err *err)
{
	enum { GROUP_COUNT_MAX = 65536 }; /* the kernel's NGROUPS_MAX */
	const struct json_t *array = NULL;

	if (!json_want_array(object, "groups", &array, err))
		return false;
	if (json_count(array) > GROUP_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d groups", GROUP_COUNT_MAX);
	uint32_t *groups = arena_take(arena, (json_count(array) + 1) * sizeof(*groups));

	if (!groups)
		return err_memory(err, "a list of groups");
	for (size_t i = 0; i < json_count(array); i++) {
		uint64_t gid = 0;

		if (!json_size(json_item(array, i), &gid) || gid > UINT32_MAX)
			return err_set(err, ERR_FORMAT, "\"groups\" has an item that is no gid");
		groups[i] = (uint32_t)gid;
	}
	user->groups = groups;
	user->group_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_user(struct arena *arena, const struct json_t *document,
				 struct boot_user *user, struct err *err)
{
	const struct json_t *object = NULL;

	return json_need_object(document, "user", &object, err) &&
	       list_read_number(object, "uid", UINT32_MAX - 1, &user->uid, err) &&
	       list_read_number(object, "gid", UINT32_MAX - 1, &user->gid, err) &&
	       list_read_text(arena, object, "home", &user->home, err) &&
	       read_groups(arena, object, user, err);
}

MUST_CHECK static bool read_process(struct boot_config *config, const struct json_t *document,
				    struct err *err)
{
	struct arena *arena = &config->arena;
	uint32_t stop_signal = 0;

	if (!list_read_texts(arena, document, "entrypoint", &config->entrypoint, err) ||
	    !list_read_texts(arena, document, "cmd", &config->cmd, err) ||
	    !list_read_texts(arena, document, "env", &config->env, err) ||
	    !list_read_text(arena, document, "working_dir", &config->working_dir, err) ||
	    !list_read_number(document, "stop_signal", 64, &stop_signal, err) ||
	    !read_user(arena, document, &config->user, err))
		return false;
	if (stop_signal == 0)
		return err_set(err, ERR_FORMAT, "\"stop_signal\" is 0");
	if (config->working_dir[0] != '/')
		return err_set(err, ERR_FORMAT, "\"working_dir\" is not absolute: %.200s",
			       config->working_dir);
	config->stop_signal = stop_signal;
	return true;
}

bool boot_config_parse(struct boot_config *out, struct view text, struct err *err)
{
	CLEANUP(boot_config_freep) struct boot_config config = { 0 };
	CLEANUP(json_freep) struct json_t *document = NULL;

	if (!read_document(&document, text, err) || !read_process(&config, document, err) ||
	    !list_read_modules(&config.arena, document, &config.modules, err) ||
	    !list_read_nodes(&config.arena, document, &config.nodes, &config.node_count, err) ||
	    !boot_gpu_read(&config.arena, document, &config.gpu, err))
		return false;
	*out = config;
	config.arena = (struct arena){ 0 };
	return true;
}

void boot_config_freep(struct boot_config *config)
{
	arena_freep(&config->arena);
	*config = (struct boot_config){ 0 };
}

static struct json_t *print_user(const struct boot_user *user)
{
	struct json_t *object = json_new_object(), *groups = json_new_array();

	json_put_size(object, "uid", user->uid);
	json_put_size(object, "gid", user->gid);
	for (size_t i = 0; i < user->group_count; i++)
		json_add_size(groups, user->groups[i]);
	json_put(object, "groups", groups);
	json_put_text(object, "home", user->home);
	return object;
}

static void put_texts(struct json_t *object, const char *key, const struct text_list *list)
{
	if (list->items)
		json_put(object, key, list_of_texts(list));
}

bool boot_config_print(struct bytes *out, const struct boot_config *config, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = json_new_object();

	json_put_size(document, "format", BOOT_CONFIG_FORMAT);
	put_texts(document, "entrypoint", &config->entrypoint);
	put_texts(document, "cmd", &config->cmd);
	put_texts(document, "env", &config->env);
	json_put(document, "user", print_user(&config->user));
	json_put_text(document, "working_dir", config->working_dir);
	json_put_size(document, "stop_signal", config->stop_signal);
	json_put(document, "modules", list_of_modules(&config->modules));
	json_put(document, "nodes", list_of_nodes(config->nodes, config->node_count));
	json_put(document, "gpu", boot_gpu_json(&config->gpu));
	return json_print(out, document, JSON_INDENTED, err) && bytes_append(out, "\n", 1, err);
}

bool initrd_config_parse(struct initrd_config *out, struct view text, struct err *err)
{
	CLEANUP(initrd_config_freep) struct initrd_config config = { 0 };
	CLEANUP(json_freep) struct json_t *document = NULL;

	if (!read_document(&document, text, err) ||
	    !list_read_modules(&config.arena, document, &config.modules, err))
		return false;
	*out = config;
	config.arena = (struct arena){ 0 };
	return true;
}

bool initrd_config_print(struct bytes *out, const struct initrd_config *config, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = json_new_object();

	json_put_size(document, "format", BOOT_CONFIG_FORMAT);
	json_put(document, "modules", list_of_modules(&config->modules));
	return json_print(out, document, JSON_INDENTED, err) && bytes_append(out, "\n", 1, err);
}

void initrd_config_freep(struct initrd_config *config)
{
	arena_freep(&config->arena);
	*config = (struct initrd_config){ 0 };
}
