#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base64.h"
#include "home.h"

enum { POLICY_BYTES_MAX = 4 << 20, KEY_BYTES_MAX = 256 << 10, SCOPE_BYTES = REFERENCE_TEXT_BYTES };

struct policy {
	struct json_t *json;
};

void requirement_freep(struct requirement *requirement)
{
	bytes_freep(&requirement->keys);
}

void policy_freep(struct policy **policy)
{
	if (!*policy)
		return;
	json_freep(&(*policy)->json);
	free(*policy);
	*policy = NULL;
}

static bool is_known_type(const char *type)
{
	static const char *const known[] = { "insecureAcceptAnything", "reject", "signedBy",
					     "signedBaseLayer", "sigstoreSigned" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(type, known[i]) == 0)
			return true;
	return false;
}

/* The two plain ones say nothing but their type: a member beside it was meant to mean something. */
MUST_CHECK static bool check_requirement(const struct json_t *json, struct err *err)
{
	const char *type = NULL, *key = NULL;
	const struct json_t *value = NULL;
	void *position = NULL;

	if (!json_need_string(json, "type", &type, err))
		return false;
	if (!is_known_type(type))
		return err_set(err, ERR_FORMAT, "requirement '%.100s' is unknown", type);
	if (strcmp(type, "insecureAcceptAnything") != 0 && strcmp(type, "reject") != 0)
		return true;
	while (json_next_member(json, &position, &key, &value))
		if (strcmp(key, "type") != 0)
			return err_set(err, ERR_FORMAT, "%s: \"%.100s\" is unknown", type, key);
	return true;
}

/* A list of requirements: empty ones would let everything pass that nothing was said about. */
MUST_CHECK static bool check_list(const struct json_t *list, const char *scope, struct err *err)
{
	if (json_count(list) == 0)
		return err_set(err, ERR_FORMAT, "'%.100s' has no requirements", scope);
	for (size_t i = 0; i < json_count(list); i++)
		if (!check_requirement(json_item(list, i), err))
			return err_wrap(err, "'%.100s'", scope);
	return true;
}

MUST_CHECK static bool check_transports(const struct json_t *json, struct err *err)
{
	const struct json_t *transports = NULL, *scopes = NULL, *list = NULL;
	const char *transport = NULL, *scope = NULL;
	void *outer = NULL;

	if (!json_want_object(json, "transports", &transports, err))
		return false;
	while (json_next_member(transports, &outer, &transport, &scopes)) {
		void *inner = NULL;

		if (!json_want_object(transports, transport, &scopes, err))
			return false;
		while (json_next_member(scopes, &inner, &scope, &list))
			if (!json_need_array(scopes, scope, &list, err) ||
			    !check_list(list, scope, err))
				return false;
	}
	return true;
}

MUST_CHECK static bool check_policy(const struct json_t *json, struct err *err)
{
	const struct json_t *list = NULL, *value = NULL;
	const char *key = NULL;
	void *position = NULL;

	while (json_next_member(json, &position, &key, &value))
		if (strcmp(key, "default") != 0 && strcmp(key, "transports") != 0)
			return err_set(err, ERR_FORMAT, "\"%.100s\" is unknown", key);
	return json_need_array(json, "default", &list, err) && check_list(list, "default", err) &&
	       check_transports(json, err);
}

bool policy_parse(struct policy **out, struct view text, struct err *err)
{
	CLEANUP(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return err_memory(err, "a policy");
	if (!json_parse(&policy->json, text, err) || !check_policy(policy->json, err)) {
		if (err->kind == ERR_FORMAT)
			err->kind = ERR_UNSUPPORTED;
		return false;
	}
	*out = ptr_take(&policy);
	return true;
}

MUST_CHECK static bool load_file(struct policy **out, const char *path, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(POLICY_BYTES_MAX);

	if (!file_slurp(&text, AT_FDCWD, path, err))
		return false;
	return policy_parse(out, bytes_view(&text), err) || err_wrap(err, "%s", path);
}

/* One that cannot be looked at counts: it might forbid. */
static bool is_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool policy_load(struct policy **out, const struct source_options *options, struct err *err)
{
	char path[PATH_MAX];

	if (options->policy_file)
		return load_file(out, options->policy_file, err);
	int len = snprintf(path, sizeof(path), "%s/.config/containers/policy.json", home_folder());

	if (len > 0 && (size_t)len < sizeof(path) && is_there(path))
		return load_file(out, path, err);
	if (is_there("/etc/containers/policy.json"))
		return load_file(out, "/etc/containers/policy.json", err);
	return true;
}

static const char *transport_name(enum transport transport)
{
	switch (transport) {
	case TRANSPORT_REGISTRY:
		return "docker";
	case TRANSPORT_OCI:
		return "oci";
	case TRANSPORT_OCI_ARCHIVE:
		return "oci-archive";
	case TRANSPORT_DOCKER_ARCHIVE:
		return "docker-archive";
	}
	return "";
}

/* The requirements of one scope, NULL when nothing is said about it. Checked when parsed. */
static const struct json_t *list_of(const struct json_t *scopes, const char *scope)
{
	const struct json_t *list = NULL;
	struct err ignored;

	return scopes && json_want_array(scopes, scope, &list, &ignored) ? list : NULL;
}

/* host/a/b:tag, host/a/b, host/a, host, then *.of.the.host, without its port, as far as it has
 * dots. */
static const struct json_t *find_registry_scope(const struct json_t *scopes,
						const struct reference *reference)
{
	char scope[SCOPE_BYTES], digest[DIGEST_TEXT_BYTES] = "", wildcard[300];
	const struct json_t *list = NULL;

	if (reference->has_digest)
		digest_text(&reference->digest, digest);
	snprintf(scope, sizeof(scope), "%s/%s%s%s", reference->registry, reference->repository,
		 reference->has_digest ? "@" : ":",
		 reference->has_digest ? digest : reference->tag);
	list = list_of(scopes, scope);
	snprintf(scope, sizeof(scope), "%s/%s", reference->registry, reference->repository);
	for (char *end = scope + strlen(scope); end && !list; end = strrchr(scope, '/')) {
		*end = '\0';
		list = list_of(scopes, scope);
	}
	for (const char *dot = strchr(reference->registry, '.'); dot && !list;
	     dot = strchr(dot + 1, '.')) {
		snprintf(wildcard, sizeof(wildcard), "*%.*s", (int)strcspn(dot, ":"), dot);
		list = list_of(scopes, wildcard);
	}
	return list;
}

/* /a/b, /a; which image of a layout is meant does not count. */
static const struct json_t *find_path_scope(const struct json_t *scopes,
					    const struct reference *reference)
{
	char path[PATH_MAX];
	const struct json_t *list = NULL;

	if (!realpath(reference->path, path))
		return NULL;
	for (char *end = path + strlen(path); end && end != path && !list;
	     end = strrchr(path, '/')) {
		*end = '\0';
		list = list_of(scopes, path);
	}
	return list;
}

static const struct json_t *find_list(const struct policy *policy,
				      const struct reference *reference)
{
	const struct json_t *transports = NULL, *scopes = NULL, *list = NULL;
	struct err ignored;

	if (json_want_object(policy->json, "transports", &transports, &ignored) && transports &&
	    json_want_object(transports, transport_name(reference->transport), &scopes, &ignored) &&
	    scopes) {
		if (reference->transport == TRANSPORT_REGISTRY)
			list = find_registry_scope(scopes, reference);
		else if (reference->transport != TRANSPORT_DOCKER_ARCHIVE)
			list = find_path_scope(scopes, reference);
		if (!list)
			list = list_of(scopes, "");
	}
	return list ? list : list_of(policy->json, "default");
}

size_t policy_count(const struct policy *policy, const struct reference *reference)
{
	return json_count(find_list(policy, reference));
}

MUST_CHECK static bool add_key_file(struct bytes *keys, const char *path, struct err *err)
{
	if (!path)
		return err_set(err, ERR_FORMAT, "a key's path is no string");
	return file_slurp(keys, AT_FDCWD, path, err) && bytes_append(keys, "\n", 1, err);
}

MUST_CHECK static bool add_key_data(struct bytes *keys, const char *data, struct err *err)
{
	if (!data)
		return err_set(err, ERR_FORMAT, "a key's data is no string");
	return base64_decode(keys, view_of(data), err) && bytes_append(keys, "\n", 1, err);
}

/* keyPath, keyPaths, keyData or keyDatas: exactly one of them. */
MUST_CHECK static bool read_keys(struct bytes *keys, const struct json_t *json, struct err *err)
{
	const char *path = NULL, *data = NULL;
	const struct json_t *paths = NULL, *datas = NULL;

	if (!json_want_string(json, "keyPath", &path, err) ||
	    !json_want_string(json, "keyData", &data, err) ||
	    !json_want_array(json, "keyPaths", &paths, err) ||
	    !json_want_array(json, "keyDatas", &datas, err))
		return false;
	if ((path != NULL) + (data != NULL) + (paths != NULL) + (datas != NULL) != 1)
		return err_set(err, ERR_FORMAT,
			       "not exactly one of keyPath, keyPaths, keyData and "
			       "keyDatas");
	if (path && !add_key_file(keys, path, err))
		return false;
	if (data && !add_key_data(keys, data, err))
		return false;
	for (size_t i = 0; i < json_count(paths); i++)
		if (!add_key_file(keys, json_text(json_item(paths, i)), err))
			return false;
	for (size_t i = 0; i < json_count(datas); i++)
		if (!add_key_data(keys, json_text(json_item(datas, i)), err))
			return false;
	return true;
}

/* Each member says more about what has to hold: one that is not known here cannot be left out. */
MUST_CHECK static bool check_members(const struct json_t *json, struct err *err)
{
	static const char *const known[] = { "type",	"keyPath",  "keyPaths",
					     "keyData", "keyDatas", "signedIdentity" };
	const struct json_t *value = NULL;
	const char *key = NULL;
	void *position = NULL;

	while (json_next_member(json, &position, &key, &value)) {
		bool is_known = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= strcmp(key, known[i]) == 0;
		if (!is_known)
			return err_set(err, ERR_UNSUPPORTED, "\"%.100s\"", key);
	}
	return true;
}

MUST_CHECK static bool read_signed(struct requirement *out, const struct json_t *json,
				   struct err *err)
{
	out->kind = REQUIREMENT_SIGNED;
	out->keys = bytes_capped(KEY_BYTES_MAX);
	if (check_members(json, err) && read_keys(&out->keys, json, err) &&
	    json_want_object(json, "signedIdentity", &out->identity, err))
		return true;
	if (err->kind == ERR_FORMAT)
		err->kind = ERR_UNSUPPORTED;
	return err_wrap(err, "policy: sigstoreSigned");
}

bool policy_requirement(const struct policy *policy, const struct reference *reference,
			size_t index, struct requirement *out, struct err *err)
{
	CLEANUP(requirement_freep) struct requirement requirement = { 0 };
	const struct json_t *json = json_item(find_list(policy, reference), index);
	const char *type = NULL;

	if (!json_need_string(json, "type", &type, err))
		return false;
	if (strcmp(type, "insecureAcceptAnything") == 0)
		requirement.kind = REQUIREMENT_ACCEPT;
	else if (strcmp(type, "reject") == 0)
		requirement.kind = REQUIREMENT_REJECT;
	else if (strcmp(type, "sigstoreSigned") != 0)
		return err_set(err, ERR_UNSUPPORTED, "policy: requirement '%.100s'", type);
	else if (!read_signed(&requirement, json, err))
		return false;
	*out = requirement;
	requirement = (struct requirement){ 0 };
	return true;
}
