#include "docker_legacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "manifest.h"
#include "reference.h"

enum { ID_BYTES = 200, NAME_BYTES = 512, LIST_BYTES = 300, HASH_BYTES = 256 << 10 };

bool docker_same_name(const char *a, const char *b)
{
	CLEANUP(freep) struct reference *parsed = calloc(2, sizeof(*parsed));
	struct err ignored;

	if (strcmp(a, b) == 0)
		return true;
	return parsed && reference_parse(&parsed[0], a, &ignored) &&
	       reference_parse(&parsed[1], b, &ignored) &&
	       parsed[0].transport == TRANSPORT_REGISTRY &&
	       strcmp(parsed[0].registry, parsed[1].registry) == 0 &&
	       strcmp(parsed[0].repository, parsed[1].repository) == 0 &&
	       strcmp(parsed[0].tag, parsed[1].tag) == 0;
}

MUST_CHECK static bool parse_member(const struct members *members, const char *name,
				    struct json_t **out, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(CONFIG_BYTES_MAX);

	if (!members_slurp(members, name, &text, err)) {
		err->kind = err->kind == ERR_NOT_FOUND ? ERR_FORMAT : err->kind;
		return false;
	}
	return json_parse(out, bytes_view(&text), err) || err_wrap(err, "%.200s", name);
}

/* One name of the file `repositories`. seen: the names so far, for a sentence */
struct choice {
	const char *wanted;
	char id[ID_BYTES];
	size_t count; /* of images under different IDs, or 1 for the one that is wanted */
	char seen[LIST_BYTES];
};

MUST_CHECK static bool consider(struct choice *choice, const char *name, const char *id,
				struct err *err)
{
	size_t len = strlen(choice->seen);

	if (!id || !*id || strlen(id) >= ID_BYTES || strchr(id, '/'))
		return err_set(err, ERR_FORMAT, "repositories: %.200s has no layer ID", name);
	if (len + strlen(name) + 3 < LIST_BYTES)
		snprintf(choice->seen + len, LIST_BYTES - len, "%s%s", len > 0 ? ", " : "", name);
	if (choice->wanted[0] && !docker_same_name(name, choice->wanted))
		return true;
	choice->count += strcmp(choice->id, id) != 0;
	snprintf(choice->id, ID_BYTES, "%s", id);
	return true;
}

MUST_CHECK static bool choose(const struct members *members, struct choice *choice, struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *tags = NULL, *id = NULL;
	const char *name = NULL, *tag = NULL;
	void *outer = NULL, *inner = NULL;
	char full[NAME_BYTES];

	if (!parse_member(members, "repositories", &json, err))
		return false;
	while (json_next_member(json, &outer, &name, &tags))
		for (inner = NULL; json_next_member(tags, &inner, &tag, &id);) {
			snprintf(full, sizeof(full), "%s:%s", name, tag);
			if (!consider(choice, full, json_text(id), err))
				return false;
		}
	if (choice->count > 1)
		return err_set(err, ERR_USAGE,
			       "%zu images are in it: name one, as in "
			       "docker-archive:FILE:NAME:TAG",
			       choice->count);
	return choice->count == 1 ||
	       err_set(err, ERR_NOT_FOUND, "no such name in the archive, there is: %s",
		       choice->seen[0] ? choice->seen : "nothing that has one");
}

/* IDs from the top layer down to the one without a parent. */
struct chain {
	char (*ids)[ID_BYTES]; /* ids[count], owned */
	size_t count;
};

static void chain_freep(struct chain *chain)
{
	free(chain->ids);
}

MUST_CHECK static bool follow(const struct members *members, const char *top, struct chain *chain,
			      struct err *err)
{
	char name[NAME_BYTES], id[ID_BYTES];

	chain->ids = calloc(LAYER_COUNT_MAX, sizeof(*chain->ids));
	if (!chain->ids)
		return err_memory(err, "a docker archive");
	snprintf(id, sizeof(id), "%s", top);
	while (id[0]) {
		CLEANUP(json_freep) struct json_t *json = NULL;
		const char *parent = NULL;

		if (chain->count == LAYER_COUNT_MAX)
			return err_set(err, ERR_UNSUPPORTED, "over %d layers", LAYER_COUNT_MAX);
		memcpy(chain->ids[chain->count++], id, sizeof(id));
		snprintf(name, sizeof(name), "%s/json", id);
		if (!parse_member(members, name, &json, err))
			return false;
		if (!json_want_string(json, "parent", &parent, err))
			return err_wrap(err, "%s", name);
		if (parent && (strlen(parent) >= ID_BYTES || strchr(parent, '/')))
			return err_set(err, ERR_FORMAT, "%s: \"parent\" is no layer ID", name);
		snprintf(id, sizeof(id), "%s", parent ? parent : "");
	}
	return true;
}

MUST_CHECK static bool hash_member(const struct members *members, const char *name,
				   struct digest *out, struct err *err)
{
	CLEANUP(member_stream_freep) struct member_stream *stream = NULL;
	CLEANUP(sha256_freep) struct sha256 *hash = NULL;
	CLEANUP(freep) char *buffer = malloc(HASH_BYTES);
	uint64_t size_bytes = 0;
	size_t place = 0, len = 1;

	if (!buffer)
		return err_memory(err, "a docker archive");
	if (!members_find(members, name, &place, &size_bytes, err)) {
		err->kind = ERR_FORMAT;
		return false;
	}
	if (!member_stream_open(&stream, members, place, err) || !sha256_new(&hash, err))
		return false;
	while (len > 0) {
		if (!member_stream_read(stream, buffer, HASH_BYTES, &len, err))
			return false;
		sha256_add(hash, buffer, len);
	}
	*out = sha256_now(hash);
	return true;
}

/* Both lists, from the lowest layer up. diff_ids: as a config has them; owned */
MUST_CHECK static bool list_layers(const struct members *members, const struct chain *chain,
				   struct json_t *layers, struct json_t *diff_ids, struct err *err)
{
	char name[NAME_BYTES], text[DIGEST_TEXT_BYTES];
	struct digest digest;

	for (size_t i = chain->count; i > 0; i--) {
		snprintf(name, sizeof(name), "%s/layer.tar", chain->ids[i - 1]);
		if (!hash_member(members, name, &digest, err))
			return false;
		digest_text(&digest, text);
		json_add_text(layers, name);
		json_add_text(diff_ids, text);
	}
	return true;
}

/* The top layer's description has a config's members but for these. */
MUST_CHECK static bool make_config(const struct members *members, const char *top,
				   struct json_t *diff_ids, struct bytes *out, struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct json_t *rootfs = json_new_object();
	char name[NAME_BYTES];

	json_put_text(rootfs, "type", "layers");
	json_put(rootfs, "diff_ids", diff_ids);
	snprintf(name, sizeof(name), "%s/json", top);
	if (!parse_member(members, name, &json, err)) {
		json_freep(&rootfs);
		return false;
	}
	json_put(json, "rootfs", rootfs);
	if (!json_has(json, "os"))
		json_put_text(json, "os", "linux");
	if (!json_has(json, "architecture"))
		json_put_text(json, "architecture", "amd64"); /* there was no other then */
	return json_print(out, json, JSON_ONE_LINE, err);
}

bool docker_legacy_read(const struct members *members, const char *name, struct json_t **layers,
			struct bytes *config, struct err *err)
{
	CLEANUP(chain_freep) struct chain chain = { 0 };
	CLEANUP(json_freep) struct json_t *names = json_new_array();
	CLEANUP(json_freep) struct json_t *diff_ids = json_new_array();
	struct choice choice = { .wanted = name };

	if (!choose(members, &choice, err) || !follow(members, choice.id, &chain, err) ||
	    !list_layers(members, &chain, names, diff_ids, err) ||
	    !make_config(members, choice.id, ptr_take(&diff_ids), config, err))
		return false;
	*layers = ptr_take(&names);
	return true;
}
