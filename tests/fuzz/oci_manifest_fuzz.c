/* Manifests, indexes, configs and policies: JSON from a registry or a file. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/config.h"
#include "oci/manifest.h"
#include "oci/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_document(struct view text)
{
	CLEANUP(document_freep) struct document document = { 0 };
	const struct platform want = { "linux", "amd64", "" };
	char platforms[64];
	struct err err;

	if (!document_parse(&document, text, &err))
		return;
	CLEANUP(freep) size_t *order = calloc(document.index.count + 1, sizeof(*order));

	assert(document.manifest.layer_count <= LAYER_COUNT_MAX);
	assert(order && index_candidates(&document.index, &want, order) <= document.index.count);
	index_list_platforms(&document.index, platforms, sizeof(platforms));
}

static void read_config(struct view text)
{
	CLEANUP(image_freep) struct image image = { .layer_count = 1 };
	struct err err;

	image.layers = calloc(1, sizeof(*image.layers));
	if (image.layers && config_read(&image, text, NULL, &err))
		assert(image.platform.os[0] && image.config.labels_json.data);
}

static void read_policy(struct view text)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	static const struct reference image = { .registry = "a.io", .repository = "x", .tag = "1" };
	struct err err;

	if (!policy_parse(&policy, text, &err))
		return;
	assert(policy_count(policy, &image) > 0); /* or everything would pass */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = { (const char *)data, size };

	read_document(text);
	read_config(text);
	read_policy(text);
	return 0;
}
