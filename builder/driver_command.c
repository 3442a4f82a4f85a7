#include "driver_command.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "drivers/bundle/capability.h"
#include "show.h"

struct json_t *driver_findings_json(const struct finding_list *findings)
{
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < findings->count; i++) {
		struct json_t *object = json_new_object();

		json_put_text(object, "rule", rule_id(findings->items[i].rule));
		json_put_text(object, "severity", severity_name(findings->items[i].severity));
		json_put_text(object, "message", findings->items[i].sentence);
		json_add(array, object);
	}
	return array;
}

/* What was found, on stderr, so that stdout holds the result alone. */
static void print_findings(const struct finding_list *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		fprintf(stderr, "%s: %s: %s\n", severity_name(findings->items[i].severity),
			rule_id(findings->items[i].rule), findings->items[i].sentence);
}

static uint64_t total_bytes(const struct bundle *bundle)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < bundle->file_count; i++)
		bytes += bundle->files[i].size_bytes;
	for (size_t i = 0; i < bundle->kernel_count; i++)
		for (size_t j = 0; j < bundle->kernels[i].module_count; j++)
			bytes += bundle->kernels[i].modules[j].size_bytes;
	return bytes;
}

/* One bundle in few words, as list and import print it. */
static struct json_t *summary_json(const char *name, const struct bundle *bundle)
{
	struct json_t *object = json_new_object(), *kernels = json_new_array();

	json_put_text(object, "name", name);
	json_put_text(object, "version", bundle->version);
	json_put_text(object, "flavor", bundle_flavor_name(bundle->flavor));
	json_put_text(object, "arch", bundle->architecture);
	json_put_text(object, "cudaVersion", bundle->cuda);
	for (size_t i = 0; i < bundle->kernel_count; i++)
		json_add_text(kernels, bundle->kernels[i].release);
	json_put(object, "kernels", kernels);
	json_put_size(object, "files", bundle->file_count);
	json_put_size(object, "size", total_bytes(bundle));
	return object;
}

static void print_summary(const char *name, const struct bundle *bundle)
{
	char size[SHOW_BYTES_TEXT];

	show_bytes(total_bytes(bundle), size);
	printf("%s: CUDA %s, %zu files, %s, for", name, bundle->cuda ? bundle->cuda : "unknown",
	       bundle->file_count, size);
	for (size_t i = 0; i < bundle->kernel_count; i++)
		printf("%s %s", i > 0 ? "," : "", bundle->kernels[i].release);
	printf("\n");
}

MUST_CHECK static bool show_import(const char *name, const struct import_result *result,
				   const struct finding_list *findings, bool was_there,
				   bool as_json, struct err *err)
{
	if (as_json) {
		struct json_t *object = summary_json(name, &result->bundle);

		json_put_bool(object, "wasThere", was_there);
		json_put(object, "findings", driver_findings_json(findings));
		return show_json(object, err);
	}
	print_findings(findings);
	print_summary(name, &result->bundle);
	return show_flush(err);
}

/* Why an import was refused, in full; the error itself is one sentence. */
MUST_CHECK static bool show_refusal(const struct finding_list *findings, bool as_json,
				    struct err *err)
{
	struct err ignored;

	if (err->kind == ERR_MISMATCH && findings->count > 0) {
		if (!as_json)
			print_findings(findings);
		struct json_t *object = as_json ? json_new_object() : NULL;

		if (object)
			json_put(object, "findings", driver_findings_json(findings));
		if (object && !show_json(object, &ignored))
			return false; /* the import's own error is the one to tell */
	}
	return false;
}

bool driver_command_import(struct store *store, const struct import_request *request, bool as_json,
			   struct err *err)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	CLEANUP(import_result_freep) struct import_result result = { 0 };
	CLEANUP(finding_list_freep) struct finding_list findings = { 0 };
	char name[BUNDLE_NAME_BYTES];
	bool was_there = false;

	if (request->module_dir_count == 0)
		return err_set(err, ERR_USAGE,
			       "driver import needs --modules DIR: the driver's kernel modules,"
			       " built for the guest's kernel");
	if (!store_draft_open(store, &draft, err))
		return false;
	if (!driver_import(&result, &findings, request, draft.dir_fd, err))
		return show_refusal(&findings, as_json, err);
	bundle_name(&result.bundle, &result.manifest_digest, name);
	return driver_store_keep(store, &draft, name, &was_there, err) &&
	       show_import(name, &result, &findings, was_there, as_json, err);
}

/* Each that is whole; one that is not is told and passed over. */
MUST_CHECK static bool list_one(int dir_fd, const char *name, struct json_t *array, struct err *err)
{
	CLEANUP(stored_bundle_closep) struct stored_bundle stored = STORED_BUNDLE_NONE;
	struct err why = { 0 };

	if (stored_bundle_open(&stored, dir_fd, name, &why)) {
		if (array)
			json_add(array, summary_json(name, &stored.bundle));
		else
			print_summary(name, &stored.bundle);
		return true;
	}
	if (why.kind != ERR_INTEGRITY && why.kind != ERR_FORMAT && why.kind != ERR_UNSUPPORTED) {
		*err = why;
		return false;
	}
	if (array) {
		struct json_t *object = json_new_object();

		json_put_text(object, "name", name);
		json_put_text(object, "damage", why.msg);
		json_add(array, object);
	} else {
		printf("%s: damaged (%s)\n", name, why.msg);
	}
	return true;
}

bool driver_command_list(struct store *store, bool as_json, struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	CLEANUP(json_freep) struct json_t *array = as_json ? json_new_array() : NULL;
	CLEANUP(fd_closep) int dir_fd = -1;

	if (!driver_store_list(store, &names, err) || !driver_store_open(store, &dir_fd, err))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (!list_one(dir_fd, names.items[i], array, err))
			return false;
	if (!as_json)
		return show_flush(err);
	struct json_t *object = json_new_object();

	json_put(object, "drivers", ptr_take(&array));
	return show_json(object, err);
}

static void print_list(const char *name, const struct text_list *list)
{
	if (list->count == 0)
		return;
	printf("  %s", name);
	for (size_t i = 0; i < list->count; i++)
		printf(" %s", list->items[i]);
}

static void print_modules(const struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->kernel_count; i++) {
		const struct bundle_kernel *kernel = &bundle->kernels[i];

		printf("  kernel %s%s%s\n", kernel->release,
		       kernel->has_modversions ? ", modversions" : "",
		       kernel->is_signed ? ", signed" : "");
		for (size_t j = 0; j < kernel->module_count; j++) {
			const struct bundle_module *module = &kernel->modules[j];
			char wanted[CAPABILITY_TEXT_BYTES], size[SHOW_BYTES_TEXT];

			capability_text(module->capabilities, wanted);
			show_bytes(module->size_bytes, size);
			printf("    %-24s %8s  %s", module->name, size,
			       module->capabilities == CAPABILITY_ALL ? "always" :
			       module->capabilities == 0	      ? "never by itself" :
									wanted);
			print_list("after", &module->needs);
			printf("\n");
		}
	}
}

static void print_files(const struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->file_count; i++) {
		const struct bundle_file *file = &bundle->files[i];
		char wanted[CAPABILITY_TEXT_BYTES], size[SHOW_BYTES_TEXT];

		capability_text(file->capabilities, wanted);
		show_bytes(file->size_bytes, size);
		printf("  %-8s %8s  %-50s %s", bundle_kind_name(file->kind), size, file->dest,
		       file->capabilities == CAPABILITY_ALL ? "always" : wanted);
		print_list("links", &file->links);
		printf("\n");
	}
}

MUST_CHECK static bool inspect_json(const struct stored_bundle *stored, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);

	if (!bundle_print(&text, &stored->bundle, err))
		return false;
	fwrite(text.data, 1, text.len, stdout);
	return show_flush(err);
}

bool driver_command_inspect(struct store *store, const char *given, bool as_json, struct err *err)
{
	CLEANUP(stored_bundle_closep) struct stored_bundle stored = STORED_BUNDLE_NONE;
	CLEANUP(fd_closep) int dir_fd = -1;
	char name[BUNDLE_NAME_BYTES];

	if (!driver_store_find(store, given, name, err) ||
	    !driver_store_open(store, &dir_fd, err) ||
	    !stored_bundle_open(&stored, dir_fd, name, err))
		return false;
	if (as_json)
		return inspect_json(&stored, err);
	print_summary(name, &stored.bundle);
	printf("  from %s (%s), licence %s, %zu kinds of GPU listed\n", stored.bundle.source,
	       stored.bundle.source_type,
	       stored.bundle.licence_path ? stored.bundle.licence_path : "missing",
	       stored.bundle.gpu_count);
	print_modules(&stored.bundle);
	print_files(&stored.bundle);
	return show_flush(err);
}

bool driver_command_rm(struct store *store, const char *const *given, size_t count, bool as_json,
		       struct err *err)
{
	CLEANUP(freep) char(*names)[BUNDLE_NAME_BYTES] = calloc(count + 1, sizeof(*names));
	CLEANUP(json_freep) struct json_t *removed = json_new_array();

	if (!names)
		return err_memory(err, "a list of drivers");
	for (size_t i = 0; i < count; i++)
		if (!driver_store_find(store, given[i], names[i], err))
			return false;
	for (size_t i = 0; i < count; i++) {
		if (!driver_store_remove(store, names[i], err))
			return false;
		json_add_text(removed, names[i]);
		if (!as_json)
			printf("%s: removed\n", names[i]);
	}
	if (!as_json)
		return show_flush(err);
	struct json_t *object = json_new_object();

	json_put(object, "removed", ptr_take(&removed));
	return show_json(object, err);
}
