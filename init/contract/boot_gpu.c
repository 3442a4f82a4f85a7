#include "boot_gpu.h"

#include <stdio.h>
#include <string.h>

#include "config_lists.h"

static const char *const policies[] = {
	[GPU_NONE] = "none",
	[GPU_OPTIONAL] = "optional",
	[GPU_REQUIRED] = "required",
};

enum { POLICY_COUNT = sizeof(policies) / sizeof(policies[0]) };

MUST_CHECK static bool read_policy(const struct json_t *gpu, enum gpu_policy *out, struct err *err)
{
	const char *policy = NULL;

	if (!json_need_string(gpu, "policy", &policy, err))
		return false;
	for (unsigned i = 0; i < POLICY_COUNT; i++) {
		if (strcmp(policy, policies[i]) == 0) {
			*out = (enum gpu_policy)i;
			return true;
		}
	}
	return err_set(err, ERR_FORMAT, "\"policy\" of \"gpu\" is %.100s", policy);
}

MUST_CHECK static bool read_requirements(struct arena *arena, const struct json_t *gpu,
					 struct boot_gpu *out, struct err *err)
{
	const struct json_t *array = NULL;
	void *room = NULL;

	if (!list_take(arena, gpu, "requirements", sizeof(*out->requirements), &array, &room, err))
		return false;
	struct boot_requirement *items = room;

	for (size_t i = 0; i < json_count(array); i++)
		if (!list_read_text(arena, json_item(array, i), "name", &items[i].name, err) ||
		    !list_read_text(arena, json_item(array, i), "predicate", &items[i].predicate,
				    err))
			return err_wrap(err, "\"requirements\" item %zu", i + 1);
	out->requirements = items;
	out->requirement_count = json_count(array);
	return true;
}

/* "10de:2330", as lspci writes it. */
MUST_CHECK static bool read_id(const struct json_t *object, struct boot_gpu_model *out,
			       struct err *err)
{
	const char *text = NULL;
	uint64_t vendor = 0, device = 0;

	if (!json_need_string(object, "id", &text, err))
		return false;
	struct view rest = view_of(text);

	if (rest.len != 9 || !view_number(view_cut(&rest, ':'), 16, UINT16_MAX, &vendor) ||
	    rest.len != 4 || !view_number(rest, 16, UINT16_MAX, &device))
		return err_set(err, ERR_FORMAT, "\"id\" is no VENDOR:DEVICE: %.100s", text);
	out->vendor = (uint16_t)vendor;
	out->device = (uint16_t)device;
	return true;
}

MUST_CHECK static bool read_models(struct arena *arena, const struct json_t *gpu,
				   struct boot_gpu *out, struct err *err)
{
	const struct json_t *array = NULL;
	void *room = NULL;

	if (!list_take(arena, gpu, "gpus", sizeof(*out->models), &array, &room, err))
		return false;
	struct boot_gpu_model *items = room;

	for (size_t i = 0; i < json_count(array); i++) {
		const struct json_t *object = json_item(array, i);

		if (!read_id(object, &items[i], err) ||
		    !list_want_text(arena, object, "arch", &items[i].arch, err) ||
		    !list_want_text(arena, object, "brand", &items[i].brand, err))
			return err_wrap(err, "\"gpus\" item %zu", i + 1);
	}
	out->models = items;
	out->model_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_fabric_manager(struct arena *arena, const struct json_t *gpu,
					   struct boot_fabric_manager *out, struct err *err)
{
	const struct json_t *object = NULL;

	if (!json_want_object(gpu, "fabric_manager", &object, err))
		return false;
	if (!object)
		return true;
	if (!list_read_text(arena, object, "path", &out->path, err) ||
	    !list_want_text(arena, object, "config", &out->config, err))
		return err_wrap(err, "\"fabric_manager\"");
	return (out->path[0] == '/' && (!out->config || out->config[0] == '/')) ||
	       err_set(err, ERR_FORMAT, "a path of \"fabric_manager\" is not absolute");
}

bool boot_gpu_read(struct arena *arena, const struct json_t *document, struct boot_gpu *out,
		   struct err *err)
{
	const struct json_t *gpu = NULL;
	struct boot_gpu read = { 0 };

	if (!json_need_object(document, "gpu", &gpu, err) || !read_policy(gpu, &read.policy, err) ||
	    !list_read_modules(arena, gpu, &read.modules, err) ||
	    !list_want_text(arena, gpu, "version", &read.version, err) ||
	    !list_want_text(arena, gpu, "cuda", &read.cuda, err) ||
	    !read_requirements(arena, gpu, &read, err) || !read_models(arena, gpu, &read, err) ||
	    !read_fabric_manager(arena, gpu, &read.fabric_manager, err))
		return false;
	*out = read;
	return true;
}

static void put_text(struct json_t *object, const char *key, const char *text)
{
	if (text)
		json_put_text(object, key, text);
}

static struct json_t *print_requirements(const struct boot_gpu *gpu)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < gpu->requirement_count; i++) {
		struct json_t *object = json_new_object();

		json_put_text(object, "name", gpu->requirements[i].name);
		json_put_text(object, "predicate", gpu->requirements[i].predicate);
		json_add(array, object);
	}
	return array;
}

static struct json_t *print_models(const struct boot_gpu *gpu)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < gpu->model_count; i++) {
		const struct boot_gpu_model *model = &gpu->models[i];
		struct json_t *object = json_new_object();
		char id[16];

		snprintf(id, sizeof(id), "%04x:%04x", (unsigned)model->vendor,
			 (unsigned)model->device);
		json_put_text(object, "id", id);
		put_text(object, "arch", model->arch);
		put_text(object, "brand", model->brand);
		json_add(array, object);
	}
	return array;
}

struct json_t *boot_gpu_json(const struct boot_gpu *gpu)
{
	struct json_t *object = json_new_object();

	json_put_text(object, "policy", policies[gpu->policy]);
	put_text(object, "version", gpu->version);
	put_text(object, "cuda", gpu->cuda);
	if (gpu->modules.count > 0)
		json_put(object, "modules", list_of_modules(&gpu->modules));
	if (gpu->requirement_count > 0)
		json_put(object, "requirements", print_requirements(gpu));
	if (gpu->model_count > 0)
		json_put(object, "gpus", print_models(gpu));
	if (gpu->fabric_manager.path) {
		struct json_t *fabric_manager = json_new_object();

		json_put_text(fabric_manager, "path", gpu->fabric_manager.path);
		put_text(fabric_manager, "config", gpu->fabric_manager.config);
		json_put(object, "fabric_manager", fabric_manager);
	}
	return object;
}
