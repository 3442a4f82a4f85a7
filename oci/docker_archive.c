#include "docker_archive.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "config.h"
#include "docker_legacy.h"
#include "manifest.h"

enum { TAG_LIST_BYTES = 300 };

struct layer_place {
	struct digest digest;
	size_t place;
	uint64_t size_bytes;
};

struct docker_archive {
	struct members *members;
	struct json_t *manifest; /* manifest.json: an array of images; NULL before 2016 */
	struct layer_place *layers; /* layers[layer_count] of the image chosen last */
	size_t layer_count;
};

MUST_CHECK static bool read_manifest(struct docker_archive *archive, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	uint64_t ignored_bytes = 0;
	size_t ignored = 0;
	struct err missing;

	if (!members_slurp(archive->members, "manifest.json", &text, err)) {
		if (err->kind != ERR_NOT_FOUND)
			return false;
		return members_find(archive->members, "repositories", &ignored, &ignored_bytes,
				    &missing) ||
		       err_set(err, ERR_FORMAT,
			       "no docker archive: there is neither manifest.json nor "
			       "repositories in it");
	}
	if (!json_parse(&archive->manifest, bytes_view(&text), err))
		return err_wrap(err, "manifest.json");
	return json_count(archive->manifest) > 0 ||
	       err_set(err, ERR_FORMAT, "manifest.json lists no image");
}

bool docker_archive_open(struct docker_archive **out, const char *path, struct err *err)
{
	CLEANUP(docker_archive_freep) struct docker_archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return err_memory(err, path);
	if (!members_open(&archive->members, path, err))
		return false;
	if (!read_manifest(archive, err))
		return false;
	*out = ptr_take(&archive);
	return true;
}

void docker_archive_freep(struct docker_archive **archive)
{
	if (!*archive)
		return;
	members_freep(&(*archive)->members);
	json_freep(&(*archive)->manifest);
	free((*archive)->layers);
	free(*archive);
	*archive = NULL;
}

/* docker's old file of names: {"busybox": {"1": "ID"}}, where ID/layer.tar is the top layer. */
static bool is_in_repositories(const struct docker_archive *archive, const struct json_t *image,
			       const char *tag)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *layers = NULL, *tags = NULL, *id = NULL;
	const char *name = NULL, *version = NULL;
	void *position = NULL, *inner = NULL;
	struct err ignored;
	bool is_found = false;
	char full[512], top[512];

	if (!members_slurp(archive->members, "repositories", &text, &ignored) ||
	    !json_parse(&json, bytes_view(&text), &ignored) ||
	    !json_want_array(image, "Layers", &layers, &ignored) || json_count(layers) == 0)
		return false;
	const char *last = json_text(json_item(layers, json_count(layers) - 1));

	while (last && json_next_member(json, &position, &name, &tags))
		for (inner = NULL; json_next_member(tags, &inner, &version, &id);) {
			snprintf(full, sizeof(full), "%s:%s", name, version);
			snprintf(top, sizeof(top), "%s/layer.tar",
				 json_text(id) ? json_text(id) : "");
			is_found |= strcmp(top, last) == 0 && docker_same_name(full, tag);
		}
	return is_found;
}

static bool has_tag(const struct docker_archive *archive, const struct json_t *image,
		    const char *tag, char seen[TAG_LIST_BYTES])
{
	const struct json_t *tags = NULL;
	struct err ignored;

	if (!json_want_array(image, "RepoTags", &tags, &ignored))
		return false;
	for (size_t i = 0; i < json_count(tags); i++) {
		const char *text = json_text(json_item(tags, i));
		size_t len = strlen(seen);

		if (text && docker_same_name(text, tag))
			return true;
		if (text && len + strlen(text) + 3 < TAG_LIST_BYTES)
			snprintf(seen + len, TAG_LIST_BYTES - len, "%s%s", len > 0 ? ", " : "",
				 text);
	}
	return is_in_repositories(archive, image, tag);
}

MUST_CHECK static bool choose(const struct docker_archive *archive, const char *tag,
			      const struct json_t **out, struct err *err)
{
	size_t count = json_count(archive->manifest);
	char seen[TAG_LIST_BYTES] = "";

	if (!tag[0] && count > 1)
		return err_set(err, ERR_USAGE,
			       "%zu images are in it: name one, as in "
			       "docker-archive:FILE:NAME:TAG",
			       count);
	for (size_t i = 0; i < count; i++) {
		*out = json_item(archive->manifest, i);
		if (!tag[0] || has_tag(archive, *out, tag, seen))
			return true;
	}
	return err_set(err, ERR_NOT_FOUND, "no such name in the archive, there is: %s",
		       seen[0] ? seen : "nothing that has one");
}

/* "blobs/sha256/HEX", as newer dockers write it. */
static bool digest_of_name(const char *name, struct digest *out)
{
	static const char folder[] = "blobs/sha256/";
	char text[DIGEST_TEXT_BYTES];
	struct err ignored;

	if (!view_starts(view_of(name), folder))
		return false;
	snprintf(text, sizeof(text), "sha256:%s", name + strlen(folder));
	return strlen(name) == strlen(folder) + DIGEST_HEX_LEN &&
	       digest_parse(out, view_of(text), &ignored);
}

MUST_CHECK static bool place_layer(struct docker_archive *archive, struct layer *layer,
				   const char *name, struct layer_place *out, struct err *err)
{
	if (!name)
		return err_set(err, ERR_FORMAT, "manifest.json: a layer that is no string");
	if (!members_find(archive->members, name, &out->place, &out->size_bytes, err))
		return err->kind == ERR_NOT_FOUND ? (err->kind = ERR_FORMAT, false) : false;
	if (!digest_of_name(name, &layer->digest))
		layer->digest = layer->diff_id;
	layer->size_bytes = out->size_bytes;
	out->digest = layer->digest;
	return true;
}

MUST_CHECK static bool place_layers(struct docker_archive *archive, struct image *image,
				    const struct json_t *names, struct err *err)
{
	CLEANUP(freep) struct layer_place *layers = calloc(image->layer_count + 1, sizeof(*layers));

	if (!layers)
		return err_memory(err, "a docker archive");
	for (size_t i = 0; i < image->layer_count; i++)
		if (!place_layer(archive, &image->layers[i], json_text(json_item(names, i)),
				 &layers[i], err))
			return false;
	free(archive->layers);
	archive->layers = ptr_take(&layers);
	archive->layer_count = image->layer_count;
	return true;
}

/* The chosen image's layers, as a list of names that is borrowed from *owner or the archive, and
 * its config. */
MUST_CHECK static bool read_image(const struct docker_archive *archive, const char *tag,
				  struct json_t **owner, const struct json_t **names,
				  struct bytes *config, struct err *err)
{
	const struct json_t *entry = NULL;
	const char *name = NULL;

	if (!archive->manifest) {
		if (!docker_legacy_read(archive->members, tag, owner, config, err))
			return false;
		*names = *owner;
		return true;
	}
	if (!choose(archive, tag, &entry, err))
		return false;
	return (json_need_string(entry, "Config", &name, err) &&
		json_want_array(entry, "Layers", names, err) &&
		members_slurp(archive->members, name, config, err)) ||
	       err_wrap(err, "manifest.json");
}

bool docker_archive_image(struct docker_archive *archive, const char *tag, struct image *out,
			  struct err *err)
{
	CLEANUP(image_freep) struct image image = { 0 };
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(CONFIG_BYTES_MAX);
	CLEANUP(json_freep) struct json_t *owner = NULL;
	const struct json_t *names = NULL;

	if (!read_image(archive, tag, &owner, &names, &text, err))
		return false;
	image.layer_count = json_count(names);
	if (image.layer_count > LAYER_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%zu layers, at most %d are read",
			       image.layer_count, LAYER_COUNT_MAX);
	image.layers = calloc(image.layer_count + 1, sizeof(*image.layers));
	if (!image.layers)
		return err_memory(err, "a docker archive");
	if (!config_read(&image, bytes_view(&text), NULL, err))
		return err_wrap(err, "config");
	image.config_digest = image.manifest_digest = digest_of(text.data, text.len);
	image.config_size_bytes = text.len;
	if (!place_layers(archive, &image, names, err))
		return false;
	*out = image;
	image = (struct image){ 0 };
	return true;
}

bool docker_archive_layer(struct docker_archive *archive, const struct digest *digest,
			  struct member_stream **out, uint64_t *size_bytes, struct err *err)
{
	for (size_t i = 0; i < archive->layer_count; i++) {
		const struct layer_place *layer = &archive->layers[i];

		if (!digest_equal(&layer->digest, digest))
			continue;
		if (!member_stream_open(out, archive->members, layer->place, err))
			return false;
		*size_bytes = layer->size_bytes;
		return true;
	}
	return err_set(err, ERR_INTERNAL, "a layer of another image was asked for");
}
