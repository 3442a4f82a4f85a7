/* Things as people and programs read them; what list, gc and check have in common. */
#pragma once

#include <stddef.h>

#include "inventory.h"

struct json_t;

/* {"kind","name","path"}; owned */
struct json_t *thing_json(const struct thing *thing);
/* The same with "bytes" and "lastUse". */
struct json_t *thing_json_full(const struct thing *thing);

/* "foreign", an array of paths. */
void thing_put_foreign(struct json_t *object, const struct inventory *inventory);
/* A line for each; nothing when there are none. */
void thing_print_foreign(const struct inventory *inventory);

/* "2026-11-26 20:15", local time. */
enum { THING_TIME_BYTES = 32 };
void thing_time(int64_t seconds, char out[THING_TIME_BYTES]);
