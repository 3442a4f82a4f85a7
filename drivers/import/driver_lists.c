#include "driver_lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "drivers/bundle/capability.h"

enum {
	ENTRIES_MAX = 100 * 1000,
	CATEGORIES_MAX = 100, /* of one entry */
	NOTED_MAX = 64,
};

/* Of categories that were noted, so that each is noted once. */
struct noted {
	const char *names[NOTED_MAX];
	size_t count;
};

/* Known, and wanted by no capability: GLVND is the image's, modprobe's work is init's. */
static bool is_nobodys(const char *category)
{
	return strcmp(category, "glvnd") == 0 || strcmp(category, "modprobe") == 0;
}

static void note_once(struct noted *noted, const char *category, struct report *report)
{
	for (size_t i = 0; i < noted->count; i++)
		if (strcmp(noted->names[i], category) == 0)
			return;
	if (noted->count == NOTED_MAX)
		return;
	noted->names[noted->count++] = category;
	report_note(report, "the driver's file list has an unknown category, %.100s", category);
}

MUST_CHECK static bool read_categories(const struct json_t *entry, unsigned *capabilities,
				       struct noted *noted, struct report *report, struct err *err)
{
	const struct json_t *array = NULL;

	if (!json_want_array(entry, "category", &array, err))
		return false;
	if (json_count(array) > CATEGORIES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d categories", CATEGORIES_MAX);
	for (size_t i = 0; i < json_count(array); i++) {
		const char *word = json_text(json_item(array, i));
		unsigned bits = word ? capability_of_category(view_of(word)) : 0;

		if (!word)
			return err_set(err, ERR_FORMAT,
				       "\"category\" has an item that is no string");
		if (bits == 0 && !is_nobodys(word))
			note_once(noted, word, report);
		*capabilities |= bits;
	}
	return true;
}

static int compare_listed(const void *left, const void *right)
{
	const struct listed_file *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* Entries repeat once a category group: join those of one name. */
static void join_listed(struct file_list *list)
{
	size_t kept = 0;

	if (list->file_count > 0)
		qsort(list->files, list->file_count, sizeof(*list->files), compare_listed);
	for (size_t i = 0; i < list->file_count; i++) {
		if (kept > 0 && strcmp(list->files[kept - 1].name, list->files[i].name) == 0)
			list->files[kept - 1].capabilities |= list->files[i].capabilities;
		else
			list->files[kept++] = list->files[i];
	}
	list->file_count = kept;
}

MUST_CHECK static bool read_array(struct json_t **document, const struct json_t **array,
				  struct view text, const char *key, struct err *err)
{
	if (!json_parse(document, text, err))
		return false;
	if (key && !json_need_array(*document, key, array, err))
		return false;
	if (!key)
		*array = *document;
	return json_count(*array) <= ENTRIES_MAX ||
	       err_set(err, ERR_UNSUPPORTED, "over %d entries", ENTRIES_MAX);
}

bool file_list_parse(struct file_list *out, struct arena *arena, struct view text,
		     struct report *report, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = NULL;
	const struct json_t *array = NULL;
	struct file_list list = { 0 };
	struct noted noted = { 0 };

	if (!read_array(&document, &array, text, NULL, err))
		return false;
	list.files = arena_take(arena, (json_count(array) + 1) * sizeof(*list.files));
	if (!list.files)
		return err_memory(err, "a driver's file list");
	for (size_t i = 0; i < json_count(array); i++) {
		struct listed_file *file = &list.files[list.file_count];
		const char *name = NULL;

		if (!json_need_string(json_item(array, i), "name", &name, err) ||
		    !read_categories(json_item(array, i), &file->capabilities, &noted, report,
				     err))
			return err_wrap(err, "entry %zu", i + 1);
		name = view_behind_last(view_of(name), '/').ptr;
		file->name = arena_copy(arena, name, strlen(name));
		if (!file->name)
			return err_memory(err, "a driver's file list");
		list.file_count++;
	}
	join_listed(&list);
	*out = list;
	return true;
}

unsigned file_list_capabilities(const struct file_list *list, struct view name)
{
	char text[256];

	if (list->file_count == 0 ||
	    (size_t)snprintf(text, sizeof(text), "%.*s", VIEW_ARGS(name)) >= sizeof(text))
		return 0;
	struct listed_file wanted = { .name = text };
	const struct listed_file *found = bsearch(&wanted, list->files, list->file_count,
						  sizeof(wanted), compare_listed);

	return found ? found->capabilities : 0;
}

/* A chip as it stands in the list. */
struct chip {
	struct bundle_gpu gpu;
	bool is_variant; /* of one board maker's: its name is not the chip's */
};

MUST_CHECK static bool read_features(const struct json_t *object, bool *is_open, struct err *err)
{
	const struct json_t *features = NULL;

	if (!json_want_array(object, "features", &features, err))
		return false;
	for (size_t i = 0; i < json_count(features); i++) {
		const char *word = json_text(json_item(features, i));

		*is_open |= word && strcmp(word, "kernelopen") == 0;
	}
	return true;
}

/* *is_chip is false for a row that speaks of no one device ("*"). */
MUST_CHECK static bool read_chip(struct arena *arena, const struct json_t *object, struct chip *out,
				 bool *is_chip, struct err *err)
{
	const char *device = NULL, *name = NULL, *legacy = NULL;
	uint64_t number = 0;

	if (!json_need_string(object, "devid", &device, err) ||
	    !json_need_string(object, "name", &name, err) ||
	    !json_want_string(object, "legacybranch", &legacy, err) ||
	    !read_features(object, &out->gpu.is_open_capable, err))
		return false;
	*is_chip = strcmp(device, "*") != 0;
	if (!*is_chip)
		return true;
	if ((!view_starts(view_of(device), "0x") && !view_starts(view_of(device), "0X")) ||
	    !view_number(view_of(device + 2), 16, UINT16_MAX, &number))
		return err_set(err, ERR_FORMAT, "\"devid\" is %.100s", device);
	out->gpu.device = (uint16_t)number;
	out->gpu.name = arena_copy(arena, name, strlen(name));
	if (legacy)
		out->gpu.legacy_branch = arena_copy(arena, legacy, strlen(legacy));
	out->is_variant = json_has(object, "subdevid") || json_has(object, "subvendorid");
	return (out->gpu.name && (!legacy || out->gpu.legacy_branch)) ||
	       err_memory(err, "a list of chips");
}

/* By device; the chip itself before variants of it, then by name so that any order gives one. */
static int compare_chip(const void *left, const void *right)
{
	const struct chip *a = left, *b = right;

	if (a->gpu.device != b->gpu.device)
		return a->gpu.device < b->gpu.device ? -1 : 1;
	if (a->is_variant != b->is_variant)
		return a->is_variant ? 1 : -1;
	return strcmp(a->gpu.name, b->gpu.name);
}

/* One row a device, the first's name; the open modules drive it if they drive one of them, and it
 * is legacy if all of them are. */
static size_t join_chips(const struct chip *chips, size_t count, struct bundle_gpu *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bundle_gpu *gpu = &chips[i].gpu;

		if (kept == 0 || out[kept - 1].device != gpu->device) {
			out[kept++] = *gpu;
			continue;
		}
		out[kept - 1].is_open_capable |= gpu->is_open_capable;
		if (!gpu->legacy_branch)
			out[kept - 1].legacy_branch = NULL;
	}
	return kept;
}

bool gpu_list_parse(const struct bundle_gpu **out, size_t *count, struct arena *arena,
		    struct view text, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = NULL;
	CLEANUP(freep) struct chip *chips = NULL;
	const struct json_t *array = NULL;
	size_t chip_count = 0;

	if (!read_array(&document, &array, text, "chips", err))
		return false;
	chips = calloc(json_count(array) + 1, sizeof(*chips));
	struct bundle_gpu *gpus = arena_take(arena, (json_count(array) + 1) * sizeof(*gpus));

	if (!chips || !gpus)
		return err_memory(err, "a list of chips");
	for (size_t i = 0; i < json_count(array); i++) {
		bool is_chip = false;

		chips[chip_count] = (struct chip){ 0 };
		if (!read_chip(arena, json_item(array, i), &chips[chip_count], &is_chip, err))
			return err_wrap(err, "chip %zu", i + 1);
		chip_count += is_chip;
	}
	if (chip_count > 0)
		qsort(chips, chip_count, sizeof(*chips), compare_chip);
	*count = join_chips(chips, chip_count, gpus);
	*out = gpus;
	return true;
}
