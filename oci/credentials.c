#include "credentials.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base64.h"
#include "helper.h"
#include "home.h"

enum { AUTH_FILE_BYTES_MAX = 1 << 20, ANSWER_BYTES_MAX = 256 << 10, KEY_BYTES = 600 };

static const char hub[] = "docker.io"; /* Docker Hub, in references and to podman */
static const char hub_key[] = "https://index.docker.io/v1/"; /* to docker */

static void secret_freep(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void credentials_freep(struct credentials *credentials)
{
	secret_freep(&credentials->user);
	secret_freep(&credentials->password);
	secret_freep(&credentials->identity_token);
}

bool credentials_exist(const struct credentials *credentials)
{
	return credentials->user || credentials->identity_token;
}

MUST_CHECK static bool set_secret(char **out, struct view text, struct err *err)
{
	*out = view_copy(text);
	return *out || err_memory(err, "credentials");
}

/* "user:password"; the password may hold colons. */
MUST_CHECK static bool split_pair(struct credentials *out, struct view pair, struct err *err)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	struct view password = pair, user = view_cut(&password, ':');

	if (!password.ptr || user.len == 0)
		return err_set(err, ERR_FORMAT, "credentials are not USER:PASSWORD");
	if (memchr(pair.ptr, '\0', pair.len))
		return err_set(err, ERR_FORMAT, "credentials with a NUL");
	if (!set_secret(&found.user, user, err) || !set_secret(&found.password, password, err))
		return false;
	*out = found;
	found = (struct credentials){ 0 };
	return true;
}

/* One entry of "auths". An empty one means that the credentials are in the credsStore. */
MUST_CHECK static bool read_entry(struct credentials *out, const struct json_t *entry,
				  struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes pair = bytes_capped(64 << 10);
	const char *auth = NULL, *identity_token = NULL;

	if (!json_want_string(entry, "auth", &auth, err) ||
	    !json_want_string(entry, "identitytoken", &identity_token, err))
		return false;
	if (identity_token && *identity_token)
		return set_secret(&out->identity_token, view_of(identity_token), err);
	if (!auth || !*auth)
		return true;
	if (!base64_decode(&pair, view_of(auth), err))
		return false;
	while (pair.len > 0 && pair.data[pair.len - 1] == '\0')
		pair.len--; /* docker pads with them */
	return split_pair(out, bytes_view(&pair), err);
}

/* The host of a key like docker wrote them: "https://host/v1/". */
static struct view host_of_key(const char *key)
{
	struct view rest = view_of(key);

	if (view_starts(rest, "https://") || view_starts(rest, "http://"))
		rest = view_from(rest, (size_t)view_find(rest, '/') + 2);
	return view_cut(&rest, '/');
}

static bool is_same_host(struct view host, const char *registry)
{
	bool is_hub = view_equal(host, "index.docker.io") || view_equal(host, hub) ||
		      view_equal(host, "registry-1.docker.io");

	return strcmp(registry, hub) == 0 ? is_hub : view_equal(host, registry);
}

/* Is it a key for a whole registry in docker's way, or may it be one for a repository? */
static bool is_registry_key(const char *key)
{
	struct view text = view_of(key), host = host_of_key(key);

	return view_starts(text, "http://") || view_starts(text, "https://") ||
	       host.len == text.len || view_ends(text, "/v1/") || view_ends(text, "/v2/");
}

/* The longest of registry/a/b, registry/a and registry that is a key, then docker's spellings. */
MUST_CHECK static bool find_entry(const struct json_t **out, const struct json_t *auths,
				  const char *registry, const char *repository, struct err *err)
{
	char scope[KEY_BYTES];
	void *position = NULL;
	const char *key = NULL;
	const struct json_t *value = NULL;

	*out = NULL;
	snprintf(scope, sizeof(scope), "%s/%s", registry, repository);
	for (char *end = scope + strlen(scope); end; end = strrchr(scope, '/')) {
		*end = '\0';
		if (!json_want_object(auths, scope, out, err))
			return false;
		if (*out)
			return true;
	}
	while (json_next_member(auths, &position, &key, &value))
		if (is_registry_key(key) && is_same_host(host_of_key(key), registry))
			return json_want_object(auths, key, out, err);
	return true;
}

/* What a helper says of one name. Nothing: success, and nothing is found. */
MUST_CHECK static bool ask_helper_of(struct credentials *out, const char *helper, const char *name,
				     struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes answer = bytes_capped(ANSWER_BYTES_MAX);
	CLEANUP(json_freep) struct json_t *json = NULL;
	const char *user = NULL, *secret = NULL;
	bool is_found = false;
	struct err malformed;

	if (!helper_ask(&answer, &is_found, helper, name, err))
		return false;
	if (!is_found)
		return true;
	if (!json_parse(&json, bytes_view(&answer), &malformed) ||
	    !json_want_string(json, "Username", &user, &malformed) ||
	    !json_need_string(json, "Secret", &secret, &malformed))
		return err_set(err, ERR_AUTH,
			       "credential helper %.100s answers with what is not "
			       "credentials",
			       helper);
	if (user && strcmp(user, "<token>") == 0)
		return set_secret(&out->identity_token, view_of(secret), err);
	if (!user || !*user)
		return true;
	return set_secret(&out->user, view_of(user), err) &&
	       set_secret(&out->password, view_of(secret), err);
}

/* A helper keeps what was logged in to under the name that the tool which did it had for it: of
 * Docker Hub that is docker.io to podman, and a URL to docker.
 * key: which led to the helper, and is the first name to ask for; NULL: "credsStore", which is
 *      docker's */
MUST_CHECK static bool ask_helper(struct credentials *out, const char *helper, const char *key,
				  const char *registry, struct err *err)
{
	bool is_hub = strcmp(registry, hub) == 0;
	const char *names[] = { key ? key : is_hub ? hub_key : registry, registry,
				is_hub ? hub_key : registry };

	for (size_t i = 0; i < 3 && !credentials_exist(out); i++) {
		bool is_repeated = false;

		for (size_t j = 0; j < i; j++)
			is_repeated |= strcmp(names[i], names[j]) == 0;
		if (!is_repeated && !ask_helper_of(out, helper, names[i], err))
			return false;
	}
	return true;
}

/* The registry's own name is podman's way and, but for Docker Hub, docker's; then all else that
 * means its host. */
MUST_CHECK static bool find_helper(const char **out, const char **out_key,
				   const struct json_t *json, const char *registry, struct err *err)
{
	const struct json_t *helpers = NULL, *value = NULL;
	const char *key = NULL;
	void *position = NULL;

	*out = NULL;
	if (!json_want_object(json, "credHelpers", &helpers, err) ||
	    !json_want_string(helpers, registry, out, err))
		return false;
	*out_key = registry;
	while (!*out && json_next_member(helpers, &position, &key, &value))
		if (is_same_host(host_of_key(key), registry)) {
			*out_key = key;
			return json_need_string(helpers, key, out, err);
		}
	return true;
}

bool credentials_read(struct credentials *out, struct view text, bool is_dockercfg,
		      const char *registry, const char *repository, struct err *err)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *auths = NULL, *entry = NULL;
	const char *helper = NULL, *helper_key = NULL, *store = NULL;

	if (!json_parse(&json, text, err) || 
	    !find_helper(&helper, &helper_key, json, registry, err) ||
	    !json_want_object(json, "auths", &auths, err) ||
	    !json_want_string(json, "credsStore", &store, err) ||
	    !find_entry(&entry, is_dockercfg ? json : auths, registry, repository, err))
		return false;
	if (helper ? !ask_helper(&found, helper, helper_key, registry, err)
		   : entry && !read_entry(&found, entry, err))
		return false;
	if (!helper && !credentials_exist(&found) && store && *store &&
	    !ask_helper(&found, store, NULL, registry, err))
		return false;
	*out = found;
	found = (struct credentials){ 0 };
	return true;
}

MUST_CHECK static bool read_file(struct credentials *out, const char *path, bool is_dockercfg,
				 const char *registry, const char *repository, struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes text = bytes_capped(AUTH_FILE_BYTES_MAX);

	if (!file_slurp(&text, AT_FDCWD, path, err))
		return false;
	if (text.len == 0)
		return true; /* as podman takes it */
	if (!credentials_read(out, bytes_view(&text), is_dockercfg, registry, repository, err))
		return err_wrap(err, "%s", path);
	return true;
}

/* $variable/below, or, where that is unset, base/otherwise. False: no room. */
static bool make_path(char out[PATH_MAX], const char *variable, const char *below, const char *base,
		      const char *otherwise)
{
	const char *value = getenv(variable);
	bool is_set = value && *value;
	int len =
		snprintf(out, PATH_MAX, "%s/%s", is_set ? value : base, is_set ? below : otherwise);

	return len > 0 && len < PATH_MAX;
}

MUST_CHECK static bool search_usual_files(struct credentials *out, const char *registry,
					  const char *repository, struct err *err)
{
	char paths[4][PATH_MAX], run_path[64];
	const char *home = home_folder();

	snprintf(run_path, sizeof(run_path), "containers/%u/auth.json", (unsigned)getuid());
	bool fits[4] = {
		make_path(paths[0], "XDG_RUNTIME_DIR", "containers/auth.json", "/run", run_path),
		make_path(paths[1], "XDG_CONFIG_HOME", "containers/auth.json", home,
			  ".config/containers/auth.json"),
		make_path(paths[2], "DOCKER_CONFIG", "config.json", home, ".docker/config.json"),
		make_path(paths[3], "", "", home, ".dockercfg"),
	};

	for (size_t i = 0; i < 4 && !credentials_exist(out); i++)
		if (fits[i] && access(paths[i], R_OK) == 0 &&
		    !read_file(out, paths[i], i == 3, registry, repository, err))
			return false;
	return true;
}

bool credentials_find(struct credentials *out, const char *given, const char *auth_file,
		      const char *registry, const char *repository, struct err *err)
{
	CLEANUP(credentials_freep) struct credentials found = { 0 };
	const char *named = auth_file ? auth_file : getenv("REGISTRY_AUTH_FILE");
	bool is_ok = given ? split_pair(&found, view_of(given), err)
		     : named && *named ? read_file(&found, named, false, registry, repository, err)
				       : search_usual_files(&found, registry, repository, err);

	if (!is_ok)
		return false;
	*out = found;
	found = (struct credentials){ 0 };
	return true;
}
