#include "source.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "config.h"
#include "manifest.h"
#include "sigstore.h"

enum { INDEX_DEPTH_MAX = 4, DOCUMENT_COUNT_MAX = 256, LIST_BYTES = 300 };

MUST_CHECK static bool open_transport(struct image_source *source, struct err *err)
{
	const struct reference *reference = &source->reference;

	switch (reference->transport) {
	case TRANSPORT_REGISTRY:
		return registry_open(&source->registry, reference, &source->options, err);
	case TRANSPORT_OCI:
		return layout_open(&source->layout, reference->path, err);
	case TRANSPORT_OCI_ARCHIVE:
		return layout_open_archive(&source->layout, reference->path, err);
	case TRANSPORT_DOCKER_ARCHIVE:
		return docker_archive_open(&source->docker_archive, reference->path, err);
	}
	return err_set(err, ERR_INTERNAL, "transport %d", (int)reference->transport);
}

bool image_source_open(struct image_source **out, const struct reference *reference,
		       const struct source_options *options, struct err *err)
{
	CLEANUP(image_source_freep) struct image_source *source = calloc(1, sizeof(*source));

	if (!source)
		return err_memory(err, "an image source");
	source->reference = *reference;
	source->options = *options;
	reference_text(reference, source->text);
	if (!policy_load(&source->policy, &source->options, err))
		return false;
	if (!open_transport(source, err))
		return err_wrap(err, "%s", source->text);
	*out = ptr_take(&source);
	return true;
}

void image_source_freep(struct image_source **source)
{
	if (!*source)
		return;
	registry_freep(&(*source)->registry);
	layout_freep(&(*source)->layout);
	docker_archive_freep(&(*source)->docker_archive);
	policy_freep(&(*source)->policy);
	free(*source);
	*source = NULL;
}

/* The way from a reference down to one manifest. */
struct search {
	struct image_source *source;
	const struct platform *want;
	struct image image; /* filled when found */
	bool is_found;
	unsigned document_count; /* fetched so far: an index of indexes could go on for ever */
	struct digest way[INDEX_DEPTH_MAX]; /* of the indexes that led to here, outermost first */
	size_t way_count;
	char seen[LIST_BYTES]; /* the platforms that are there instead */
};

MUST_CHECK static bool load_config(struct image_source *source, const struct manifest *manifest,
				   struct bytes *out, struct err *err)
{
	const struct digest *digest = &manifest->config_digest;
	bool is_ok = source->registry ? registry_small_blob(source->registry, digest, out, err)
				      : layout_small_blob(source->layout, digest, out, err);

	if (!is_ok && err->kind == ERR_UNSUPPORTED) /* the buffer's cap is the size */
		return err_set(err, ERR_INTEGRITY, "it is longer than the manifest says");
	if (!is_ok)
		return false;
	struct digest found = digest_of(out->data, out->len);

	if (out->len != manifest->config_size_bytes || !digest_equal(&found, digest))
		return err_set(err, ERR_INTEGRITY, "its size or digest is not the manifest's");
	return true;
}

static void add_seen(struct search *search, const char *text)
{
	size_t len = strlen(search->seen);

	if (*text && !strstr(search->seen, text) && len + strlen(text) + 3 < sizeof(search->seen))
		snprintf(search->seen + len, sizeof(search->seen) - len, "%s%s",
			 len > 0 ? ", " : "", text);
}

/* The image, if it is for the platform that is wanted. Takes it, or leaves it. */
static void offer(struct search *search, struct image *image)
{
	char platform[PLATFORM_TEXT_BYTES];

	if (!platform_fits(&image->platform, search->want)) {
		platform_text(&image->platform, platform);
		add_seen(search, platform);
		return;
	}
	search->image = *image;
	search->is_found = true;
	*image = (struct image){ 0 };
}

MUST_CHECK static bool take_manifest(struct search *search, struct manifest *manifest,
				     const struct digest *digest, const struct platform *fallback,
				     struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped((size_t)manifest->config_size_bytes);
	CLEANUP(image_freep)
	struct image image = {
		.manifest_digest = *digest,
		.config_digest = manifest->config_digest,
		.config_size_bytes = manifest->config_size_bytes,
		.layer_count = manifest->layer_count,
	};

	image.layers = ptr_take(&manifest->layers);
	char config[DIGEST_TEXT_BYTES];

	digest_text(&manifest->config_digest, config);
	if (!load_config(search->source, manifest, &text, err) ||
	    !config_read(&image, bytes_view(&text), fallback, err))
		return err_wrap(err, "config %s", config);
	offer(search, &image);
	return true;
}

MUST_CHECK static bool load_document(struct search *search, const struct descriptor *entry,
				     struct bytes *out, struct err *err)
{
	struct image_source *source = search->source;

	if (++search->document_count > DOCUMENT_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d manifests to look through",
			       DOCUMENT_COUNT_MAX);
	if (source->registry ? !registry_manifest(source->registry, NULL, &entry->digest, out, err)
			     : !layout_small_blob(source->layout, &entry->digest, out, err))
		return false;
	if (out->len != entry->size_bytes)
		return err_set(err, ERR_INTEGRITY, "it has %zu bytes, the index says %llu",
			       out->len, (unsigned long long)entry->size_bytes);
	return true;
}

MUST_CHECK static bool search_index(struct search *search, const struct index *index,
				    unsigned depth, struct err *err);

MUST_CHECK static bool search_document(struct search *search, struct view text,
				       const struct platform *fallback, unsigned depth,
				       struct err *err)
{
	CLEANUP(document_freep) struct document document = { 0 };
	struct digest digest = digest_of(text.ptr, text.len);

	if (!document_parse(&document, text, err))
		return err_wrap(err, "manifest");
	if (document.is_index && depth >= INDEX_DEPTH_MAX)
		return err_set(err, ERR_UNSUPPORTED, "indexes nested deeper than %d",
			       INDEX_DEPTH_MAX);
	search->way_count = depth; /* what was looked through on the side does not count */
	if (!document.is_index)
		return take_manifest(search, &document.manifest, &digest, fallback, err);
	search->way[search->way_count++] = digest;
	return search_index(search, &document.index, depth, err);
}

MUST_CHECK static bool search_entry(struct search *search, const struct descriptor *entry,
				    unsigned depth, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	char digest[DIGEST_TEXT_BYTES];

	digest_text(&entry->digest, digest);
	if (!load_document(search, entry, &text, err) ||
	    !search_document(search, bytes_view(&text),
			     entry->has_platform ? &entry->platform : NULL, depth, err))
		return err_wrap(err, "%s", digest);
	return true;
}

MUST_CHECK static bool search_index(struct search *search, const struct index *index,
				    unsigned depth, struct err *err)
{
	CLEANUP(freep) size_t *order = calloc(index->count + 1, sizeof(*order));
	char platforms[LIST_BYTES];

	if (!order)
		return err_memory(err, "an index");
	index_list_platforms(index, platforms, sizeof(platforms));
	add_seen(search, platforms);
	size_t count = index_candidates(index, search->want, order);

	for (size_t i = 0; i < count && !search->is_found; i++)
		if (!search_entry(search, &index->entries[order[i]], depth + 1, err))
			return false;
	return true;
}

/* Keep those of the layout's entries that the reference means: one, or several that are told
 * apart by platform. */
MUST_CHECK static bool choose_named(struct index *index, const char *tag, struct err *err)
{
	size_t kept = 0;
	bool has_platforms = true;

	for (size_t i = 0; i < index->count; i++) {
		if (tag[0] && strcmp(index->entries[i].name, tag) != 0)
			continue;
		has_platforms &= index->entries[i].has_platform;
		index->entries[kept++] = index->entries[i];
	}
	if (kept == 0)
		return tag[0] ? err_set(err, ERR_NOT_FOUND, "no such tag (the layout is there)")
			      : err_set(err, ERR_NOT_FOUND, "there is no image in it");
	if (kept > 1 && !has_platforms)
		return err_set(err, ERR_USAGE,
			       "%zu images are in it: name one by its tag, as in "
			       "oci:DIR:TAG",
			       kept);
	index->count = kept;
	return true;
}

MUST_CHECK static bool search_layout(struct search *search, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	CLEANUP(document_freep) struct document document = { 0 };

	if (!layout_index(search->source->layout, &text, err))
		return false;
	if (!document_parse(&document, bytes_view(&text), err))
		return err_wrap(err, "index.json");
	if (!document.is_index)
		return err_set(err, ERR_FORMAT, "index.json is no index");
	return choose_named(&document.index, search->source->reference.tag, err) &&
	       search_index(search, &document.index, 0, err);
}

MUST_CHECK static bool search_registry(struct search *search, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	const struct reference *reference = &search->source->reference;

	return registry_manifest(search->source->registry, reference->tag,
				 reference->has_digest ? &reference->digest : NULL, &text, err) &&
	       search_document(search, bytes_view(&text), NULL, 0, err);
}

MUST_CHECK static bool search_docker_archive(struct search *search, struct err *err)
{
	CLEANUP(image_freep) struct image image = { 0 };
	struct image_source *source = search->source;

	if (!docker_archive_image(source->docker_archive, source->reference.tag, &image, err))
		return false;
	offer(search, &image);
	return true;
}

MUST_CHECK static bool search_source(struct search *search, struct err *err)
{
	if (search->source->registry)
		return search_registry(search, err);
	return search->source->layout ? search_layout(search, err)
				      : search_docker_archive(search, err);
}

/* The manifest first: a signature of an index covers what it leads to. */
MUST_CHECK static bool check_requirement(const struct search *search,
					 const struct requirement *requirement, struct err *err)
{
	const struct image_source *source = search->source;
	struct digest digests[SIGNED_DIGEST_COUNT_MAX] = { search->image.manifest_digest };
	size_t count = 1;

	for (size_t i = search->way_count; i > 0 && count < SIGNED_DIGEST_COUNT_MAX; i--)
		digests[count++] = search->way[i - 1];
	switch (requirement->kind) {
	case REQUIREMENT_ACCEPT:
		return true;
	case REQUIREMENT_REJECT:
		return err_set(err, ERR_INTEGRITY, "the policy rejects it");
	case REQUIREMENT_SIGNED:
		break;
	}
	if (!source->registry)
		return err_set(err, ERR_INTEGRITY,
			       "the policy wants a signature, and there are none "
			       "outside of registries");
	return sigstore_check(source->registry, requirement, &source->reference, digests, count,
			      err);
}

/* Before the first layer is fetched. */
MUST_CHECK static bool check_policy(const struct search *search, struct err *err)
{
	const struct image_source *source = search->source;
	size_t count = source->policy ? policy_count(source->policy, &source->reference) : 0;

	for (size_t i = 0; i < count; i++) {
		CLEANUP(requirement_freep) struct requirement requirement = { 0 };

		if (!policy_requirement(source->policy, &source->reference, i, &requirement, err) ||
		    !check_requirement(search, &requirement, err))
			return false;
	}
	return true;
}

bool image_resolve(struct image *out, struct image_source *source, const struct platform *platform,
		   struct err *err)
{
	struct search search = { .source = source, .want = platform };
	char wanted[PLATFORM_TEXT_BYTES];

	if (!search_source(&search, err))
		return err_wrap(err, "%s", source->text);
	platform_text(platform, wanted);
	if (!search.is_found)
		return err_set(err, ERR_NOT_FOUND, "%.200s: no image for %s, there is: %s",
			       source->text, wanted, search.seen[0] ? search.seen : "nothing");
	if (!check_policy(&search, err)) {
		image_freep(&search.image);
		return err_wrap(err, "%s", source->text);
	}
	*out = search.image;
	return true;
}
