#include "bundle.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bundle_words.h"
#include "capability.h"
#include "init/contract/config_lists.h"
#include "init/contract/version.h"
#include "layers/path.h"

enum {
	KERNELS_MAX = 1000,
	MODULES_MAX = 1000, /* of one kernel, the driver's and those it needs */
	GPUS_MAX = 65536, /* as many as there are device ids */
	MODULE_NAME_MAX = 55, /* the kernel's MODULE_NAME_LEN without the NUL */
};

static bool is_clean(struct view path)
{
	char clean[PATH_BYTES_MAX];
	struct err ignored;

	return path.len > 0 && path_clean(clean, path.ptr, path.len, &ignored) &&
	       view_equal(path, clean);
}

MUST_CHECK static bool need_clean(const char *path, const char *key, struct err *err)
{
	return is_clean(view_of(path)) ||
	       err_set(err, ERR_FORMAT, "\"%s\" is no clean path: %.200s", key, path);
}

/* As list_read_text, but it may be absent: NULL. */
MUST_CHECK static bool want_text(struct arena *arena, const struct json_t *object, const char *key,
				 const char **out, struct err *err)
{
	*out = NULL;
	return !json_has(object, key) || list_read_text(arena, object, key, out, err);
}

MUST_CHECK static bool need_digest(const struct json_t *object, const char *key,
				   struct digest *out, struct err *err)
{
	const char *text = NULL;

	if (!json_need_string(object, key, &text, err))
		return false;
	return digest_parse(out, view_of(text), err) || err_wrap(err, "\"%s\"", key);
}

MUST_CHECK static bool read_capabilities(const struct json_t *object, unsigned *out,
					 struct err *err)
{
	const struct json_t *array = NULL;

	if (!json_need_array(object, "capabilities", &array, err))
		return false;
	for (size_t i = 0; i < json_count(array); i++) {
		const char *word = json_text(json_item(array, i));
		unsigned bit = word ? capability_of_word(view_of(word)) : 0;

		if (bit == 0)
			return err_set(err, ERR_FORMAT, "\"capabilities\" has an unknown item %s",
				       word ? word : "that is no string");
		*out |= bit;
	}
	return true;
}

/* A list of objects; items, one item_bytes each, come from the arena. */
MUST_CHECK static bool read_list(struct arena *arena, const struct json_t *object, const char *key,
				 size_t max, size_t item_bytes, const struct json_t **array,
				 void *items, struct err *err)
{
	if (!json_need_array(object, key, array, err))
		return false;
	if (json_count(*array) > max)
		return err_set(err, ERR_UNSUPPORTED, "\"%s\" has over %zu items", key, max);
	void *room = arena_take(arena, (json_count(*array) + 1) * item_bytes);

	if (!room)
		return err_memory(err, "a driver bundle");
	memcpy(items, &room, sizeof(room));
	return true;
}

static bool is_module_name(struct view name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!memchr("_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
			    name.ptr[i], 63))
			return false;
	return name.len > 0 && name.len <= MODULE_NAME_MAX;
}

static bool has_module(const struct bundle_module *modules, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(modules[i].name, name) == 0)
			return true;
	return false;
}

/* Names and order: each once, and what it needs before it. */
MUST_CHECK static bool check_module(const struct bundle_module *modules, size_t index,
				    struct err *err)
{
	const struct bundle_module *module = &modules[index];

	if (!is_module_name(view_of(module->name)))
		return err_set(err, ERR_FORMAT, "\"name\" is no module's: %.200s", module->name);
	if (has_module(modules, index, module->name))
		return err_set(err, ERR_FORMAT, "module %s comes twice", module->name);
	for (size_t i = 0; i < module->needs.count; i++)
		if (!has_module(modules, index, module->needs.items[i]))
			return err_set(err, ERR_FORMAT, "module %s needs %.200s, not before it",
				       module->name, module->needs.items[i]);
	for (size_t i = 0; i < module->firmware.count; i++)
		if (!need_clean(module->firmware.items[i], "firmware", err))
			return false;
	return need_clean(module->path, "path", err);
}

MUST_CHECK static bool read_module(struct arena *arena, const struct json_t *object,
				   struct bundle_module *out, struct err *err)
{
	return list_read_text(arena, object, "name", &out->name, err) &&
	       list_read_text(arena, object, "path", &out->path, err) &&
	       want_text(arena, object, "version", &out->version, err) &&
	       want_text(arena, object, "license", &out->licence, err) &&
	       list_read_text(arena, object, "params", &out->params, err) &&
	       list_read_texts(arena, object, "needs", &out->needs, err) &&
	       list_read_texts(arena, object, "firmware", &out->firmware, err) &&
	       read_capabilities(object, &out->capabilities, err) &&
	       json_want_bool(object, "vendor", &out->is_vendor, err) &&
	       json_need_size(object, "size", &out->size_bytes, err) &&
	       need_digest(object, "digest", &out->digest, err);
}

/* It becomes a folder in /lib/modules. */
static bool is_release(const char *release)
{
	return is_clean(view_of(release)) && !strchr(release, '/') && !strchr(release, ' ');
}

MUST_CHECK static bool read_kernel(struct arena *arena, const struct json_t *object,
				   struct bundle_kernel *out, struct err *err)
{
	const struct json_t *array = NULL;
	struct bundle_module *modules = NULL;

	if (!list_read_text(arena, object, "release", &out->release, err) ||
	    !list_read_text(arena, object, "vermagic", &out->vermagic, err) ||
	    !json_want_bool(object, "modversions", &out->has_modversions, err) ||
	    !json_want_bool(object, "signed", &out->is_signed, err) ||
	    !read_list(arena, object, "modules", MODULES_MAX, sizeof(*modules), &array, &modules,
		       err))
		return false;
	if (!is_release(out->release))
		return err_set(err, ERR_FORMAT, "\"release\" is none: %.200s", out->release);
	for (size_t i = 0; i < json_count(array); i++)
		if (!read_module(arena, json_item(array, i), &modules[i], err) ||
		    !check_module(modules, i, err))
			return err_wrap(err, "\"modules\" item %zu", i + 1);
	out->modules = modules;
	out->module_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_kernels(struct bundle *bundle, const struct json_t *document,
				    struct err *err)
{
	const struct json_t *array = NULL;
	struct bundle_kernel *kernels = NULL;

	if (!read_list(&bundle->arena, document, "kernels", KERNELS_MAX, sizeof(*kernels), &array,
		       &kernels, err))
		return false;
	for (size_t i = 0; i < json_count(array); i++) {
		if (!read_kernel(&bundle->arena, json_item(array, i), &kernels[i], err))
			return err_wrap(err, "\"kernels\" item %zu", i + 1);
		if (i > 0 && strcmp(kernels[i - 1].release, kernels[i].release) >= 0)
			return err_set(err, ERR_FORMAT, "\"kernels\" are not sorted at %s",
				       kernels[i].release);
	}
	bundle->kernels = kernels;
	bundle->kernel_count = json_count(array);
	return true;
}

/* "@libdir@/x", "/etc/x" */
static bool is_dest(const char *dest)
{
	static const char *const places[] = { BUNDLE_LIBDIR, BUNDLE_LIBDIR32, BUNDLE_BINDIR, "/" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (view_starts(view_of(dest), places[i]))
			return is_clean(view_of(dest + strlen(places[i])));
	return false;
}

MUST_CHECK static bool check_file(const struct bundle_file *file, struct err *err)
{
	if (!need_clean(file->path, "path", err))
		return false;
	if (!is_dest(file->dest))
		return err_set(err, ERR_FORMAT, "\"dest\" is none: %.200s", file->dest);
	for (size_t i = 0; i < file->links.count; i++) {
		const char *link = file->links.items[i], *slash = strchr(link, '/');

		if (!is_clean(view_of(link)) || (slash && strchr(slash + 1, '/')))
			return err_set(err, ERR_FORMAT, "\"links\" of %.200s has %.200s",
				       file->path, link);
	}
	return true;
}

MUST_CHECK static bool read_mode(const struct json_t *object, uint32_t *out, struct err *err)
{
	const char *text = NULL;
	uint64_t mode = 0;

	if (!json_need_string(object, "mode", &text, err))
		return false;
	if (!view_number(view_of(text), 8, 07777, &mode))
		return err_set(err, ERR_FORMAT, "\"mode\" is %.200s", text);
	*out = (uint32_t)mode;
	return true;
}

MUST_CHECK static bool read_file(struct arena *arena, const struct json_t *object,
				 struct bundle_file *out, struct err *err)
{
	const char *kind = NULL;

	if (!list_read_text(arena, object, "path", &out->path, err) ||
	    !list_read_text(arena, object, "dest", &out->dest, err) ||
	    !json_need_string(object, "kind", &kind, err) ||
	    !want_text(arena, object, "soname", &out->soname, err) ||
	    !list_read_texts(arena, object, "links", &out->links, err) ||
	    !read_capabilities(object, &out->capabilities, err) ||
	    !list_read_texts(arena, object, "needed", &out->needed, err) ||
	    !read_mode(object, &out->mode, err) ||
	    !json_need_size(object, "size", &out->size_bytes, err) ||
	    !need_digest(object, "digest", &out->digest, err))
		return false;
	return (bundle_kind_of_word(kind, &out->kind) ||
		err_set(err, ERR_FORMAT, "\"kind\" is %.200s", kind)) &&
	       check_file(out, err);
}

MUST_CHECK static bool read_files(struct bundle *bundle, const struct json_t *document,
				  struct err *err)
{
	const struct json_t *array = NULL;
	struct bundle_file *files = NULL;

	if (!read_list(&bundle->arena, document, "files", BUNDLE_FILES_MAX, sizeof(*files), &array,
		       &files, err))
		return false;
	for (size_t i = 0; i < json_count(array); i++) {
		if (!read_file(&bundle->arena, json_item(array, i), &files[i], err))
			return err_wrap(err, "\"files\" item %zu", i + 1);
		if (i > 0 && strcmp(files[i - 1].path, files[i].path) >= 0)
			return err_set(err, ERR_FORMAT, "\"files\" are not sorted at %s",
				       files[i].path);
	}
	bundle->files = files;
	bundle->file_count = json_count(array);
	return true;
}

/* "0x2330", as supported-gpus.json has it. */
MUST_CHECK static bool read_device(const struct json_t *object, uint16_t *out, struct err *err)
{
	const char *text = NULL;
	uint64_t device = 0;

	if (!json_need_string(object, "device", &text, err))
		return false;
	if (!view_starts(view_of(text), "0x") ||
	    !view_number(view_of(text + 2), 16, UINT16_MAX, &device))
		return err_set(err, ERR_FORMAT, "\"device\" is %.200s", text);
	*out = (uint16_t)device;
	return true;
}

MUST_CHECK static bool read_gpus(struct bundle *bundle, const struct json_t *document,
				 struct err *err)
{
	const struct json_t *array = NULL;
	struct bundle_gpu *gpus = NULL;

	if (!json_has(document, "gpus"))
		return true;
	if (!read_list(&bundle->arena, document, "gpus", GPUS_MAX, sizeof(*gpus), &array, &gpus,
		       err))
		return false;
	for (size_t i = 0; i < json_count(array); i++) {
		const struct json_t *object = json_item(array, i);
		struct bundle_gpu *gpu = &gpus[i];

		if (!read_device(object, &gpu->device, err) ||
		    !list_read_text(&bundle->arena, object, "name", &gpu->name, err) ||
		    !want_text(&bundle->arena, object, "legacyBranch", &gpu->legacy_branch, err) ||
		    !json_want_bool(object, "open", &gpu->is_open_capable, err))
			return err_wrap(err, "\"gpus\" item %zu", i + 1);
		if (i > 0 && gpus[i - 1].device >= gpu->device)
			return err_set(err, ERR_FORMAT, "\"gpus\" are not sorted at 0x%04x",
				       gpu->device);
	}
	bundle->gpus = gpus;
	bundle->gpu_count = json_count(array);
	return true;
}

MUST_CHECK static bool read_version(struct arena *arena, const struct json_t *object,
				    const char *key, const char **out, struct err *err)
{
	if (!list_read_text(arena, object, key, out, err))
		return false;
	return version_is_plain(view_of(*out)) ||
	       err_set(err, ERR_FORMAT, "\"%s\" is no version: %.200s", key, *out);
}

MUST_CHECK static bool read_branch(const struct bundle *bundle, const struct json_t *driver,
				   struct err *err)
{
	const char *branch = NULL;

	if (!json_need_string(driver, "branch", &branch, err))
		return false;
	return view_equal(version_branch(view_of(bundle->version)), branch) ||
	       err_set(err, ERR_FORMAT, "\"branch\" of %s is %.200s", bundle->version, branch);
}

MUST_CHECK static bool read_source(struct bundle *bundle, const struct json_t *driver,
				   struct err *err)
{
	const struct json_t *source = NULL, *licence = NULL;
	struct arena *arena = &bundle->arena;

	if (!json_need_object(driver, "source", &source, err) ||
	    !list_read_text(arena, source, "type", &bundle->source_type, err) ||
	    !list_read_text(arena, source, "name", &bundle->source, err) ||
	    !json_want_object(driver, "license", &licence, err))
		return false;
	if (!bundle_is_source_type(bundle->source_type))
		return err_set(err, ERR_FORMAT, "\"type\" is %.200s", bundle->source_type);
	return !licence || (list_read_text(arena, licence, "path", &bundle->licence_path, err) &&
			    need_clean(bundle->licence_path, "path", err));
}

MUST_CHECK static bool read_driver(struct bundle *bundle, const struct json_t *document,
				   struct err *err)
{
	const struct json_t *driver = NULL;
	const char *flavor = NULL;

	if (!json_need_object(document, "driver", &driver, err) ||
	    !read_version(&bundle->arena, driver, "version", &bundle->version, err) ||
	    !read_branch(bundle, driver, err) ||
	    !json_need_string(driver, "flavor", &flavor, err) ||
	    !list_read_text(&bundle->arena, driver, "arch", &bundle->architecture, err) ||
	    (json_has(driver, "cudaVersion") &&
	     !read_version(&bundle->arena, driver, "cudaVersion", &bundle->cuda, err)) ||
	    !read_source(bundle, driver, err))
		return false;
	if (!bundle_flavor_of_word(flavor, &bundle->flavor))
		return err_set(err, ERR_FORMAT, "\"flavor\" is %.200s", flavor);
	return strcmp(bundle->architecture, "amd64") == 0 ||
	       strcmp(bundle->architecture, "arm64") == 0 ||
	       err_set(err, ERR_UNSUPPORTED, "\"arch\" is %.200s", bundle->architecture);
}

MUST_CHECK static bool read_head(const struct json_t *document, struct err *err)
{
	const char *vendor = NULL;
	uint64_t version = 0;

	if (!json_need_size(document, "schemaVersion", &version, err) ||
	    !json_need_string(document, "vendor", &vendor, err))
		return false;
	if (version != BUNDLE_SCHEMA_VERSION)
		return err_set(err, ERR_UNSUPPORTED,
			       "schemaVersion %llu, and this vmbake knows only %d",
			       (unsigned long long)version, BUNDLE_SCHEMA_VERSION);
	return strcmp(vendor, "nvidia") == 0 ||
	       err_set(err, ERR_UNSUPPORTED, "\"vendor\" is %.200s", vendor);
}

bool bundle_parse(struct bundle *out, struct view text, struct err *err)
{
	CLEANUP(bundle_freep) struct bundle bundle = { 0 };
	CLEANUP(json_freep) struct json_t *document = NULL;

	if (text.len > BUNDLE_MANIFEST_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d bytes", BUNDLE_MANIFEST_BYTES_MAX);
	if (!json_parse(&document, text, err) || !read_head(document, err) ||
	    !read_driver(&bundle, document, err) || !read_kernels(&bundle, document, err) ||
	    !read_files(&bundle, document, err) || !read_gpus(&bundle, document, err))
		return false;
	if (json_has(document, "index") &&
	    !need_digest(document, "index", &bundle.index_digest, err))
		return false;
	*out = bundle;
	bundle = (struct bundle){ 0 };
	return true;
}

void bundle_freep(struct bundle *bundle)
{
	arena_freep(&bundle->arena);
	*bundle = (struct bundle){ 0 };
}

void bundle_name(const struct bundle *bundle, const struct digest *manifest_digest,
		 char out[BUNDLE_NAME_BYTES])
{
	char hex[DIGEST_HEX_BYTES];

	digest_hex(manifest_digest, hex);
	snprintf(out, BUNDLE_NAME_BYTES, "%.64s-%s-%s-%.*s", bundle->version,
		 bundle_flavor_name(bundle->flavor), bundle->architecture,
		 BUNDLE_NAME_DIGITS, hex);
}

const struct bundle_kernel *bundle_find_kernel(const struct bundle *bundle, const char *release)
{
	for (size_t i = 0; i < bundle->kernel_count; i++)
		if (strcmp(bundle->kernels[i].release, release) == 0)
			return &bundle->kernels[i];
	return NULL;
}

static bool is_among(const char *name, const struct text_list *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* The list is in order of loading: from its end on each need is seen before the needed. */
void bundle_mark_loaded(bool *loaded, const struct bundle_kernel *kernel, unsigned capabilities)
{
	for (size_t i = kernel->module_count; i-- > 0;)
		loaded[i] = kernel->modules[i].capabilities & capabilities;
	for (size_t i = kernel->module_count; i-- > 0;)
		for (size_t k = 0; loaded[i] && k < i; k++)
			loaded[k] |= is_among(kernel->modules[k].name, &kernel->modules[i].needs);
}

const struct bundle_gpu *bundle_find_gpu(const struct bundle *bundle, uint16_t device)
{
	size_t low = 0, high = bundle->gpu_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bundle->gpus[middle].device < device)
			low = middle + 1;
		else
			high = middle;
	}
	return low < bundle->gpu_count && bundle->gpus[low].device == device ? &bundle->gpus[low] :
									       NULL;
}
