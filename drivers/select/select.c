#include "select.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/kernel/module_match.h"
#include "init/contract/version.h"
#include "layers/body_map.h"

enum {
	OPEN_BY_DEFAULT_FROM = 560, /* the branch from which NVIDIA's installers prefer it */
	REASON_BYTES = 150, /* of each bundle, in the one sentence of the error */
};

void selection_freep(struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++)
		finding_list_freep(&selection->candidates[i].findings);
	free(selection->candidates);
	arena_freep(&selection->arena);
	*selection = (struct selection){ 0 };
}

/* A module's bytes, as they lie in the bundle. */
MUST_CHECK static bool map_module(struct body_map *out, const struct stored_bundle *stored,
				  const struct bundle_module *module, struct err *err)
{
	const struct index_entry *entry = stored_bundle_find(stored, module->path);

	if (!entry)
		return err_set(err, ERR_INTEGRITY, "driver %s lacks %s", stored->name,
			       module->path);
	return body_map_open(out, stored->data_fd, stored->index.extents + entry->extent_first,
			     entry->extent_count, entry->size, err);
}

/* What modules loaded before export: their names point into the modules' bytes. */
struct loaded {
	struct export_table exports;
	struct body_map *modules; /* modules[count], owned */
	size_t count;
};

static void loaded_freep(struct loaded *loaded)
{
	export_table_freep(&loaded->exports);
	for (size_t i = 0; i < loaded->count; i++)
		body_map_closep(&loaded->modules[i]);
	free(loaded->modules);
}

MUST_CHECK static bool match_module(struct candidate *candidate, struct loaded *loaded,
				    const struct kernel *kernel,
				    const struct bundle_module *module, struct err *err)
{
	struct body_map *map = &loaded->modules[loaded->count];
	struct elf elf;

	if (!map_module(map, candidate->stored, module, err))
		return false;
	loaded->count++;
	if (!module_match(&candidate->findings, kernel, &loaded->exports, map->bytes, err) ||
	    !elf_open(&elf, map->bytes, err) ||
	    !export_table_add_elf(&loaded->exports, &elf, err))
		return err_wrap(err, "%s", module->path);
	export_table_sort(&loaded->exports);
	return true;
}

MUST_CHECK static bool match_kernel(struct candidate *candidate, const struct kernel *kernel,
				    const struct bundle_kernel *modules, unsigned capabilities,
				    struct err *err)
{
	CLEANUP(freep) bool *wanted = calloc(modules->module_count + 1, sizeof(*wanted));
	CLEANUP(loaded_freep) struct loaded loaded = { 0 };

	loaded.modules = calloc(modules->module_count + 1, sizeof(*loaded.modules));
	if (!loaded.modules || !wanted)
		return err_memory(err, "kernel modules");
	bundle_mark_loaded(wanted, modules, capabilities);
	if (!module_match_kernel(&candidate->findings, kernel, err))
		return false;
	for (size_t i = 0; i < modules->module_count; i++)
		if (wanted[i] &&
		    !match_module(candidate, &loaded, kernel, &modules->modules[i], err))
			return false;
	return true;
}

/* The modules' releases as a list, for the sentence. */
static void list_releases(const struct bundle *bundle, char *out, size_t out_bytes)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < bundle->kernel_count && len < out_bytes; i++) {
		int more = snprintf(out + len, out_bytes - len, "%s%s", i > 0 ? ", " : "",
				    bundle->kernels[i].release);

		len += more > 0 ? (size_t)more : 0;
	}
}

MUST_CHECK static bool check_kernel(struct candidate *candidate,
				    const struct select_request *request, unsigned capabilities,
				    struct err *err)
{
	const struct bundle *bundle = &candidate->stored->bundle;
	const char *release = request->kernel ? request->kernel->release : request->release;
	const struct bundle_kernel *modules = NULL;
	char releases[256];

	if (!release)
		return finding_add(&candidate->findings, RULE_KERNEL_RELEASE, SEVERITY_UNKNOWN, err,
				   "the guest's kernel is not known; give --kernel or"
				   " --kernel-release");
	modules = bundle_find_kernel(bundle, release);
	if (!modules) {
		list_releases(bundle, releases, sizeof(releases));
		return finding_add(&candidate->findings, RULE_KERNEL_RELEASE, SEVERITY_ERROR, err,
				   "driver %s has no modules for kernel %s%s%s", bundle->version,
				   release, releases[0] ? ", only for " : "", releases);
	}
	return !request->kernel || match_kernel(candidate, request->kernel, modules, capabilities,
						 err);
}

MUST_CHECK static bool judge(struct selection *selection, struct candidate *candidate,
			     const struct select_request *request, struct err *err)
{
	const struct bundle *bundle = &candidate->stored->bundle;
	unsigned asked = request->capabilities ? request->capabilities :
						 selection->gpu.capabilities;
	unsigned capabilities = asked ? asked : CAPABILITY_UTILITY | CAPABILITY_COMPUTE;

	if (!driver_fit_gpu(&candidate->findings, bundle, request->chip, err) ||
	    !driver_fit_requirements(&candidate->findings, &candidate->pending, &selection->arena,
				     bundle, request->chip, request->env, request->env_count,
				     err))
		return false;
	/* The modules are read last, and only where all else fits: it is the costly part. */
	if (finding_count(&candidate->findings, SEVERITY_ERROR) == 0 &&
	    !check_kernel(candidate, request, capabilities, err))
		return err_wrap(err, "driver %s", candidate->stored->name);
	return true;
}

static bool is_preferred_flavor(const struct bundle *bundle)
{
	uint64_t branch = 0;
	bool prefers_open = view_number(version_branch(view_of(bundle->version)), 10, UINT32_MAX,
					&branch) &&
			    branch >= OPEN_BY_DEFAULT_FROM;

	return (bundle->flavor == BUNDLE_OPEN) == prefers_open;
}

/* Newest first; of one version the flavor that NVIDIA's own installer would take; then by name. */
static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	int order = 0;

	if (version_compare(view_of(a->stored->bundle.version), view_of(b->stored->bundle.version),
			    &order) &&
	    order != 0)
		return -order;
	order = is_preferred_flavor(&b->stored->bundle) - is_preferred_flavor(&a->stored->bundle);
	return order != 0 ? order : strcmp(a->stored->name, b->stored->name);
}

/* "535" is any of that branch. */
static bool is_version(const char *version, const char *choice)
{
	size_t len = strlen(choice);

	return strncmp(version, choice, len) == 0 && (version[len] == '\0' || version[len] == '.');
}

static bool is_meant(const struct stored_bundle *stored, const struct select_request *request)
{
	return strcmp(request->choice, "auto") == 0 ||
	       is_version(stored->bundle.version, request->choice) ||
	       strcmp(request->choice, stored->name) == 0;
}

/* "RULE: sentence" and the like, kept with the selection. */
MUST_CHECK static bool pass_over(struct selection *selection, struct candidate *candidate,
				 struct err *err, const char *format, ...) PRINTF(4, 5);

static bool pass_over(struct selection *selection, struct candidate *candidate, struct err *err,
		      const char *format, ...)
{
	char text[1200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	candidate->why_not = arena_copy(&selection->arena, text, strlen(text));
	return candidate->why_not || err_memory(err, "drivers");
}

/* Is it for the image's architecture? */
MUST_CHECK static bool admit(struct selection *selection, struct candidate *candidate,
			     const struct select_request *request, size_t *admitted,
			     struct err *err)
{
	const char *architecture = candidate->stored->bundle.architecture;

	if (strcmp(architecture, request->architecture) != 0)
		return pass_over(selection, candidate, err, "it is for %s, the image for %s",
				 architecture, request->architecture);
	(*admitted)++;
	return true;
}

MUST_CHECK static bool collect(struct selection *out, const struct stored_bundle *stored,
			       size_t stored_count, const struct select_request *request,
			       struct err *err)
{
	bool is_auto = strcmp(request->choice, "auto") == 0;
	size_t admitted = 0;

	out->candidates = calloc(stored_count + 1, sizeof(*out->candidates));
	if (!out->candidates)
		return err_memory(err, "drivers");
	for (size_t i = 0; i < stored_count; i++)
		if (is_meant(&stored[i], request))
			out->candidates[out->count++] = (struct candidate){ .stored = &stored[i] };
	if (out->count > 0)
		qsort(out->candidates, out->count, sizeof(*out->candidates), compare_candidates);
	for (size_t i = 0; i < out->count; i++)
		if (!admit(out, &out->candidates[i], request, &admitted, err))
			return false;
	if (admitted > 0)
		return true;
	if (is_auto)
		return err_set(err, ERR_NOT_FOUND,
			       "the image asks for a GPU, and the store has no driver for %s; see"
			       " vmbake driver import", request->architecture);
	return err_set(err, ERR_NOT_FOUND, "the store has no driver %s for %s", request->choice,
		       request->architecture);
}

static const struct finding *first_error(const struct finding_list *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].severity == SEVERITY_ERROR)
			return &findings->items[i];
	return NULL;
}

/* One sentence with each bundle's first reason, as far as it has room. */
MUST_CHECK static bool report_none(const struct selection *selection, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 16);

	for (size_t i = 0; i < selection->count; i++) {
		const struct candidate *candidate = &selection->candidates[i];

		if (!bytes_print(&text, err, "%s%.60s: %.*s", i > 0 ? "; " : "",
				 candidate->stored->name, REASON_BYTES, candidate->why_not))
			return false;
	}
	return err_set(err, ERR_MISMATCH, "no driver fits: %s", text.data ? text.data : "");
}

/* The next in order of preference: judged, unless that is settled. */
MUST_CHECK static bool consider(struct selection *out, struct candidate *candidate,
				const struct select_request *request, struct err *err)
{
	const struct finding *reason = NULL;

	if (candidate->why_not)
		return true;
	if (out->chosen)
		return pass_over(out, candidate, err, "%s comes before it, and fits",
				 out->chosen->stored->name);
	if (!judge(out, candidate, request, err))
		return false;
	reason = first_error(&candidate->findings);
	if (reason)
		return pass_over(out, candidate, err, "%s: %s", rule_id(reason->rule),
				 reason->sentence);
	out->chosen = candidate;
	return true;
}

bool driver_select(struct selection *out, const struct stored_bundle *stored, size_t stored_count,
		   const struct select_request *request, struct err *err)
{
	bool is_auto = strcmp(request->choice, "auto") == 0;

	if (strcmp(request->choice, "none") == 0)
		return true;
	if (!gpu_request_read(&out->gpu, request->env, request->env_count, err))
		return false;
	if (is_auto && out->gpu.wish == GPU_NOT_ASKED)
		return true;
	if (!collect(out, stored, stored_count, request, err))
		return false;
	for (size_t i = 0; i < out->count; i++)
		if (!consider(out, &out->candidates[i], request, err))
			return false;
	return out->chosen || report_none(out, err);
}
