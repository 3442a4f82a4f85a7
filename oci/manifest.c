#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base64.h"
#include "url.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

const char manifest_media_types[] =
	OCI_INDEX ", " OCI_MANIFEST ", " DOCKER_INDEX ", " DOCKER_MANIFEST;

/* Larger than any blob can be; keeps sums of sizes far from overflow. */
static const uint64_t blob_bytes_max = (uint64_t)1 << 50;

static bool is_any_of(const char *text, const char *const *choices)
{
	for (; *choices; choices++)
		if (strcmp(text, *choices) == 0)
			return true;
	return false;
}

static bool is_index_type(const char *type)
{
	return is_any_of(type, (const char *const[]){ OCI_INDEX, DOCKER_INDEX, NULL });
}

static bool is_manifest_type(const char *type)
{
	return is_any_of(type, (const char *const[]){ OCI_MANIFEST, DOCKER_MANIFEST, NULL });
}

static bool is_config_type(const char *type)
{
	return is_any_of(type, (const char *const[]){
				       "application/vnd.oci.image.config.v1+json",
				       "application/vnd.docker.container.image.v1+json", NULL });
}

/* How a layer is compressed, its own bytes say (LAYERS.md, "Streams"); the type only has to be
 * that of a layer, so that encrypted layers and artifacts are named instead of misread. */
static bool is_layer_type(const char *type)
{
	return is_any_of(
		type, (const char *const[]){
			      "application/vnd.oci.image.layer.v1.tar",
			      "application/vnd.oci.image.layer.v1.tar+gzip",
			      "application/vnd.oci.image.layer.v1.tar+zstd",
			      "application/vnd.oci.image.layer.nondistributable.v1.tar",
			      "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
			      "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
			      "application/vnd.docker.image.rootfs.diff.tar",
			      "application/vnd.docker.image.rootfs.diff.tar.gzip",
			      "application/vnd.docker.image.rootfs.diff.tar.zstd",
			      "application/vnd.docker.image.rootfs.foreign.diff.tar",
			      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", NULL });
}

/* Digest and size, which every descriptor has. */
MUST_CHECK static bool read_content(const struct json_t *json, struct digest *digest,
				    uint64_t *size_bytes, struct err *err)
{
	const char *text = NULL;

	if (!json_need_string(json, "digest", &text, err) ||
	    !digest_parse(digest, view_of(text), err) ||
	    !json_need_size(json, "size", size_bytes, err))
		return false;
	if (*size_bytes > blob_bytes_max)
		return err_set(err, ERR_UNSUPPORTED, "%s of %llu bytes", text,
			       (unsigned long long)*size_bytes);
	return true;
}

static void copy_name(char *out, size_t out_size, const char *text)
{
	snprintf(out, out_size, "%s", text ? text : "");
}

MUST_CHECK static bool read_platform(struct descriptor *descriptor, const struct json_t *json,
				     struct err *err)
{
	const struct json_t *platform = NULL;
	const char *os = NULL, *architecture = NULL, *variant = NULL;

	if (!json_want_object(json, "platform", &platform, err))
		return false;
	if (!platform)
		return true;
	if (!json_want_string(platform, "os", &os, err) ||
	    !json_want_string(platform, "architecture", &architecture, err) ||
	    !json_want_string(platform, "variant", &variant, err))
		return false;
	copy_name(descriptor->platform.os, sizeof(descriptor->platform.os), os);
	copy_name(descriptor->platform.architecture, sizeof(descriptor->platform.architecture),
		  architecture);
	copy_name(descriptor->platform.variant, sizeof(descriptor->platform.variant), variant);
	descriptor->has_platform = true;
	return true;
}

MUST_CHECK static bool read_name(struct descriptor *descriptor, const struct json_t *json,
				 bool *is_attestation, struct err *err)
{
	const struct json_t *annotations = NULL;
	const char *name = NULL, *reference_type = NULL;

	if (!json_want_object(json, "annotations", &annotations, err))
		return false;
	if (annotations &&
	    (!json_want_string(annotations, "org.opencontainers.image.ref.name", &name, err) ||
	     !json_want_string(annotations, "vnd.docker.reference.type", &reference_type, err)))
		return false;
	copy_name(descriptor->name, sizeof(descriptor->name), name);
	*is_attestation = reference_type && strcmp(reference_type, "attestation-manifest") == 0;
	return true;
}

/* *is_image is false for what is well-formed but none: it is passed over, as image-index.md asks
 * of media types one does not know. */
MUST_CHECK static bool read_entry(struct descriptor *out, const struct json_t *json, bool *is_image,
				  struct err *err)
{
	const char *type = NULL, *artifact_type = NULL;
	bool is_attestation = false;
	struct descriptor entry = { 0 };

	if (!json_want_string(json, "mediaType", &type, err) ||
	    !json_want_string(json, "artifactType", &artifact_type, err))
		return false;
	*is_image = !type || is_index_type(type) || is_manifest_type(type);
	if (!*is_image)
		return true;
	if (!read_content(json, &entry.digest, &entry.size_bytes, err) ||
	    !read_platform(&entry, json, err) || !read_name(&entry, json, &is_attestation, err))
		return false;
	entry.is_index = type && is_index_type(type);
	*is_image = !is_attestation && !(artifact_type && *artifact_type) &&
		    strcmp(entry.platform.os, "unknown") != 0;
	*out = entry;
	return true;
}

MUST_CHECK static bool read_index(struct index *out, const struct json_t *manifests,
				  struct err *err)
{
	size_t count = json_count(manifests);

	if (count > INDEX_ENTRY_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "an index of %zu manifests, at most %d are "
			       "read",
			       count, INDEX_ENTRY_COUNT_MAX);
	out->entries = calloc(count + 1, sizeof(*out->entries));
	if (!out->entries)
		return err_memory(err, "an index");
	for (size_t i = 0; i < count; i++) {
		bool is_image = false;

		if (!read_entry(&out->entries[out->count], json_item(manifests, i), &is_image, err))
			return err_wrap(err, "manifest %zu of the index", i);
		out->count += is_image;
	}
	return true;
}

MUST_CHECK static bool read_config_descriptor(struct manifest *out, const struct json_t *json,
					      struct err *err)
{
	const struct json_t *config = NULL;
	const char *type = NULL;

	if (!json_need_object(json, "config", &config, err))
		return false;
	if (!json_want_string(config, "mediaType", &type, err) ||
	    !read_content(config, &out->config_digest, &out->config_size_bytes, err))
		return err_wrap(err, "config");
	if (type && !is_config_type(type))
		return err_set(err, ERR_UNSUPPORTED,
			       "no container image: its config is of type %.100s", type);
	if (out->config_size_bytes > CONFIG_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a config over %d bytes", CONFIG_BYTES_MAX);
	return true;
}

/* Only https: what is fetched from there is checked, but who asks for it is nobody's business. */
MUST_CHECK static bool read_urls(struct layer *layer, const struct json_t *json, struct err *err)
{
	const struct json_t *urls = NULL;
	size_t kept = 0;

	if (!json_want_array(json, "urls", &urls, err))
		return false;
	size_t count = json_count(urls);

	if (count > URL_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%zu urls", count);
	layer->urls = count > 0 ? calloc(count + 1, sizeof(*layer->urls)) : NULL;
	if (count > 0 && !layer->urls)
		return err_memory(err, "a layer's urls");
	for (size_t i = 0; i < count; i++) {
		const char *url = json_text(json_item(urls, i));

		if (!url)
			return err_set(err, ERR_FORMAT, "a url that is no string");
		if (!url_is_https(view_of(url)))
			continue;
		layer->urls[kept] = view_copy(view_of(url));
		if (!layer->urls[kept++])
			return err_memory(err, "a layer's urls");
	}
	return true;
}

/* Source: OCI image-spec descriptor.md, "Embedded Content" */
MUST_CHECK static bool read_data(struct layer *layer, const struct json_t *json, struct err *err)
{
	const char *data = NULL;

	layer->data = bytes_capped(MANIFEST_BYTES_MAX);
	if (!json_want_string(json, "data", &data, err))
		return false;
	if (!data)
		return true;
	if (!base64_decode(&layer->data, view_of(data), err))
		return err_wrap(err, "data");
	if (layer->data.len != layer->size_bytes)
		return err_set(err, ERR_FORMAT, "%zu bytes of data, the size is %llu",
			       layer->data.len, (unsigned long long)layer->size_bytes);
	return true;
}

MUST_CHECK static bool read_layer(struct layer *layer, const struct json_t *json, struct err *err)
{
	const char *type = NULL;

	if (!json_want_string(json, "mediaType", &type, err) ||
	    !read_content(json, &layer->digest, &layer->size_bytes, err))
		return false;
	if (type && !is_layer_type(type))
		return err_set(err, ERR_UNSUPPORTED, "media type %.100s is no layer", type);
	return read_urls(layer, json, err) && read_data(layer, json, err);
}

MUST_CHECK static bool read_manifest(struct manifest *out, const struct json_t *json,
				     const struct json_t *layers, struct err *err)
{
	size_t count = json_count(layers);

	if (!read_config_descriptor(out, json, err))
		return false;
	if (count > LAYER_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%zu layers, at most %d are read", count,
			       LAYER_COUNT_MAX);
	out->layers = calloc(count + 1, sizeof(*out->layers));
	if (!out->layers)
		return err_memory(err, "a manifest");
	for (size_t i = 0; i < count; i++) {
		out->layer_count++; /* a layer that fails half-way is freed with the others */
		if (!read_layer(&out->layers[i], json_item(layers, i), err))
			return err_wrap(err, "layer %zu", i);
	}
	return true;
}

/* An index that also reads as a manifest could be verified as one thing and used as the other.
 * Source: CVE-2021-41190; image-spec manifest.md, "mediaType" */
MUST_CHECK static bool check_kind(const struct json_t *json, bool is_index, struct err *err)
{
	const char *type = NULL;
	uint64_t version = 0;

	if (!json_want_string(json, "mediaType", &type, err) ||
	    !json_want_size(json, "schemaVersion", &version, err))
		return false;
	if (version == 1)
		return err_set(err, ERR_UNSUPPORTED,
			       "a manifest of schema 1: push the image again "
			       "with a tool of this decade");
	if (version != 2)
		return err_set(err, ERR_FORMAT, "schemaVersion is %llu instead of 2",
			       (unsigned long long)version);
	if (type && !(is_index ? is_index_type(type) : is_manifest_type(type)))
		return err_set(err, ERR_FORMAT, "media type %.100s, but it reads as %s", type,
			       is_index ? "an index" : "an image manifest");
	return true;
}

MUST_CHECK static bool read_document(struct document *out, const struct json_t *json,
				     struct err *err)
{
	const struct json_t *manifests = NULL, *layers = NULL;

	if (!json_want_array(json, "manifests", &manifests, err) ||
	    !json_want_array(json, "layers", &layers, err) ||
	    !check_kind(json, manifests != NULL, err))
		return false;
	if (manifests && layers)
		return err_set(err, ERR_FORMAT, "both an index and an image manifest");
	if (!manifests && !layers)
		return err_set(err, ERR_FORMAT, "neither an index nor an image manifest");
	out->is_index = manifests != NULL;
	return manifests ? read_index(&out->index, manifests, err)
			 : read_manifest(&out->manifest, json, layers, err);
}

bool document_parse(struct document *out, struct view text, struct err *err)
{
	CLEANUP(document_freep) struct document document = { 0 };
	CLEANUP(json_freep) struct json_t *json = NULL;

	if (text.len > MANIFEST_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a manifest over %d bytes",
			       MANIFEST_BYTES_MAX);
	if (!json_parse(&json, text, err) || !read_document(&document, json, err))
		return false;
	*out = document;
	document = (struct document){ 0 };
	return true;
}

void layers_free(struct layer *layers, size_t count)
{
	for (size_t i = 0; layers && i < count; i++) {
		for (char **url = layers[i].urls; url && *url; url++)
			free(*url);
		free(layers[i].urls);
		bytes_freep(&layers[i].data);
	}
	free(layers);
}

void document_freep(struct document *document)
{
	free(document->index.entries);
	layers_free(document->manifest.layers, document->manifest.layer_count);
	*document = (struct document){ 0 };
}

enum { RANKS = 4 };

/* 0 is best; RANKS: not at all. */
static int rank_of(const struct descriptor *entry, const struct platform *want)
{
	if (entry->has_platform && entry->platform.os[0] && entry->platform.architecture[0]) {
		if (!platform_fits(&entry->platform, want))
			return RANKS;
		return platform_same(&entry->platform, want) ? 0 : 1;
	}
	return entry->is_index ? 2 : 3;
}

size_t index_candidates(const struct index *index, const struct platform *want, size_t *order)
{
	size_t count = 0;

	for (int rank = 0; rank < RANKS; rank++)
		for (size_t i = 0; i < index->count; i++)
			if (rank_of(&index->entries[i], want) == rank)
				order[count++] = i;
	return count;
}

void index_list_platforms(const struct index *index, char *out, size_t out_size)
{
	static const char more[] = ", …";
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < index->count; i++) {
		char text[PLATFORM_TEXT_BYTES];

		if (!index->entries[i].has_platform)
			continue;
		platform_text(&index->entries[i].platform, text);
		if (len + strlen(text) + strlen(", ") + sizeof(more) > out_size) {
			snprintf(out + len, out_size - len, "%s", more);
			return;
		}
		len += (size_t)snprintf(out + len, out_size - len, "%s%s", len > 0 ? ", " : "",
					text);
	}
}
