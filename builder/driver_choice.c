#include "driver_choice.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "driver_command.h"
#include "driver_store.h"
#include "guest_kernel.h"

void driver_choice_freep(struct driver_choice *choice)
{
	selection_freep(&choice->selection);
	for (size_t i = 0; i < choice->bundle_count; i++)
		stored_bundle_closep(&choice->bundles[i]);
	free(choice->bundles);
	arena_freep(&choice->arena);
	kernel_freep(&choice->kernel);
	*choice = DRIVER_CHOICE_NONE;
}

const struct stored_bundle *driver_choice_bundle(const struct driver_choice *choice)
{
	return choice->selection.chosen ? choice->selection.chosen->stored : NULL;
}

/* One of words[word_count], by its number; NULL: number 0. */
MUST_CHECK static bool read_word(const char *option, const char *word, const char *const *words,
				 size_t word_count, unsigned *out, struct err *err)
{
	if (!word)
		return true;
	for (size_t i = 0; i < word_count; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (unsigned)i;
			return true;
		}
	}
	return err_set(err, ERR_USAGE, "--%s: \"%s\" is not one of its words", option, word);
}

MUST_CHECK static bool read_options(struct driver_choice *out, const struct options *options,
				    struct err *err)
{
	static const char *const policies[] = { "none", "optional", "required" };
	static const char *const classes[] = { "unknown", "datacenter", "consumer" };
	const struct driver_options *given = &options->driver;
	unsigned policy = GPU_OPTIONAL, gpu_class = GPU_CLASS_UNKNOWN;

	if (!read_word("gpu", given->gpu_policy, policies, 3, &policy, err) ||
	    !read_word("gpu-class", given->gpu_class, classes, 3, &gpu_class, err))
		return false;
	if (given->kernel && given->kernel_release)
		return err_set(err, ERR_USAGE, "--kernel says its release itself, so there is no"
			       " use for --kernel-release");
	if (given->capabilities &&
	    !capability_parse(&out->recipe.capabilities, view_of(given->capabilities), err))
		return err->kind = ERR_USAGE, err_wrap(err, "--capabilities");
	out->has_chip = given->gpu_id != NULL;
	if (out->has_chip && !gpu_chip_parse(&out->chip, view_of(given->gpu_id), err))
		return err_wrap(err, "--gpu-id");
	out->policy = (enum gpu_policy)policy;
	out->gpu_class = (enum gpu_class)gpu_class;
	return true;
}

bool driver_choice_check(const struct options *options, struct err *err)
{
	struct driver_choice ignored = DRIVER_CHOICE_NONE; /* nothing in it is owned so far */

	return read_options(&ignored, options, err);
}

/* A bundle that cannot be used is told and passed over, unless it is the one that was named. */
MUST_CHECK static bool open_bundle(struct driver_choice *out, int dir_fd, const char *name,
				   bool is_named, struct report *report, struct err *err)
{
	struct stored_bundle *bundle = &out->bundles[out->bundle_count];
	struct err why = { 0 };

	*bundle = STORED_BUNDLE_NONE;
	if (stored_bundle_open(bundle, dir_fd, name, &why)) {
		out->bundle_count++;
		return true;
	}
	if (is_named || why.kind == ERR_IO) {
		*err = why;
		return err_wrap(err, "driver %s", name);
	}
	report_note(report, "driver %s is passed over: %s", name, why.msg);
	struct unreadable_bundle *unreadable = &out->unreadable[out->unreadable_count];

	unreadable->name = arena_copy(&out->arena, name, strlen(name));
	unreadable->why = arena_copy(&out->arena, why.msg, strlen(why.msg));
	out->unreadable_count += unreadable->name && unreadable->why;
	return (unreadable->name && unreadable->why) || err_memory(err, "drivers");
}

/* A bundle's folder outside of the store, which has the bundle's name as it has it there. */
MUST_CHECK static bool open_folder(struct driver_choice *out, const char *path,
				   struct report *report, struct err *err)
{
	CLEANUP(fd_closep) int parent_fd = -1;
	struct view rest = view_of(path);

	while (view_ends(rest, "/"))
		rest.len--;
	ptrdiff_t slash = view_find_last(rest, '/');
	const char *name = arena_copy(&out->arena, rest.ptr + slash + 1,
				      rest.len - (size_t)(slash + 1));
	const char *parent = arena_copy(&out->arena, path, slash < 0 ? 0 : (size_t)slash);

	if (!name || !parent)
		return err_memory(err, "drivers");
	if (!parent[0]) /* "/NAME", "NAME/" */
		parent = path[0] == '/' ? "/" : ".";
	return file_open(&parent_fd, AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, err) &&
	       open_bundle(out, parent_fd, name, true, report, err);
}

MUST_CHECK static bool open_bundles(struct driver_choice *out, struct store *store,
				    const char *choice, struct report *report, struct err *err)
{
	CLEANUP(folder_names_freep) struct folder_names names = { 0 };
	CLEANUP(fd_closep) int dir_fd = -1;
	bool is_folder = strchr(choice, '/') != NULL;

	if (!is_folder && (!driver_store_open(store, &dir_fd, err) ||
			   !driver_store_list(store, &names, err)))
		return false;
	out->bundles = calloc(names.count + 1, sizeof(*out->bundles));
	out->unreadable = arena_take(&out->arena, (names.count + 1) * sizeof(*out->unreadable));
	if (!out->bundles || !out->unreadable)
		return err_memory(err, "drivers");
	if (is_folder)
		return open_folder(out, choice, report, err);
	for (size_t i = 0; i < names.count; i++)
		if (!open_bundle(out, dir_fd, names.items[i], strcmp(names.items[i], choice) == 0,
				 report, err))
			return false;
	return true;
}

MUST_CHECK static bool open_kernel(struct driver_choice *out, struct store *store,
				   const struct driver_options *given, struct report *report,
				   struct err *err)
{
	const struct kernel_files files = { .kernel = given->kernel,
					    .config = given->kernel_config };

	if (!given->kernel)
		return true;
	if (!guest_kernel_open(&out->kernel, store, &files, report, err))
		return false;
	out->has_kernel = true;
	return true;
}

/* For which kernel, when nobody said: the one that the bundle has modules for. */
MUST_CHECK static bool find_modules(struct driver_choice *out, const char *release,
				    struct report *report, struct err *err)
{
	const struct bundle *bundle = &driver_choice_bundle(out)->bundle;

	if (out->selection.gpu.is_by_index)
		report_note(report, "NVIDIA_VISIBLE_DEVICES names GPUs by number: the machine shows"
			    " whole GPUs, all that it is given");
	if (release) {
		out->modules = bundle_find_kernel(bundle, release);
		return out->modules || err_set(err, ERR_MISMATCH, "driver %s has no modules for"
					       " kernel %s", bundle->version, release);
	}
	if (bundle->kernel_count != 1)
		return err_set(err, ERR_USAGE, "driver %s has modules for %zu kernels; say which"
			       " with --kernel FILE or --kernel-release RELEASE", bundle->version,
			       bundle->kernel_count);
	out->modules = &bundle->kernels[0];
	report_note(report, "the guest's kernel is taken to be %s, the only one that driver %s has"
		    " modules for", out->modules->release, bundle->version);
	return true;
}

static void fill_recipe(struct driver_choice *choice, const struct options *options)
{
	const struct stored_bundle *bundle = driver_choice_bundle(choice);
	struct recipe_driver *recipe = &choice->recipe;

	if (choice->selection.gpu.wish == GPU_DRIVER_ONLY && !options->driver.gpu_policy)
		choice->policy = GPU_NONE;
	if (!recipe->capabilities)
		recipe->capabilities = choice->selection.gpu.capabilities;
	if (!recipe->capabilities)
		recipe->capabilities = CAPABILITY_UTILITY | CAPABILITY_COMPUTE;
	recipe->name = bundle->name;
	recipe->manifest_digest = bundle->manifest_digest;
	recipe->kernel_release = choice->modules->release;
	recipe->gpu_id = options->driver.gpu_id;
	recipe->policy = choice->policy;
	recipe->gpu_class = choice->gpu_class;
	recipe->keep_leftovers = options->driver.keep_leftovers;
	recipe->allow_musl = options->driver.allow_musl;
}

static size_t text_count(char *const *items)
{
	size_t count = 0;

	while (items && items[count])
		count++;
	return count;
}

/* Most images ask for no GPU: for those no bundle and no kernel is opened. */
MUST_CHECK static bool is_wanted(const char *choice, const struct select_request *request,
				 bool *out, struct err *err)
{
	struct gpu_request gpu;

	*out = strcmp(choice, "none") != 0;
	if (strcmp(choice, "auto") != 0)
		return true;
	if (!gpu_request_read(&gpu, request->env, request->env_count, err))
		return false;
	*out = gpu.wish != GPU_NOT_ASKED;
	return true;
}

/* All reasons, where the error has room for the start of some only. */
static void note_reasons(const struct selection *selection, struct report *report)
{
	size_t count = 0;

	for (size_t i = 0; i < selection->count; i++)
		count += finding_count(&selection->candidates[i].findings, SEVERITY_ERROR);
	if (count < 2)
		return;
	for (size_t i = 0; i < selection->count; i++) {
		const struct candidate *candidate = &selection->candidates[i];
		const struct finding_list *findings = &candidate->findings;

		for (size_t k = 0; k < findings->count; k++)
			if (findings->items[k].severity == SEVERITY_ERROR)
				report_note(report, "driver %s is passed over: %s: %s",
					    candidate->stored->name,
					    rule_id(findings->items[k].rule),
					    findings->items[k].sentence);
	}
}

/* With --json the reasons are in the JSON. */
MUST_CHECK static bool choose(struct driver_choice *out, struct select_request *request,
			      const struct options *options, struct report *report,
			      struct err *err)
{
	if (strchr(request->choice, '/'))
		request->choice = out->bundles[0].name;
	if (driver_select(&out->selection, out->bundles, out->bundle_count, request, err))
		return true;
	if (!options->json)
		note_reasons(&out->selection, report);
	return false;
}

bool driver_choice_make(struct driver_choice *out, struct store *store,
			const struct options *options, const struct image *image,
			struct report *report, struct err *err)
{
	const char *choice = options->driver.driver ? options->driver.driver : "auto";
	struct select_request request = {
		.choice = choice,
		.architecture = image->platform.architecture,
		.env = (const char *const *)image->config.env,
		.env_count = text_count(image->config.env),
	};

	bool wanted = false;

	if (!read_options(out, options, err))
		return false;
	if (!is_wanted(choice, &request, &wanted, err))
		return false;
	if (wanted && (!open_bundles(out, store, choice, report, err) ||
		       !open_kernel(out, store, &options->driver, report, err)))
		return false;
	request.kernel = out->has_kernel ? &out->kernel : NULL;
	request.release = out->has_kernel ? out->kernel.release : options->driver.kernel_release;
	request.chip = out->has_chip ? &out->chip : NULL;
	request.capabilities = out->recipe.capabilities;
	if (wanted && !choose(out, &request, options, report, err))
		return false;
	if (!out->selection.chosen)
		return true;
	if (!find_modules(out, request.release, report, err))
		return false;
	if (!strchr(choice, '/')) /* of the store, so it counts as used */
		file_touch(out->selection.chosen->stored->data_fd, "");
	fill_recipe(out, options);
	return true;
}

static struct json_t *candidate_json(const char *name, const char *version, const char *why)
{
	struct json_t *object = json_new_object();

	json_put_text(object, "bundle", name);
	json_put_text(object, "version", version);
	json_put_bool(object, "chosen", why == NULL);
	json_put_text(object, "whyNot", why);
	return object;
}

struct json_t *driver_choice_json(const struct driver_choice *choice)
{
	struct json_t *list = json_new_array();

	for (size_t i = 0; i < choice->selection.count; i++) {
		const struct candidate *candidate = &choice->selection.candidates[i];
		struct json_t *object = candidate_json(candidate->stored->name,
						       candidate->stored->bundle.version,
						       candidate->why_not);

		json_put(object, "findings", driver_findings_json(&candidate->findings));
		json_add(list, object);
	}
	for (size_t i = 0; i < choice->unreadable_count; i++) {
		const struct unreadable_bundle *bundle = &choice->unreadable[i];
		struct json_t *object = candidate_json(bundle->name, NULL, bundle->why);

		json_put(object, "findings", json_new_array());
		json_add(list, object);
	}
	return list;
}
