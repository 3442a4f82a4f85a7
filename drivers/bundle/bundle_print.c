#include "bundle.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bundle_words.h"
#include "capability.h"
#include "init/contract/config_lists.h"
#include "init/contract/version.h"

static const char *const flavors[] = {
	[BUNDLE_PROPRIETARY] = "proprietary",
	[BUNDLE_OPEN] = "open",
};

static const char *const kinds[BUNDLE_FILE_KIND_COUNT] = {
	[BUNDLE_LIB] = "lib",
	[BUNDLE_LIB32] = "lib32",
	[BUNDLE_BIN] = "bin",
	[BUNDLE_CONFIG] = "config",
	[BUNDLE_FIRMWARE] = "firmware",
	[BUNDLE_LICENCE] = "license",
};

const char *bundle_flavor_name(enum bundle_flavor flavor)
{
	return flavors[flavor];
}

const char *bundle_kind_name(enum bundle_file_kind kind)
{
	return kinds[kind];
}

bool bundle_flavor_of_word(const char *word, enum bundle_flavor *out)
{
	for (unsigned i = 0; i < sizeof(flavors) / sizeof(flavors[0]); i++) {
		if (strcmp(word, flavors[i]) == 0) {
			*out = (enum bundle_flavor)i;
			return true;
		}
	}
	return false;
}

bool bundle_kind_of_word(const char *word, enum bundle_file_kind *out)
{
	for (unsigned i = 0; i < BUNDLE_FILE_KIND_COUNT; i++) {
		if (strcmp(word, kinds[i]) == 0) {
			*out = (enum bundle_file_kind)i;
			return true;
		}
	}
	return false;
}

bool bundle_is_source_type(const char *word)
{
	static const char *const types[] = { "run", "redist", "deb", "oci", "dir" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(word, types[i]) == 0)
			return true;
	return false;
}

static void put_optional(struct json_t *object, const char *key, const char *text)
{
	if (text)
		json_put_text(object, key, text);
}

static void put_digest(struct json_t *object, const char *key, const struct digest *digest)
{
	char text[DIGEST_TEXT_BYTES];

	digest_text(digest, text);
	json_put_text(object, key, text);
}

static void put_texts(struct json_t *object, const char *key, const struct text_list *list)
{
	if (list->count > 0)
		json_put(object, key, list_of_texts(list));
}

static void put_capabilities(struct json_t *object, unsigned capabilities)
{
	char text[CAPABILITY_TEXT_BYTES];
	struct json_t *array = json_new_array();

	capability_text(capabilities, text);
	for (struct view rest = view_of(text); rest.len > 0;)
		json_add(array, json_new_text(view_cut(&rest, ',')));
	json_put(object, "capabilities", array);
}

static struct json_t *print_driver(const struct bundle *bundle)
{
	struct json_t *object = json_new_object(), *source = json_new_object();

	json_put_text(object, "version", bundle->version);
	json_put_view(object, "branch", version_branch(view_of(bundle->version)));
	json_put_text(object, "flavor", bundle_flavor_name(bundle->flavor));
	put_optional(object, "cudaVersion", bundle->cuda);
	json_put_text(object, "arch", bundle->architecture);
	json_put_text(source, "type", bundle->source_type);
	json_put_text(source, "name", bundle->source);
	json_put(object, "source", source);
	if (bundle->licence_path) {
		struct json_t *licence = json_new_object();

		json_put_text(licence, "path", bundle->licence_path);
		json_put(object, "license", licence);
	}
	return object;
}

static struct json_t *print_module(const struct bundle_module *module)
{
	struct json_t *object = json_new_object();

	json_put_text(object, "name", module->name);
	json_put_text(object, "path", module->path);
	put_optional(object, "version", module->version);
	put_optional(object, "license", module->licence);
	json_put_text(object, "params", module->params);
	put_texts(object, "needs", &module->needs);
	put_texts(object, "firmware", &module->firmware);
	put_capabilities(object, module->capabilities);
	json_put_bool(object, "vendor", module->is_vendor);
	json_put_size(object, "size", module->size_bytes);
	put_digest(object, "digest", &module->digest);
	return object;
}

static struct json_t *print_kernels(const struct bundle *bundle)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < bundle->kernel_count; i++) {
		const struct bundle_kernel *kernel = &bundle->kernels[i];
		struct json_t *object = json_new_object(), *modules = json_new_array();

		json_put_text(object, "release", kernel->release);
		json_put_text(object, "vermagic", kernel->vermagic);
		json_put_bool(object, "modversions", kernel->has_modversions);
		json_put_bool(object, "signed", kernel->is_signed);
		for (size_t j = 0; j < kernel->module_count; j++)
			json_add(modules, print_module(&kernel->modules[j]));
		json_put(object, "modules", modules);
		json_add(array, object);
	}
	return array;
}

static struct json_t *print_file(const struct bundle_file *file)
{
	struct json_t *object = json_new_object();
	char mode[16];

	json_put_text(object, "path", file->path);
	json_put_text(object, "dest", file->dest);
	json_put_text(object, "kind", bundle_kind_name(file->kind));
	put_optional(object, "soname", file->soname);
	put_texts(object, "links", &file->links);
	put_capabilities(object, file->capabilities);
	put_texts(object, "needed", &file->needed);
	snprintf(mode, sizeof(mode), "%04o", file->mode);
	json_put_text(object, "mode", mode);
	json_put_size(object, "size", file->size_bytes);
	put_digest(object, "digest", &file->digest);
	return object;
}

static struct json_t *print_files(const struct bundle *bundle)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < bundle->file_count; i++)
		json_add(array, print_file(&bundle->files[i]));
	return array;
}

static struct json_t *print_gpus(const struct bundle *bundle)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < bundle->gpu_count; i++) {
		const struct bundle_gpu *gpu = &bundle->gpus[i];
		struct json_t *object = json_new_object();
		char device[16];

		snprintf(device, sizeof(device), "0x%04x", gpu->device);
		json_put_text(object, "device", device);
		json_put_text(object, "name", gpu->name);
		put_optional(object, "legacyBranch", gpu->legacy_branch);
		json_put_bool(object, "open", gpu->is_open_capable);
		json_add(array, object);
	}
	return array;
}

bool bundle_print(struct bytes *out, const struct bundle *bundle, struct err *err)
{
	CLEANUP(json_freep) struct json_t *document = json_new_object();
	static const struct digest none;

	json_put_size(document, "schemaVersion", BUNDLE_SCHEMA_VERSION);
	json_put_text(document, "vendor", "nvidia");
	json_put(document, "driver", print_driver(bundle));
	json_put(document, "kernels", print_kernels(bundle));
	json_put(document, "files", print_files(bundle));
	if (bundle->gpu_count > 0)
		json_put(document, "gpus", print_gpus(bundle));
	if (!digest_equal(&bundle->index_digest, &none))
		put_digest(document, "index", &bundle->index_digest);
	return json_print(out, document, JSON_INDENTED, err) && bytes_append(out, "\n", 1, err);
}
