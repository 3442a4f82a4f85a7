#include "thing_print.h"

#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "base/sentence.h"

struct json_t *thing_json(const struct thing *thing)
{
	struct json_t *object = json_new_object();
	char name[THING_NAME_BYTES];

	thing_name(thing, name);
	json_put_text(object, "kind", thing_kind_name(thing->kind));
	json_put_text(object, "name", name);
	json_put_text(object, "path", thing->path);
	return object;
}

struct json_t *thing_json_full(const struct thing *thing)
{
	struct json_t *object = thing_json(thing);

	json_put_size(object, "bytes", thing->bytes);
	json_put_size(object, "lastUse", thing->last_use > 0 ? (uint64_t)thing->last_use : 0);
	return object;
}

void thing_put_foreign(struct json_t *object, const struct inventory *inventory)
{
	struct json_t *list = json_new_array();

	for (size_t i = 0; i < inventory->foreign_count; i++)
		json_add_text(list, inventory->foreign[i]);
	json_put(object, "foreign", list);
}

/* Whoever named it may have put anything into the name. */
void thing_print_foreign(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->foreign_count; i++) {
		char line[512];

		snprintf(line, sizeof(line), "%s", inventory->foreign[i]);
		sentence_tame(line);
		printf("%s: not vmbake's, left alone\n", line);
	}
}

void thing_time(int64_t seconds, char out[THING_TIME_BYTES])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (!localtime_r(&when, &parts) ||
	    strftime(out, THING_TIME_BYTES, "%Y-%m-%d %H:%M", &parts) == 0)
		snprintf(out, THING_TIME_BYTES, "unknown");
}
