#include "stages.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

static const char *const names[STAGE_COUNT] = {
	[STAGE_INITRD] = "initrd",	 [STAGE_ROOT_FOUND] = "root-found",
	[STAGE_INIT] = "init",		 [STAGE_SETTINGS] = "settings",
	[STAGE_MODULES] = "modules",	 [STAGE_GPU] = "gpu",
	[STAGE_NETWORK] = "network",	 [STAGE_ENTRYPOINT] = "entrypoint",
	[STAGE_EXIT] = "exit",
};

void stages_reached(struct stages *stages, enum stage stage)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &now);
	stages->us[stage] = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void stages_print(const struct stages *stages, char out[STAGES_TEXT_BYTES])
{
	size_t len = 0;

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		len += (size_t)snprintf(out + len, STAGES_TEXT_BYTES - len, "%llu,",
					(unsigned long long)stages->us[i]);
}

void stages_parse(struct stages *out, const char *text)
{
	struct view rest = view_of(text ? text : "");

	*out = (struct stages){ 0 };
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		if (!view_number(view_cut(&rest, ','), 10, UINT64_MAX, &out->us[i]))
			out->us[i] = 0;
}

struct json_t *stages_json(const struct stages *stages)
{
	struct json_t *object = json_new_object();

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		if (stages->us[i] > 0)
			json_put_size(object, names[i], stages->us[i]);
	return object;
}
