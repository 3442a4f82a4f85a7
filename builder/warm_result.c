#include "warm_result.h"

#include <limits.h>
#include <stdio.h>

#include "base/json.h"
#include "base/sentence.h"
#include "oci/reference.h"
#include "show.h"

void warm_result_freep(struct warm_result *result)
{
	build_result_freep(&result->build);
	json_freep(&result->driver);
}

static struct json_t *layers_json(const struct build_result *build)
{
	struct json_t *object = json_new_object();

	json_put(object, "image", show_image(&build->image));
	json_put_size(object, "fetchedLayers", build->fetched_layers);
	return object;
}

static struct json_t *result_json(struct warm_result *result)
{
	static const char *const names[] = { "warm", "made", "failed" };
	struct json_t *object = json_new_object();

	json_put_text(object, "reference", result->options->operands.items[0]);
	if (result->line->list) {
		json_put_text(object, "list", result->line->list);
		json_put_size(object, "line", result->line->number);
	}
	json_put_text(object, "status", names[result->outcome]);
	if (result->outcome == WARM_FAILED)
		json_put(object, "error",
			 show_error_json(&result->failure, ptr_take(&result->driver)));
	else if (result->options->layers_only)
		json_put(object, "layers", layers_json(&result->build));
	else
		json_put(object, "build",
			 show_build_json(&result->build, ptr_take(&result->driver)));
	return object;
}

static void print_success(const struct warm_result *result)
{
	const struct build_result *build = &result->build;

	printf("%s: %s, ", result->options->operands.items[0],
	       result->outcome == WARM_ALREADY ? "warm already" : "made");
	if (result->options->layers_only)
		printf("%zu of %zu layers fetched\n", build->fetched_layers,
		       build->image.layer_count);
	else
		printf("%s\n", build->path);
}

static void print_failure(const struct warm_result *result)
{
	char text[REFERENCE_TEXT_BYTES + PATH_MAX + sizeof(result->failure.msg)];
	const char *image = result->options->operands.items[0];
	const struct warm_line *line = result->line;

	if (line->list)
		snprintf(text, sizeof(text), "%s (%s line %zu): %s", image, line->list,
			 line->number, result->failure.msg);
	else
		snprintf(text, sizeof(text), "%s: %s", image, result->failure.msg);
	sentence_tame(text);
	fprintf(stderr, "vmbake: %s\n", text);
}

bool warm_result_show(struct warm_result *result, struct err *err)
{
	if (result->options->json)
		return show_json(result_json(result), err);
	if (result->outcome == WARM_FAILED)
		print_failure(result);
	else if (!result->options->quiet)
		print_success(result);
	return show_flush(err);
}

static struct json_t *sum_json(const size_t *counts, size_t image_count)
{
	struct json_t *object = json_new_object(), *summary = json_new_object();

	json_put_size(summary, "images", image_count);
	json_put_size(summary, "warm", counts[WARM_ALREADY]);
	json_put_size(summary, "made", counts[WARM_MADE]);
	json_put_size(summary, "failed", counts[WARM_FAILED]);
	json_put(object, "summary", summary);
	return object;
}

bool warm_result_sum_up(const size_t *counts, enum err_kind first, const struct options *options,
			struct err *err)
{
	size_t image_count = counts[WARM_ALREADY] + counts[WARM_MADE] + counts[WARM_FAILED];
	const char *plural = image_count == 1 ? "" : "s";

	if (options->json && !show_json(sum_json(counts, image_count), err))
		return false;
	if (counts[WARM_FAILED] > 0)
		return err_set(err, first, "%zu image%s: %zu warm already, %zu made, %zu failed",
			       image_count, plural, counts[WARM_ALREADY], counts[WARM_MADE],
			       counts[WARM_FAILED]);
	if (!options->json && !options->quiet)
		printf("%zu image%s: %zu warm already, %zu made\n", image_count, plural,
		       counts[WARM_ALREADY], counts[WARM_MADE]);
	return show_flush(err);
}
