#include "gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "builder/show.h"
#include "policy.h"
#include "removal.h"
#include "thing_print.h"

enum {
	DAY_SECONDS = 24 * 60 * 60,
	UNUSED_SECONDS = 30 * DAY_SECONDS, /* when no limit is given */
	PART_SECONDS = DAY_SECONDS, /* who was killed while fetching is back by then, or never */
};

struct gc {
	const struct options *options;
	struct store store; /* owned, as are all pointers but the first */
	struct inventory inventory;
	struct policy_thing *things; /* things[inventory.count] */
	size_t *order; /* order[inventory.count], as the next */
	enum policy_choice *choices;
	struct policy_limits limits; /* of what is still to do */
	uint64_t free_goal_bytes; /* 0: none */
	uint64_t freed_bytes;
	size_t removed_count, lock_count, failed_count;
	struct err failure; /* the first */
	struct json_t *removed, *in_use, *failed;
};

static void gc_freep(struct gc *gc)
{
	free(gc->things);
	free(gc->order);
	free(gc->choices);
	json_freep(&gc->removed);
	json_freep(&gc->in_use);
	json_freep(&gc->failed);
	inventory_freep(&gc->inventory);
	store_closep(&gc->store);
}

MUST_CHECK static bool free_bytes(const struct gc *gc, uint64_t *free, uint64_t *size,
				  struct err *err)
{
	struct statvfs space;

	if (fstatvfs(gc->store.dir_fd, &space) < 0)
		return err_os(err, "ask for free space in store %s", gc->store.path);
	*free = (uint64_t)space.f_bavail * space.f_frsize;
	*size = (uint64_t)space.f_blocks * space.f_frsize;
	return true;
}

MUST_CHECK static bool set_limits(struct gc *gc, struct err *err)
{
	const struct cache_options *given = &gc->options->cache;
	uint64_t free = 0, size = 0;

	gc->limits.now = (int64_t)time(NULL);
	gc->limits.max_bytes = given->max_bytes;
	if (!given->keep_free.is_given)
		return true;
	if (!free_bytes(gc, &free, &size, err))
		return false;
	gc->free_goal_bytes = given->keep_free.is_percent ?
				      size / 100 * given->keep_free.amount :
				      given->keep_free.amount;
	if (gc->free_goal_bytes > free)
		gc->limits.min_freed_bytes = gc->free_goal_bytes - free;
	return true;
}

static uint64_t unused_seconds(const struct cache_options *given)
{
	bool has_limit = given->max_bytes != UINT64_MAX || given->keep_free.is_given;

	if (given->older_than_seconds != UINT64_MAX)
		return given->older_than_seconds;
	return has_limit ? POLICY_NEVER : UNUSED_SECONDS;
}

/* Drivers that are not to go do not count either: no --max-bytes could be kept over them. */
static struct policy_thing weigh(const struct thing *thing, const struct cache_options *given)
{
	uint64_t unused = unused_seconds(given);
	struct policy_thing weighed = { .bytes = thing_own_bytes(thing),
					.last_use = thing->last_use,
					.goes_after_seconds = unused };

	if (thing->kind == THING_DRIVER && !given->drivers)
		return (struct policy_thing){ .stays = true };
	if (thing->kind == THING_DRAFT || thing->kind == THING_LOCK)
		weighed.goes_after_seconds = 0;
	if (thing->is_part && unused > PART_SECONDS)
		weighed.goes_after_seconds = PART_SECONDS;
	return weighed;
}

MUST_CHECK static bool prepare(struct gc *gc, struct err *err)
{
	const struct cache_options *given = &gc->options->cache;

	if (given->keep_free.is_percent && given->keep_free.amount > 100)
		return err_set(err, ERR_USAGE, "--keep-free: more than 100%% cannot be free");
	if (!store_open_as_is(&gc->store, gc->options->store, err) ||
	    !inventory_take(&gc->inventory, &gc->store, err) || !set_limits(gc, err))
		return false;
	size_t count = gc->inventory.count;

	gc->things = calloc(count + 1, sizeof(*gc->things));
	gc->order = calloc(count + 1, sizeof(*gc->order));
	gc->choices = calloc(count + 1, sizeof(*gc->choices));
	if (!gc->things || !gc->order || !gc->choices)
		return err_memory(err, "a list of what is stored");
	for (size_t i = 0; i < count; i++)
		gc->things[i] = weigh(&gc->inventory.items[i], given);
	gc->removed = json_new_array();
	gc->in_use = json_new_array();
	gc->failed = json_new_array();
	return given->dry_run || store_make_folders(&gc->store, err);
}

static void say_removed(struct gc *gc, const struct thing *thing, enum policy_choice choice)
{
	struct json_t *object = NULL;
	char name[THING_NAME_BYTES], size[SHOW_BYTES_TEXT], when[THING_TIME_BYTES];

	if (thing->kind == THING_LOCK) {
		gc->lock_count++;
		return;
	}
	gc->removed_count++;
	if (gc->options->json) {
		object = thing_json_full(thing);
		json_put_text(object, "why", thing->kind == THING_DRAFT ? "leftover" :
					     choice == POLICY_ROOM	? "room" :
									  "unused");
		json_add(gc->removed, object);
		return;
	}
	thing_short_name(thing, name);
	show_bytes(thing_own_bytes(thing), size);
	thing_time(thing->last_use, when);
	printf("%s %s, %s, %s %s, last used %s\n", thing_kind_name(thing->kind), name, size,
	       gc->options->cache.dry_run ? "would go" : "removed",
	       choice == POLICY_ROOM ? "to make room" : "as unused", when);
}

static void say_in_use(struct gc *gc, const struct thing *thing)
{
	char name[THING_NAME_BYTES];

	if (thing->kind == THING_LOCK)
		return;
	if (gc->options->json) {
		json_add(gc->in_use, thing_json_full(thing));
		return;
	}
	thing_short_name(thing, name);
	printf("%s %s is in use and stays\n", thing_kind_name(thing->kind), name);
}

static void say_failed(struct gc *gc, const struct thing *thing, const struct err *why)
{
	struct json_t *object = NULL;

	if (gc->failed_count++ == 0)
		gc->failure = *why;
	if (!gc->options->json) {
		printf("%s could not be removed: %s\n", thing->path, why->msg);
		return;
	}
	object = thing_json(thing);
	json_put_text(object, "message", why->msg);
	json_add(gc->failed, object);
}

/* False: it is still there, and stays; another may have to go instead. */
static bool remove_one(struct gc *gc, size_t number)
{
	const struct thing *thing = &gc->inventory.items[number];
	struct policy_thing *weighed = &gc->things[number];
	enum removal removal = REMOVAL_BUSY;
	struct err why = { 0 };

	weighed->stays = true;
	if (!removal_try(&gc->store, thing,
			 gc->options->cache.dry_run ? REMOVAL_TRIAL : REMOVAL_OF_UNUSED, &removal,
			 &why)) {
		say_failed(gc, thing, &why);
		return false;
	}
	if (removal == REMOVAL_BUSY) {
		say_in_use(gc, thing);
		return false;
	}
	say_removed(gc, thing, gc->choices[number]);
	gc->freed_bytes += weighed->bytes;
	gc->limits.min_freed_bytes -= weighed->bytes < gc->limits.min_freed_bytes ?
					      weighed->bytes :
					      gc->limits.min_freed_bytes;
	weighed->bytes = 0;
	return true;
}

/* Sizes are an estimate where blocks are shared; how much is free can be asked. True when the goal
 * was still to be reached, and is. */
static bool has_become_free(struct gc *gc)
{
	uint64_t free = 0, size = 0;
	struct err ignored = { 0 };

	if (gc->limits.min_freed_bytes == 0 || gc->options->cache.dry_run ||
	    !free_bytes(gc, &free, &size, &ignored) || free < gc->free_goal_bytes)
		return false;
	gc->limits.min_freed_bytes = 0;
	return true;
}

/* True: the choice has to be made anew. */
static bool remove_chosen(struct gc *gc)
{
	bool is_other = false;

	for (size_t i = 0; i < gc->inventory.count; i++) {
		size_t number = gc->order[i];

		if (gc->choices[number] == POLICY_STAYS)
			continue;
		if (gc->choices[number] == POLICY_ROOM && has_become_free(gc))
			return true;
		if (!remove_one(gc, number))
			is_other = true;
	}
	return is_other;
}

static uint64_t held_bytes(const struct gc *gc)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < gc->inventory.count; i++)
		bytes += gc->things[i].bytes;
	return bytes;
}

MUST_CHECK static bool show(struct gc *gc, uint64_t lack_bytes, struct err *err)
{
	bool is_dry = gc->options->cache.dry_run;
	char freed[SHOW_BYTES_TEXT], left[SHOW_BYTES_TEXT];

	if (gc->options->json) {
		struct json_t *object = json_new_object();

		json_put_text(object, "store", gc->store.path);
		json_put_bool(object, "dryRun", is_dry);
		json_put(object, "removed", ptr_take(&gc->removed));
		json_put(object, "inUse", ptr_take(&gc->in_use));
		json_put(object, "failed", ptr_take(&gc->failed));
		json_put_size(object, "removedLocks", gc->lock_count);
		json_put_size(object, "freedBytes", gc->freed_bytes);
		json_put_size(object, "bytes", held_bytes(gc));
		json_put_size(object, "lackBytes", lack_bytes);
		thing_put_foreign(object, &gc->inventory);
		return show_json(object, err);
	}
	show_bytes(gc->freed_bytes, freed);
	show_bytes(held_bytes(gc), left);
	thing_print_foreign(&gc->inventory);
	printf("%s: %zu %s%s, %s; %s %s\n", gc->store.path, gc->removed_count,
	       is_dry ? "would go" : "removed",
	       gc->lock_count > 0 ? ", and locks that nobody holds" : "", freed, left,
	       is_dry ? "would be left" : "left");
	return show_flush(err);
}

/* After the result, as one sentence. */
MUST_CHECK static bool conclude(const struct gc *gc, uint64_t lack_bytes, struct err *err)
{
	char lack[SHOW_BYTES_TEXT];

	if (gc->failed_count > 0) {
		*err = gc->failure;
		return err_wrap(err, "store %s: %zu could not be removed", gc->store.path,
				gc->failed_count);
	}
	if (lack_bytes == 0)
		return true;
	show_bytes(lack_bytes, lack);
	return err_set(err, ERR_SPACE, "store %s: %s more would have to be freed, but nothing else"
		       " may go", gc->store.path, lack);
}

bool cache_gc(const struct options *options, struct err *err)
{
	CLEANUP(gc_freep) struct gc gc = { .options = options, .store = STORE_NONE };
	size_t count = 0;

	if (!prepare(&gc, err))
		return false;
	count = gc.inventory.count;
	do
		policy_choose(gc.things, count, &gc.limits, gc.order, gc.choices);
	while (remove_chosen(&gc));
	policy_choose(gc.things, count, &gc.limits, gc.order, gc.choices);
	uint64_t lack_bytes = policy_lack(gc.things, count, &gc.limits, gc.choices);

	if (has_become_free(&gc))
		lack_bytes = policy_lack(gc.things, count, &gc.limits, gc.choices);
	return show(&gc, lack_bytes, err) && conclude(&gc, lack_bytes, err);
}
