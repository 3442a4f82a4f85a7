#include "config_lists.h"

#include <string.h>
#include <sys/stat.h>

MUST_CHECK static bool find_array(const struct json_t *object, const char *key,
				  const struct json_t **out, struct err *err)
{
	if (!json_want_array(object, key, out, err))
		return false;
	if (json_count(*out) > LIST_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "\"%s\" has over %d items", key,
			       LIST_COUNT_MAX);
	return true;
}

MUST_CHECK static bool take_array(struct arena *arena, size_t count, size_t item_bytes, void **out,
				  struct err *err)
{
	*out = arena_take(arena, (count + 1) * item_bytes);
	return *out || err_memory(err, "a list of the boot configuration");
}

bool list_take(struct arena *arena, const struct json_t *object, const char *key,
	       size_t item_bytes, const struct json_t **out, void **room, struct err *err)
{
	return find_array(object, key, out, err) &&
	       take_array(arena, json_count(*out), item_bytes, room, err);
}

MUST_CHECK static bool copy_text(struct arena *arena, const char *text, const char **out,
				 struct err *err)
{
	*out = arena_copy(arena, text, strlen(text));
	return *out || err_memory(err, "a text of the boot configuration");
}

bool list_read_texts(struct arena *arena, const struct json_t *object, const char *key,
		     struct text_list *out, struct err *err)
{
	const struct json_t *array = NULL;
	void *room = NULL;

	if (!find_array(object, key, &array, err))
		return false;
	size_t count = json_count(array);

	if (!array) {
		*out = (struct text_list){ 0 };
		return true;
	}
	if (!take_array(arena, count, sizeof(char *), &room, err))
		return false;
	const char **items = room;

	for (size_t i = 0; i < count; i++) {
		const char *text = json_text(json_item(array, i));

		if (!text)
			return err_set(err, ERR_FORMAT, "\"%s\" has an item that is no string",
				       key);
		if (!copy_text(arena, text, &items[i], err))
			return false;
	}
	*out = (struct text_list){ items, count };
	return true;
}

bool list_read_number(const struct json_t *object, const char *key, uint32_t max, uint32_t *out,
		      struct err *err)
{
	uint64_t value = 0;

	if (!json_need_size(object, key, &value, err))
		return false;
	if (value > max)
		return err_set(err, ERR_FORMAT, "\"%s\" is over %u", key, max);
	*out = (uint32_t)value;
	return true;
}

bool list_read_text(struct arena *arena, const struct json_t *object, const char *key,
		    const char **out, struct err *err)
{
	const char *text = NULL;

	return json_need_string(object, key, &text, err) && copy_text(arena, text, out, err);
}

bool list_want_text(struct arena *arena, const struct json_t *object, const char *key,
		    const char **out, struct err *err)
{
	if (json_has(object, key))
		return list_read_text(arena, object, key, out, err);
	*out = NULL;
	return true;
}

MUST_CHECK static bool read_module(struct arena *arena, const struct json_t *object,
				   struct boot_module *out, struct err *err)
{
	if (!list_read_text(arena, object, "name", &out->name, err) ||
	    !list_read_text(arena, object, "path", &out->path, err) ||
	    !list_read_text(arena, object, "params", &out->params, err) ||
	    !list_read_texts(arena, object, "needs", &out->needs, err) ||
	    !list_read_texts(arena, object, "aliases", &out->aliases, err) ||
	    !json_want_bool(object, "wanted", &out->is_wanted, err))
		return false;
	if (out->path[0] != '/')
		return err_set(err, ERR_FORMAT, "\"path\" is not absolute: %.200s", out->path);
	return true;
}

bool list_read_modules(struct arena *arena, const struct json_t *object, struct module_list *out,
		       struct err *err)
{
	const struct json_t *array = NULL;
	void *room = NULL;

	if (!list_take(arena, object, "modules", sizeof(struct boot_module), &array, &room, err))
		return false;
	struct boot_module *modules = room;

	for (size_t i = 0; i < json_count(array); i++)
		if (!read_module(arena, json_item(array, i), &modules[i], err))
			return err_wrap(err, "\"modules\" item %zu", i + 1);
	*out = (struct module_list){ modules, json_count(array) };
	return true;
}

MUST_CHECK static bool read_node(struct arena *arena, const struct json_t *object,
				 struct boot_node *out, struct err *err)
{
	const char *type = NULL;
	uint32_t mode = 0;

	if (!list_read_text(arena, object, "path", &out->path, err) ||
	    !json_need_string(object, "type", &type, err) ||
	    !list_read_number(object, "mode", 07777, &mode, err) ||
	    !list_read_number(object, "major", 4095, &out->major, err) ||
	    !list_read_number(object, "minor", (1 << 20) - 1, &out->minor, err) ||
	    !list_read_number(object, "uid", UINT32_MAX, &out->uid, err) ||
	    !list_read_number(object, "gid", UINT32_MAX, &out->gid, err))
		return false;
	if (strcmp(type, "char") != 0 && strcmp(type, "block") != 0)
		return err_set(err, ERR_FORMAT, "\"type\" is neither char nor block");
	if (strncmp(out->path, "/dev/", 5) != 0 || strstr(out->path, "/../"))
		return err_set(err, ERR_FORMAT, "\"path\" is not below /dev: %.200s", out->path);
	out->mode = mode | (strcmp(type, "char") == 0 ? S_IFCHR : S_IFBLK);
	return true;
}

bool list_read_nodes(struct arena *arena, const struct json_t *object,
		     const struct boot_node **nodes, size_t *count, struct err *err)
{
	const struct json_t *array = NULL;
	void *room = NULL;

	if (!list_take(arena, object, "nodes", sizeof(struct boot_node), &array, &room, err))
		return false;
	struct boot_node *items = room;

	for (size_t i = 0; i < json_count(array); i++)
		if (!read_node(arena, json_item(array, i), &items[i], err))
			return err_wrap(err, "\"nodes\" item %zu", i + 1);
	*nodes = items;
	*count = json_count(array);
	return true;
}

struct json_t *list_of_texts(const struct text_list *list)
{
	if (!list->items)
		return NULL;
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_add_text(array, list->items[i]);
	return array;
}

static void put_texts(struct json_t *object, const char *key, const struct text_list *list)
{
	if (list->count > 0)
		json_put(object, key, list_of_texts(list));
}

struct json_t *list_of_modules(const struct module_list *list)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct boot_module *module = &list->modules[i];
		struct json_t *object = json_new_object();

		json_put_text(object, "name", module->name);
		json_put_text(object, "path", module->path);
		json_put_text(object, "params", module->params);
		put_texts(object, "needs", &module->needs);
		put_texts(object, "aliases", &module->aliases);
		if (module->is_wanted)
			json_put_bool(object, "wanted", true);
		json_add(array, object);
	}
	return array;
}

struct json_t *list_of_nodes(const struct boot_node *nodes, size_t count)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_t *object = json_new_object();

		json_put_text(object, "path", nodes[i].path);
		json_put_text(object, "type", S_ISCHR(nodes[i].mode) ? "char" : "block");
		json_put_size(object, "mode", nodes[i].mode & 07777);
		json_put_size(object, "major", nodes[i].major);
		json_put_size(object, "minor", nodes[i].minor);
		json_put_size(object, "uid", nodes[i].uid);
		json_put_size(object, "gid", nodes[i].gid);
		json_add(array, object);
	}
	return array;
}
