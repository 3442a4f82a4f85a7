#include "recipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "drivers/bundle/capability.h"

MUST_CHECK static bool choose_time(const struct image *image, int64_t *out, struct err *err)
{
	const char *given = getenv("SOURCE_DATE_EPOCH");
	int64_t seconds = image->config.created_seconds;
	uint64_t epoch = 0;

	if (given && given[0]) {
		if (!view_number(view_of(given), 10, INT64_MAX, &epoch))
			return err_set(err, ERR_USAGE, "SOURCE_DATE_EPOCH: \"%s\" is no number",
				       given);
		seconds = (int64_t)epoch;
	}
	*out = seconds < 1 ? 1 : seconds > UINT32_MAX ? UINT32_MAX : seconds;
	return true;
}

/* What is only read needs neither journal nor free space, unless free space is asked for. */
static void choose_free(const struct options *options, struct recipe *recipe)
{
	if (options->free.is_given && options->free.is_percent) {
		recipe->free_percent = (unsigned)options->free.amount;
	} else if (options->free.is_given) {
		recipe->free_bytes = options->free.amount;
	} else if (!options->read_only_fs) {
		recipe->free_percent = FREE_PERCENT_DEFAULT;
		recipe->free_bytes = FREE_BYTES_DEFAULT;
	}
}

bool recipe_check(const struct options *options, struct err *err)
{
	if (options->label && strlen(options->label) > 16)
		return err_set(err, ERR_USAGE, "--label: \"%s\" is over 16 bytes", options->label);
	if (options->read_only_fs && options->free.is_given)
		return err_set(err, ERR_USAGE, "--read-only-fs has no use for --free");
	if (options->read_only_fs && options->journal.bytes > 0)
		return err_set(err, ERR_USAGE, "--read-only-fs has no use for --journal");
	return true;
}

bool recipe_make(struct recipe *out, const struct image *image, const struct options *options,
		 const struct digest *init_digest, struct err *err)
{
	struct recipe recipe = { .image = image,
				 .init_digest = *init_digest,
				 .size_bytes = options->size_bytes,
				 .journal_bytes = options->journal.bytes,
				 .inode_count = options->inode_count,
				 .has_no_journal = options->journal.is_none,
				 .is_read_only = options->read_only_fs,
				 .has_verity = options->verity };

	if (!recipe_check(options, err) || !choose_time(image, &recipe.time_seconds, err))
		return false;
	choose_free(options, &recipe);
	if (options->label)
		snprintf(recipe.label, sizeof(recipe.label), "%s", options->label);
	*out = recipe;
	return true;
}

/* Without a driver there is nothing, so that such images keep their keys. */
MUST_CHECK static bool print_driver(const struct recipe_driver *driver, struct bytes *text,
				    struct err *err)
{
	char manifest[DIGEST_TEXT_BYTES];

	if (!driver)
		return true;
	digest_text(&driver->manifest_digest, manifest);
	return bytes_print(text, err, "driver %s\nkernel %s\ngpu %s\n", manifest,
			   driver->kernel_release, driver->gpu_id ? driver->gpu_id : "any") &&
	       bytes_print(text, err, "capabilities %u\npolicy %u\nclass %u\nleftovers %d\n"
			   "musl %d\n", driver->capabilities, driver->policy, driver->gpu_class,
			   driver->keep_leftovers, driver->allow_musl);
}

bool recipe_key(const struct recipe *recipe, struct digest *out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 16);
	char manifest[DIGEST_TEXT_BYTES], config[DIGEST_TEXT_BYTES], init[DIGEST_TEXT_BYTES];
	char platform[PLATFORM_TEXT_BYTES];

	digest_text(&recipe->image->manifest_digest, manifest);
	digest_text(&recipe->image->config_digest, config);
	digest_text(&recipe->init_digest, init);
	platform_text(&recipe->image->platform, platform);
	if (!bytes_print(&text, err, "format %d\nmanifest %s\nconfig %s\nplatform %s\ninit %s\n",
			 RECIPE_FORMAT, manifest, config, platform, init) ||
	    !bytes_print(&text, err, "time %" PRId64 "\nsize %" PRIu64 "\nfree %" PRIu64 " %u%%\n",
			 recipe->time_seconds, recipe->size_bytes, recipe->free_bytes,
			 recipe->free_percent) ||
	    !bytes_print(&text, err, "journal %" PRIu64 " %d\ninodes %" PRIu64 "\n",
			 recipe->journal_bytes, recipe->has_no_journal, recipe->inode_count) ||
	    !bytes_print(&text, err, "read-only %d\nverity %d\n", recipe->is_read_only,
			 recipe->has_verity) ||
	    !print_driver(recipe->driver, &text, err) ||
	    !bytes_print(&text, err, "label %s\n", recipe->label)) /* last: it may hold anything */
		return false;
	*out = digest_of(text.data, text.len);
	return true;
}

static void put_digest(struct json_t *object, const char *key, const struct digest *digest)
{
	char text[DIGEST_TEXT_BYTES];

	digest_text(digest, text);
	json_put_text(object, key, text);
}

static struct json_t *layer_list(const struct image *image)
{
	struct json_t *list = json_new_array();

	for (size_t i = 0; i < image->layer_count; i++) {
		struct json_t *layer = json_new_object();

		put_digest(layer, "digest", &image->layers[i].digest);
		put_digest(layer, "diffId", &image->layers[i].diff_id);
		json_put_size(layer, "size", image->layers[i].size_bytes);
		json_add(list, layer);
	}
	return list;
}

static struct json_t *driver_json(const struct recipe_driver *driver)
{
	struct json_t *object = json_new_object();
	char capabilities[CAPABILITY_TEXT_BYTES];

	capability_text(driver->capabilities, capabilities);
	json_put_text(object, "bundle", driver->name);
	put_digest(object, "manifest", &driver->manifest_digest);
	json_put_text(object, "kernelRelease", driver->kernel_release);
	json_put_text(object, "capabilities", capabilities);
	return object;
}

bool recipe_print(const struct recipe *recipe, struct bytes *out, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = json_new_object();
	struct json_t *labels = NULL;
	char platform[PLATFORM_TEXT_BYTES];

	platform_text(&recipe->image->platform, platform);
	if (!json_parse(&labels, bytes_view(&recipe->image->config.labels_json), err))
		return err_wrap(err, "the image's labels");
	json_put_size(document, "format", RECIPE_FORMAT);
	put_digest(document, "manifest", &recipe->image->manifest_digest);
	put_digest(document, "config", &recipe->image->config_digest);
	json_put_text(document, "platform", platform);
	json_put_text(document, "created", recipe->image->config.created);
	json_put_size(document, "time", (uint64_t)recipe->time_seconds);
	put_digest(document, "init", &recipe->init_digest);
	json_put(document, "layers", layer_list(recipe->image));
	json_put(document, "labels", labels);
	if (recipe->driver)
		json_put(document, "driver", driver_json(recipe->driver));
	return json_print(out, document, JSON_INDENTED, err) && bytes_append(out, "\n", 1, err);
}
