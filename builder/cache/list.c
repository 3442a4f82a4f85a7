#include "list.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "builder/show.h"
#include "thing_print.h"

/* Sums over things of one kind, or all. */
struct total {
	size_t count;
	uint64_t bytes, shared_bytes;
	bool knows_shared;
};

static void total_add(struct total *total, const struct thing *thing)
{
	total->count++;
	total->bytes += thing->bytes;
	total->shared_bytes += thing->shared_bytes;
	total->knows_shared = total->knows_shared || thing->knows_shared;
}

static struct json_t *item_json(const struct thing *thing)
{
	struct json_t *object = thing_json_full(thing);

	if (thing->knows_shared)
		json_put_size(object, "sharedBytes", thing->shared_bytes);
	if (thing->knows_entries)
		json_put_size(object, "entries", thing->entry_count);
	if (thing->kind == THING_BLOB)
		json_put_bool(object, "isPart", thing->is_part);
	return object;
}

static struct json_t *kind_json(const struct inventory *inventory, enum thing_kind kind)
{
	struct json_t *object = json_new_object(), *items = json_new_array();
	struct total total = { 0 };

	for (size_t i = 0; i < inventory->count; i++) {
		const struct thing *thing = &inventory->items[i];

		if (thing->kind != kind)
			continue;
		total_add(&total, thing);
		json_add(items, item_json(thing));
	}
	json_put_size(object, "count", total.count);
	json_put_size(object, "bytes", total.bytes);
	if (total.knows_shared)
		json_put_size(object, "sharedBytes", total.shared_bytes);
	json_put(object, "items", items);
	return object;
}

/* Blocks that an image shares are counted with the layers that have them too. */
static uint64_t own_bytes(const struct inventory *inventory)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < inventory->count; i++)
		bytes += thing_own_bytes(&inventory->items[i]);
	return bytes;
}

MUST_CHECK static bool show_as_json(const struct store *store, const struct inventory *inventory,
				    struct err *err)
{
	struct json_t *object = json_new_object(), *disk = json_new_object();
	struct statvfs space;

	json_put_text(object, "store", store->path);
	json_put_size(object, "bytes", own_bytes(inventory));
	if (fstatvfs(store->dir_fd, &space) == 0) {
		json_put_size(disk, "size", (uint64_t)space.f_blocks * space.f_frsize);
		json_put_size(disk, "free", (uint64_t)space.f_bavail * space.f_frsize);
	}
	json_put(object, "fileSystem", disk);
	for (int kind = 0; kind < THING_KIND_COUNT; kind++)
		json_put(object, thing_kind_names((enum thing_kind)kind),
			 kind_json(inventory, (enum thing_kind)kind));
	thing_put_foreign(object, inventory);
	return show_json(object, err);
}

static void print_thing(const struct thing *thing)
{
	char name[THING_NAME_BYTES], size[SHOW_BYTES_TEXT], when[THING_TIME_BYTES];
	char shared[SHOW_BYTES_TEXT], entries[32] = "";

	thing_short_name(thing, name);
	thing_time(thing->last_use, when);
	show_bytes(thing->bytes, size);
	if (thing->knows_entries)
		snprintf(entries, sizeof(entries), "%llu",
			 (unsigned long long)thing->entry_count);
	printf("%-7s %-44s %8s %9s  %s", thing_kind_name(thing->kind), name, size, entries, when);
	if (thing->shared_bytes > 0) {
		show_bytes(thing->shared_bytes, shared);
		printf("  %s of it shared", shared);
	}
	printf("\n");
}

static void print_totals(const struct store *store, const struct inventory *inventory)
{
	char text[SHOW_BYTES_TEXT];
	const char *separator = "";

	show_bytes(own_bytes(inventory), text);
	printf("%s: %s", store->path, text);
	for (int kind = 0; kind < THING_KIND_COUNT; kind++) {
		struct total total = { 0 };

		for (size_t i = 0; i < inventory->count; i++)
			if (inventory->items[i].kind == (enum thing_kind)kind)
				total_add(&total, &inventory->items[i]);
		if (total.count == 0)
			continue;
		show_bytes(total.bytes, text);
		printf("%s%zu %s of %s", *separator ? separator : " in ", total.count,
		       total.count == 1 ? thing_kind_name((enum thing_kind)kind) :
					  thing_kind_names((enum thing_kind)kind),
		       text);
		separator = ", ";
	}
	printf("\n");
}

/* Locks are many, empty, and say nothing. */
MUST_CHECK static bool show_as_table(const struct store *store, const struct inventory *inventory,
				     struct err *err)
{
	printf("%-7s %-44s %8s %9s  %s\n", "KIND", "NAME", "SIZE", "ENTRIES", "LAST USE");
	for (size_t i = 0; i < inventory->count; i++)
		if (inventory->items[i].kind != THING_LOCK)
			print_thing(&inventory->items[i]);
	print_totals(store, inventory);
	thing_print_foreign(inventory);
	return show_flush(err);
}

bool cache_list(const struct options *options, struct err *err)
{
	CLEANUP(store_closep) struct store store = STORE_NONE;
	CLEANUP(inventory_freep) struct inventory inventory = { 0 };

	return store_open_as_is(&store, options->store, err) &&
	       inventory_take(&inventory, &store, err) &&
	       (options->json ? show_as_json(&store, &inventory, err) :
				show_as_table(&store, &inventory, err));
}
