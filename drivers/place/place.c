#include "place.h"

#include "base/cleanup.h"
#include "drivers/select/gpu_chip.h"
#include "layers/merge.h"
#include "leftovers.h"
#include "place_files.h"
#include "place_layer.h"
#include "place_made.h"

void placement_freep(struct placement *placement)
{
	for (size_t i = 0; i < PLACE_LAYERS; i++)
		synthetic_layer_freep(&placement->layers[i]);
	finding_list_freep(&placement->findings);
	arena_freep(&placement->arena);
	*placement = PLACEMENT_NONE;
}

MUST_CHECK static bool check_libc(struct finding_list *findings, const struct image_probe *probe,
				  const struct place_request *request, struct err *err)
{
	if (probe->libc == IMAGE_LIBC_NONE)
		return finding_add(findings, RULE_LIBC_MISMATCH, SEVERITY_ERROR, err,
				   "the image has no dynamic loader, so no program in it can use "
				   "the driver's libraries");
	if (probe->libc == IMAGE_LIBC_GLIBC)
		return true;
	return finding_add(findings, RULE_LIBC_MISMATCH,
			   request->allow_musl ? SEVERITY_WARNING : SEVERITY_ERROR, err,
			   "the image's C library is musl (%s), the driver's libraries are made "
			   "for glibc",
			   probe->interpreter);
}

MUST_CHECK static bool keep_leftover(struct finding_list *findings, const struct leftover *leftover,
				     struct err *err)
{
	bool is_empty = leftover->kind == LEFTOVER_ZERO_BYTE;

	return finding_add(findings, is_empty ? RULE_LEFTOVER_ZERO_BYTE : RULE_LEFTOVER_FOREIGN,
			   SEVERITY_WARNING, err, "%s of the image is %s", leftover->path,
			   leftover_kind_text(leftover->kind));
}

/* Remove them, or say that they are there. */
MUST_CHECK static bool treat_leftovers(struct place_layer *layer, struct finding_list *findings,
				       const struct leftover_list *leftovers,
				       const struct place_request *request, struct err *err)
{
	for (size_t i = 0; i < leftovers->count; i++) {
		const struct leftover *leftover = &leftovers->items[i];

		if (leftover->kind == LEFTOVER_SAME)
			continue;
		if (request->keep_leftovers) {
			if (!keep_leftover(findings, leftover, err))
				return false;
			continue;
		}
		report_note(request->report, "removing %s from the image: %s", leftover->path,
			    leftover_kind_text(leftover->kind));
		if (!place_layer_add_whiteout(layer, leftover->path, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool copy_pending(struct placement *out, const struct requirement_list *pending,
				    struct err *err)
{
	size_t count = pending ? pending->count : 0;
	struct boot_requirement *items = arena_take(&out->arena, (count + 1) * sizeof(*items));

	if (!items)
		return err_memory(err, "the image's requirements");
	for (size_t i = 0; i < count; i++) {
		const struct requirement *from = &pending->items[i];

		items[i].name = arena_copy(&out->arena, from->name.ptr, from->name.len);
		items[i].predicate =
			arena_copy(&out->arena, from->predicate.ptr, from->predicate.len);
		if (!items[i].name || !items[i].predicate)
			return err_memory(err, "the image's requirements");
	}
	out->gpu.requirements = items;
	out->gpu.requirement_count = count;
	return true;
}

/* Only who is asked needs to know the chips. */
MUST_CHECK static bool add_models(struct placement *out, const struct bundle *bundle,
				  struct err *err)
{
	enum { NVIDIA = 0x10de };
	struct boot_gpu_model *models =
		arena_take(&out->arena, (bundle->gpu_count + 1) * sizeof(*models));

	if (!models)
		return err_memory(err, "the driver's GPUs");
	out->gpu.models = models;
	for (size_t i = 0; out->gpu.requirement_count > 0 && i < bundle->gpu_count; i++) {
		struct gpu_chip chip = gpu_chip_of(bundle->gpus[i].device);

		if (chip.compute)
			models[out->gpu.model_count++] = (struct boot_gpu_model){
				.vendor = NVIDIA, .device = chip.device, .arch = chip.compute
			};
	}
	return true;
}

MUST_CHECK static bool fill_gpu(struct placement *out, const struct place_request *request,
				struct err *err)
{
	const struct bundle *bundle = &request->stored->bundle;

	out->gpu.policy = request->policy;
	out->gpu.version = bundle->version;
	out->gpu.cuda = bundle->cuda;
	return copy_pending(out, request->pending, err) && add_models(out, bundle, err);
}

/* Once it is merged, the tree points into the layer: it must not move any more. */
MUST_CHECK static bool merge(struct placement *out, size_t number, struct tree *tree, int *data_fds,
			     const struct place_request *request, struct err *err)
{
	uint32_t layer = request->first_layer + (uint32_t)number;

	data_fds[layer] = out->layers[number].data_fd;
	return merge_layer(tree, &out->layers[number].index, layer, err);
}

static struct view library_path_of(const struct place_request *request)
{
	return require_env(request->env, request->env_count, "LD_LIBRARY_PATH");
}

/* The image as it was, judged: probe and compat are filled, findings added. */
MUST_CHECK static bool judge(struct placement *out, const struct image_files *files,
			     const struct place_request *request, struct image_probe *probe,
			     struct compat *compat, struct err *err)
{
	struct compat_request compat_request = {
		.driver = &request->stored->bundle,
		.gpu_class = request->gpu_class,
		.env = request->env,
		.env_count = request->env_count,
	};
	return image_probe(probe, files, request->machine, request->program, err) &&
	       check_libc(&out->findings, probe, request, err) &&
	       compat_judge(compat, &out->findings, files, &compat_request, &out->arena, err) &&
	       leftovers_check_stubs(&out->findings, files, probe, library_path_of(request), err);
}

/* The layer over the bundle's data. */
MUST_CHECK static bool make_driver_layer(struct placement *out, const struct image_files *files,
					 const struct place_request *request,
					 const struct image_probe *probe, bool *has_lib32,
					 struct err *err)
{
	CLEANUP(leftover_list_freep) struct leftover_list leftovers = { 0 };
	CLEANUP(place_layer_freep) struct place_layer layer = PLACE_LAYER_NONE;
	const struct stored_bundle *stored = request->stored;
	struct place_files placed = {
		.layer = &layer, .probe = probe, .request = request, .arena = &out->arena
	};

	layer.files = *files;
	layer.arena = &out->arena;
	if (!synthetic_start_over(&layer.synthetic, &stored->index, stored->data_fd,
				  request->time_seconds, err) ||
	    !leftovers_find(&leftovers, files, probe, library_path_of(request),
			    stored->bundle.version, err) ||
	    !treat_leftovers(&layer, &out->findings, &leftovers, request, err) ||
	    !place_files_add(&placed, &out->manifest, &out->gpu, err))
		return false;
	*has_lib32 = placed.has_lib32;
	return synthetic_finish(&out->layers[0], &layer.synthetic, err);
}

MUST_CHECK static bool place(struct placement *out, struct tree *tree, int *data_fds,
			     const struct place_request *request, struct err *err)
{
	CLEANUP(image_probe_freep) struct image_probe probe = { 0 };
	struct image_files files = { tree, data_fds };
	struct compat compat = { 0 };
	bool has_lib32 = false;

	if (!judge(out, &files, request, &probe, &compat, err))
		return false;
	if (finding_count(&out->findings, SEVERITY_ERROR) > 0)
		return true;
	if (!fill_gpu(out, request, err) ||
	    !make_driver_layer(out, &files, request, &probe, &has_lib32, err) ||
	    !merge(out, 0, tree, data_fds, request, err))
		return false;
	struct place_made made = { .files = &files,
				   .probe = &probe,
				   .compat = &compat,
				   .request = request,
				   .has_lib32 = has_lib32,
				   .arena = &out->arena };

	out->libdir = arena_copy(&out->arena, probe.libdir, strlen(probe.libdir));
	return (out->libdir || err_memory(err, "a path")) &&
	       place_made_layer(&out->layers[1], &made, err) &&
	       merge(out, 1, tree, data_fds, request, err);
}

bool place_driver(struct placement *out, struct tree *tree, int *data_fds,
		  const struct place_request *request, struct err *err)
{
	*out = PLACEMENT_NONE;
	if (place(out, tree, data_fds, request, err))
		return true;
	placement_freep(out);
	return false;
}
