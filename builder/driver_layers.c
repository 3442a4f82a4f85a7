#include "driver_layers.h"

#include <elf.h>
#include <string.h>

#include "base/json.h"
#include "driver_command.h"
#include "drivers/verify/verify.h"

void driver_layers_freep(struct driver_layers *layers)
{
	placement_freep(&layers->placement);
	bytes_freep(&layers->record);
	finding_list_freep(&layers->findings);
	*layers = DRIVER_LAYERS_NONE;
}

/* Warnings are told; with an error the first is the one sentence, and the count of the others. */
MUST_CHECK static bool settle(struct driver_layers *layers, const struct finding_list *fresh,
			      struct report *report, struct err *err)
{
	const struct finding *first = NULL;
	size_t errors = finding_count(fresh, SEVERITY_ERROR);

	for (size_t i = 0; i < fresh->count; i++) {
		const struct finding *found = &fresh->items[i];

		if (!finding_add(&layers->findings, found->rule, found->severity, err, "%s",
				 found->sentence))
			return false;
		if (found->severity == SEVERITY_WARNING ||
		    (found->severity == SEVERITY_ERROR && errors > 1))
			report_note(report, "%s: %s: %s", severity_name(found->severity),
				    rule_id(found->rule), found->sentence);
		if (!first && found->severity == SEVERITY_ERROR)
			first = found;
	}
	if (!first)
		return true;
	if (errors > 1)
		return err_set(err, ERR_MISMATCH, "%s: %.380s, and %zu more", rule_id(first->rule),
			       first->sentence, errors - 1);
	return err_set(err, ERR_MISMATCH, "%s: %.400s", rule_id(first->rule), first->sentence);
}

static uint16_t machine_of(const char *architecture)
{
	return strcmp(architecture, "arm64") == 0 ? EM_AARCH64 : EM_X86_64;
}

/* The first word of what the image runs, if it is a path. */
static const char *program_of(const struct image_config *config)
{
	char *const *words = config->entrypoint && config->entrypoint[0] ? config->entrypoint :
									   config->cmd;

	return words && words[0] && words[0][0] == '/' ? words[0] : NULL;
}

bool driver_layers_add(struct driver_layers *layers, struct image_root *root,
		       const struct driver_choice *choice, int64_t time_seconds,
		       struct report *report, struct err *err)
{
	const struct stored_bundle *bundle = driver_choice_bundle(choice);
	struct place_request request = {
		.stored = bundle,
		.kernel = choice->modules,
		.capabilities = choice->recipe.capabilities,
		.machine = machine_of(root->image.platform.architecture),
		.program = program_of(&root->image.config),
		.env = (const char *const *)root->image.config.env,
		.keep_leftovers = choice->recipe.keep_leftovers,
		.allow_musl = choice->recipe.allow_musl,
		.gpu_class = choice->gpu_class,
		.policy = choice->policy,
		.first_layer = root->layer_count,
		.time_seconds = time_seconds,
		.report = report,
	};

	if (!bundle)
		return true;
	while (request.env && request.env[request.env_count])
		request.env_count++;
	request.pending = &choice->selection.chosen->pending;
	if (!place_driver(&layers->placement, root->tree, root->data_fds, &request, err))
		return err_wrap(err, "driver %s", bundle->bundle.version);
	if (!settle(layers, &layers->placement.findings, report, err))
		return false;
	root->layer_count += PLACE_LAYERS;
	layers->is_placed = true;
	return bundle_print(&layers->record, &layers->placement.manifest, err);
}

/* --allow-musl: the libraries cannot run as the image stands, and are wanted all the same. */
static void allow_other_libc(struct finding_list *fresh)
{
	for (size_t i = 0; i < fresh->count; i++) {
		enum rule rule = fresh->items[i].rule;

		if (rule == RULE_LIBC_MISMATCH || rule == RULE_NEEDED_MISSING ||
		    rule == RULE_GLIBC_TOO_OLD)
			fresh->items[i].severity = SEVERITY_WARNING;
	}
}

bool driver_layers_verify(struct driver_layers *layers, const struct image_root *root,
			  const struct driver_choice *choice, const struct boot_config *boot,
			  unsigned jobs, struct report *report, struct err *err)
{
	CLEANUP(finding_list_freep) struct finding_list fresh = { 0 };
	struct verify_subject subject = {
		.tree = root->tree,
		.data_fds = root->data_fds,
		.boot = boot,
		.driver = &layers->placement.manifest,
		.kernel = choice->has_kernel ? &choice->kernel : NULL,
		.release = choice->recipe.kernel_release,
		.chip = choice->has_chip ? &choice->chip : NULL,
		.jobs = jobs,
		.are_contents_known = true,
	};

	if (!layers->is_placed)
		return true;
	if (!verify_image(&fresh, &subject, err))
		return false;
	if (choice->recipe.allow_musl)
		allow_other_libc(&fresh);
	return settle(layers, &fresh, report, err);
}

struct json_t *driver_layers_json(const struct driver_layers *layers,
				  const struct driver_choice *choice)
{
	const struct stored_bundle *bundle = driver_choice_bundle(choice);
	struct json_t *object = NULL;
	char capabilities[CAPABILITY_TEXT_BYTES];

	if (choice->selection.count == 0 && choice->unreadable_count == 0)
		return NULL;
	object = json_new_object();
	if (bundle && choice->modules) {
		capability_text(choice->recipe.capabilities, capabilities);
		json_put_text(object, "bundle", bundle->name);
		json_put_text(object, "version", bundle->bundle.version);
		json_put_text(object, "flavor", bundle_flavor_name(bundle->bundle.flavor));
		json_put_text(object, "kernelRelease", choice->modules->release);
		json_put_text(object, "capabilities", capabilities);
		json_put_text(object, "libraries", layers->placement.libdir);
	}
	json_put(object, "findings", driver_findings_json(&layers->findings));
	json_put(object, "candidates", driver_choice_json(choice));
	return object;
}
