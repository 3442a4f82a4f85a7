#include "identity.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/view.h"

/* A name taken apart: what reference_parse gives, without the tag it adds by itself. */
struct name {
	char repository[600]; /* with the registry */
	char full[REFERENCE_TEXT_BYTES]; /* with tag and digest */
	bool has_tag, has_digest;
};

static void fill_name(struct name *out, const struct reference *reference)
{
	snprintf(out->repository, sizeof(out->repository), "%s/%s", reference->registry,
		 reference->repository);
	out->has_tag = reference->tag[0];
	out->has_digest = reference->has_digest;
	reference_text(reference, out->full);
}

static bool parse_name(struct name *out, const char *text)
{
	CLEANUP(freep) struct reference *reference = calloc(1, sizeof(*reference));
	const char *slash = strrchr(text, '/');
	bool has_tag = strchr(slash ? slash : text, ':') != NULL;
	struct err ignored;

	if (!reference || !reference_parse(reference, text, &ignored) ||
	    reference->transport != TRANSPORT_REGISTRY)
		return false;
	if (!has_tag)
		reference->tag[0] = '\0';
	fill_name(out, reference);
	return true;
}

static bool is_name_only(const struct name *name)
{
	return !name->has_tag && !name->has_digest;
}

static bool matches_exactly(const struct name *image, const struct name *signed_for)
{
	return !is_name_only(image) && !is_name_only(signed_for) &&
	       strcmp(image->full, signed_for->full) == 0;
}

static bool matches_repository(const struct name *image, const struct name *signed_for)
{
	return strcmp(image->repository, signed_for->repository) == 0;
}

/* An image named by digest alone: which digest, the signature itself says. */
static bool matches_digest_or_exactly(const struct name *image, const struct name *signed_for)
{
	if (is_name_only(signed_for))
		return false;
	if (image->has_tag)
		return strcmp(image->full, signed_for->full) == 0;
	return image->has_digest && matches_repository(image, signed_for);
}

/* The members of a rule, each of which has to be there. */
MUST_CHECK static bool need_name(const struct json_t *rule, const char *key, struct name *out,
				 struct err *err)
{
	const char *text = NULL;

	if (!json_need_string(rule, key, &text, err))
		return false;
	return parse_name(out, text) || err_set(err, ERR_FORMAT, "\"%s\" is no image name", key);
}

static const struct {
	const char *type, *members[2]; /* beside "type" */
} kinds[] = {
	{ "matchExact", { NULL, NULL } },
	{ "matchRepoDigestOrExact", { NULL, NULL } },
	{ "matchRepository", { NULL, NULL } },
	{ "exactReference", { "dockerReference", NULL } },
	{ "exactRepository", { "dockerRepository", NULL } },
	{ "remapIdentity", { "prefix", "signedPrefix" } },
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static bool is_member(size_t kind, const char *key)
{
	for (size_t i = 0; i < 2; i++)
		if (kinds[kind].members[i] && strcmp(kinds[kind].members[i], key) == 0)
			return true;
	return strcmp(key, "type") == 0;
}

/* Each member would say more about what has to match: one that is not known cannot be left out. */
MUST_CHECK static bool check_members(const struct json_t *rule, const char *type, struct err *err)
{
	const struct json_t *value = NULL;
	const char *key = NULL;
	void *position = NULL;
	size_t kind = 0;

	while (kind < KIND_COUNT && strcmp(kinds[kind].type, type) != 0)
		kind++;
	if (kind == KIND_COUNT)
		return err_set(err, ERR_UNSUPPORTED, "type '%.100s'", type);
	while (json_next_member(rule, &position, &key, &value))
		if (!is_member(kind, key))
			return err_set(err, ERR_FORMAT, "\"%.100s\" is unknown", key);
	return true;
}

/* Whole parts of the name alone: a host without its port is another host. */
static bool has_prefix(const struct name *image, const char *prefix)
{
	const char *name = image->repository;
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && (!name[len] || name[len] == '/');
}

MUST_CHECK static bool match_remapped(bool *is_match, const struct json_t *rule,
				      const struct name *image, const struct name *signed_for,
				      struct err *err)
{
	CLEANUP(freep) struct name *remapped = calloc(1, sizeof(*remapped));
	const char *prefix = NULL, *signed_prefix = NULL;
	char text[REFERENCE_TEXT_BYTES];

	if (!remapped)
		return err_memory(err, "a name");
	if (!json_need_string(rule, "prefix", &prefix, err) ||
	    !json_need_string(rule, "signedPrefix", &signed_prefix, err))
		return false;
	if (!has_prefix(image, prefix)) {
		*is_match = matches_digest_or_exactly(image, signed_for);
		return true;
	}
	int len = snprintf(text, sizeof(text), "%s%s", signed_prefix, image->full + strlen(prefix));

	if (len < 0 || (size_t)len >= sizeof(text) || !parse_name(remapped, text))
		return err_set(err, ERR_FORMAT, "\"signedPrefix\" makes no image name");
	*is_match = matches_digest_or_exactly(remapped, signed_for);
	return true;
}

MUST_CHECK static bool apply_rule(bool *is_match, const struct json_t *rule,
				  const struct name *image, const struct name *signed_for,
				  struct err *err)
{
	CLEANUP(freep) struct name *named = calloc(1, sizeof(*named));
	const char *type = "matchRepoDigestOrExact";

	if (!named)
		return err_memory(err, "a name");
	if (rule &&
	    (!json_need_string(rule, "type", &type, err) || !check_members(rule, type, err)))
		return false;
	if (strcmp(type, "matchExact") == 0) {
		*is_match = matches_exactly(image, signed_for);
	} else if (strcmp(type, "matchRepoDigestOrExact") == 0) {
		*is_match = matches_digest_or_exactly(image, signed_for);
	} else if (strcmp(type, "matchRepository") == 0) {
		*is_match = matches_repository(image, signed_for);
	} else if (strcmp(type, "exactReference") == 0) {
		if (!need_name(rule, "dockerReference", named, err))
			return false;
		*is_match = matches_exactly(named, signed_for);
	} else if (strcmp(type, "exactRepository") == 0) {
		if (!need_name(rule, "dockerRepository", named, err))
			return false;
		*is_match = matches_repository(named, signed_for);
	} else {
		return match_remapped(is_match, rule, image, signed_for, err);
	}
	return true;
}

bool identity_matches(bool *is_match, const struct json_t *rule, const struct reference *image,
		      const char *signed_name, struct err *err)
{
	CLEANUP(freep) struct name *names = calloc(2, sizeof(*names));

	if (!names)
		return err_memory(err, "a name");
	*is_match = false;
	fill_name(&names[0], image);
	if (!parse_name(&names[1], signed_name))
		return true;
	if (apply_rule(is_match, rule, &names[0], &names[1], err))
		return true;
	*is_match = false;
	if (err->kind == ERR_FORMAT)
		err->kind = ERR_UNSUPPORTED;
	return err_wrap(err, "signedIdentity");
}
