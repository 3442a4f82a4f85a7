#include "show.h"

#include <sys/stat.h>

#include "base/json.h"
#include "base/map_guard.h"

void show_put_digest(struct json_t *object, const char *key, const struct digest *digest)
{
	char text[DIGEST_TEXT_BYTES];

	digest_text(digest, text);
	json_put_text(object, key, text);
}

static struct json_t *layers_json(const struct image *image)
{
	struct json_t *list = json_new_array();

	for (size_t i = 0; i < image->layer_count; i++) {
		struct json_t *layer = json_new_object();

		show_put_digest(layer, "digest", &image->layers[i].digest);
		show_put_digest(layer, "diffId", &image->layers[i].diff_id);
		json_put_size(layer, "size", image->layers[i].size_bytes);
		json_add(list, layer);
	}
	return list;
}

static void put_list(struct json_t *object, const char *key, char *const *items)
{
	struct json_t *list = json_new_array();

	for (; items && *items; items++)
		json_add_text(list, *items);
	json_put(object, key, list);
}

static struct json_t *process_json(const struct image_config *config)
{
	struct json_t *process = json_new_object();

	put_list(process, "entrypoint", config->entrypoint);
	put_list(process, "cmd", config->cmd);
	put_list(process, "env", config->env);
	json_put_text(process, "user", config->user);
	json_put_text(process, "workingDir", config->working_dir);
	json_put_text(process, "stopSignal", config->stop_signal);
	return process;
}

struct json_t *show_image(const struct image *image)
{
	struct json_t *object = json_new_object();
	char platform[PLATFORM_TEXT_BYTES];

	platform_text(&image->platform, platform);
	show_put_digest(object, "manifest", &image->manifest_digest);
	show_put_digest(object, "config", &image->config_digest);
	json_put_text(object, "platform", platform);
	json_put_text(object, "created", image->config.created);
	json_put(object, "layers", layers_json(image));
	json_put(object, "process", process_json(&image->config));
	return object;
}

struct json_t *show_facts(const struct image_facts *facts)
{
	struct json_t *object = json_new_object();
	const uint8_t *id = facts->uuid;
	char uuid[37];

	snprintf(uuid, sizeof(uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0],
		 id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11],
		 id[12], id[13], id[14], id[15]);
	json_put_size(object, "size", facts->size_bytes);
	json_put_size(object, "free", facts->free_bytes);
	json_put_size(object, "inodes", facts->inode_count);
	json_put_size(object, "freeInodes", facts->free_inode_count);
	json_put_text(object, "uuid", uuid);
	json_put_text(object, "label", facts->label);
	json_put_size(object, "time", (uint64_t)facts->time_seconds);
	return object;
}

void show_bytes(uint64_t bytes, char out[SHOW_BYTES_TEXT])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1000; unit++)
		value /= 1000;
	snprintf(out, SHOW_BYTES_TEXT, "%.*f %s", unit > 0 && value < 10 ? 1 : 0, value,
		 units[unit]);
}

bool show_flush(struct err *err)
{
	if (!map_guard_check(err))
		return false;
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_os(err, "write to standard output");
	return true;
}

bool show_json(struct json_t *document, struct err *err)
{
	CLEANUP(json_freep) struct json_t *owned = document;
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(64 << 20);

	if (!map_guard_check(err) || !json_print(&text, owned, JSON_ONE_LINE, err))
		return false;
	printf("%s\n", text.data);
	return show_flush(err);
}

static const char *method_name(enum copy_method method)
{
	static const char *const names[] = {
		[COPY_NOTHING] = "none",
		[COPY_REFLINK] = "reflink",
		[COPY_FILE_RANGE] = "copy_file_range",
		[COPY_READ_WRITE] = "read_write",
	};

	return names[method];
}

/* The device is a guess that is right for most: the first virtio disk. */
static const char verity_device[] = "/dev/vda";

static struct json_t *verity_json(const struct verity *verity)
{
	struct json_t *object = json_new_object();
	char hex[DIGEST_HEX_BYTES], argument[VERITY_ARGUMENT_BYTES];

	digest_hex(&verity->root, hex);
	verity_argument(verity, verity_device, argument);
	json_put_text(object, "rootHash", hex);
	json_put_size(object, "hashOffset", verity->data_blocks * IMAGE_BLOCK_BYTES);
	json_put_size(object, "hashBytes", verity->hash_blocks * IMAGE_BLOCK_BYTES);
	json_put_text(object, "kernelArgument", argument);
	return object;
}

static void print_verity(const struct verity *verity)
{
	char hex[DIGEST_HEX_BYTES], argument[VERITY_ARGUMENT_BYTES];

	digest_hex(&verity->root, hex);
	verity_argument(verity, verity_device, argument);
	printf("dm-verity root hash %s\nroot=/dev/dm-0 %s\n", hex, argument);
}

struct json_t *show_build_json(const struct build_result *result, struct json_t *driver)
{
	struct json_t *object = json_new_object(), *copy = json_new_object();
	struct json_t *times = json_new_object();

	json_put_text(object, "file", result->path);
	show_put_digest(object, "key", &result->key);
	json_put_bool(object, "cached", result->is_cached);
	json_put(object, "image", show_image(&result->image));
	json_put(object, "filesystem", show_facts(&result->facts));
	if (driver)
		json_put(object, "driver", driver);
	if (result->has_verity)
		json_put(object, "verity", verity_json(&result->verity));
	json_put_size(object, "fetchedLayers", result->fetched_layers);
	json_put_text(copy, "method", method_name(result->written.method));
	json_put_size(copy, "dataBytes", result->written.data_bytes);
	json_put_size(copy, "copiedBytes", result->written.copied_bytes);
	json_put(object, "copy", copy);
	json_put_size(times, "resolve", result->times.resolve_ms);
	json_put_size(times, "unpack", result->times.unpack_ms);
	json_put_size(times, "merge", result->times.merge_ms);
	json_put_size(times, "write", result->times.write_ms);
	json_put_size(times, "commit", result->times.commit_ms);
	json_put(object, "milliseconds", times);
	return object;
}

/* "with driver 535.309.01" */
static void print_driver(const struct json_t *driver)
{
	const char *version = NULL, *release = NULL;
	struct err ignored = { 0 };

	if (driver && json_want_string(driver, "version", &version, &ignored) &&
	    json_want_string(driver, "kernelRelease", &release, &ignored) && version)
		printf(", with driver %s for kernel %s", version, release);
}

bool show_build(const struct build_result *result, struct json_t *driver, bool as_json,
		struct err *err)
{
	CLEANUP(json_freep) struct json_t *owned = driver;

	char digest[DIGEST_TEXT_BYTES], size[SHOW_BYTES_TEXT], available[SHOW_BYTES_TEXT];

	if (as_json)
		return show_json(show_build_json(result, ptr_take(&owned)), err);
	digest_text(&result->image.manifest_digest, digest);
	show_bytes(result->facts.size_bytes, size);
	show_bytes(result->facts.free_bytes, available);
	printf("%s: ext4, %s with %s free, from %s", result->path, size, available, digest);
	print_driver(owned);
	printf("\n");
	if (result->has_verity)
		print_verity(&result->verity);
	return show_flush(err);
}

bool show_file(const char *path, const char *what, bool as_json, struct err *err)
{
	struct json_t *object = NULL;
	struct stat made;
	char size[SHOW_BYTES_TEXT];

	if (stat(path, &made) < 0)
		return err_os(err, "stat %s", path);
	if (as_json) {
		object = json_new_object();
		json_put_text(object, "file", path);
		json_put_size(object, "size", (uint64_t)made.st_size);
		return show_json(object, err);
	}
	show_bytes((uint64_t)made.st_size, size);
	printf("%s: %s, %s\n", path, what, size);
	return show_flush(err);
}

struct json_t *show_error_json(const struct err *err, struct json_t *driver)
{
	struct json_t *error = json_new_object();

	json_put_text(error, "kind", err_kind_name(err->kind));
	json_put_text(error, "message", err->msg);
	if (driver)
		json_put(error, "driver", driver);
	return error;
}

void show_error(const struct err *err, struct json_t *driver, bool as_json)
{
	CLEANUP(json_freep) struct json_t *owned = driver;

	CLEANUP(bytes_freep) struct bytes text = bytes_capped(64 << 20);
	CLEANUP(json_freep) struct json_t *document = NULL;
	struct err ignored = { 0 };

	if (!as_json) {
		fprintf(stderr, "vmbake: %s\n", err->msg);
		return;
	}
	document = json_new_object();
	json_put(document, "error", show_error_json(err, ptr_take(&owned)));
	if (json_print(&text, document, JSON_ONE_LINE, &ignored))
		fprintf(stderr, "%s\n", text.data);
}
