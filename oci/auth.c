#include "auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base64.h"
#include "challenge.h"
#include "credentials.h"
#include "redirect.h"
#include "sink.h"
#include "url.h"

enum { TOKEN_BYTES_MAX = 256 << 10 };

struct auth {
	char *registry, *repository;
	const struct source_options *options;
	bool is_registry, allows_plain;
	pthread_mutex_t mutex; /* guards all below */
	bool has_looked; /* for credentials */
	struct credentials credentials;
	struct bytes value; /* of the Authorization header */
	uint64_t generation; /* counts the values there have been */
};

bool auth_new(struct auth **out, const char *registry, const char *repository, bool is_registry,
	      bool allows_plain, const struct source_options *options, struct err *err)
{
	CLEANUP(auth_freep) struct auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return err_memory(err, "credentials");
	pthread_mutex_init(&auth->mutex, NULL);
	auth->value = bytes_capped(TOKEN_BYTES_MAX);
	auth->options = options;
	auth->is_registry = is_registry;
	auth->allows_plain = allows_plain;
	auth->registry = view_copy(view_of(registry));
	auth->repository = view_copy(view_of(repository));
	if (!auth->registry || !auth->repository)
		return err_memory(err, "credentials");
	*out = ptr_take(&auth);
	return true;
}

void auth_freep(struct auth **auth)
{
	if (!*auth)
		return;
	bytes_wipep(&(*auth)->value);
	credentials_freep(&(*auth)->credentials);
	pthread_mutex_destroy(&(*auth)->mutex);
	free((*auth)->registry);
	free((*auth)->repository);
	free(*auth);
	*auth = NULL;
}

bool auth_value(struct auth *auth, struct bytes *out, uint64_t *generation, struct err *err)
{
	pthread_mutex_lock(&auth->mutex);
	bool is_ok = bytes_append(out, auth->value.data, auth->value.len, err);

	*generation = auth->generation;
	pthread_mutex_unlock(&auth->mutex);
	return is_ok;
}

/* "?name=value" or "&name=value", as it has to go on. */
MUST_CHECK static bool add_parameter(struct bytes *out, const char *name, struct view value,
				     struct err *err)
{
	char joint = view_find(bytes_view(out), '?') >= 0 ? '&' : '?';

	return bytes_print(out, err, "%c%s=", joint, name) && url_escape(out, value, err);
}

/* A challenge's scope may hold several, separated by spaces. */
static struct view scopes_of(const struct auth *auth, const struct challenge *challenge,
			     char usual[300])
{
	snprintf(usual, 300, "repository:%.255s:pull", auth->repository);
	return view_of(challenge->scope[0] ? challenge->scope : usual);
}

/* GET: each scope is a parameter of its own. */
MUST_CHECK static bool token_url(struct bytes *url, const struct auth *auth,
				 const struct challenge *challenge, struct err *err)
{
	char usual[300];
	struct view scopes = scopes_of(auth, challenge, usual);

	if (!bytes_print(url, err, "%s", challenge->realm))
		return false;
	if (challenge->service[0] &&
	    !add_parameter(url, "service", view_of(challenge->service), err))
		return false;
	if (auth->credentials.user &&
	    !add_parameter(url, "account", view_of(auth->credentials.user), err))
		return false;
	while (scopes.ptr) {
		struct view scope = view_cut(&scopes, ' ');

		if (scope.len > 0 && !add_parameter(url, "scope", scope, err))
			return false;
	}
	return true;
}

/* POST, for an identity token. Source: distribution "oauth2 token authentication" */
MUST_CHECK static bool token_form(struct bytes *form, const struct auth *auth,
				  const struct challenge *challenge, struct err *err)
{
	char usual[300];

	return bytes_print(form, err, "grant_type=refresh_token&client_id=vmbake&service=") &&
	       url_escape(form, view_of(challenge->service), err) &&
	       bytes_print(form, err, "&scope=") &&
	       url_escape(form, scopes_of(auth, challenge, usual), err) &&
	       bytes_print(form, err, "&refresh_token=") &&
	       url_escape(form, view_of(auth->credentials.identity_token), err);
}

/* "Basic …", or nothing where there is no user. Source: RFC 7617 */
MUST_CHECK static bool basic_value(struct bytes *out, const struct credentials *credentials,
				   struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes pair = bytes_capped(64 << 10);

	if (!credentials->user)
		return true;
	return bytes_print(&pair, err, "%s:%s", credentials->user, credentials->password) &&
	       bytes_print(out, err, "Basic ") && base64_encode(out, bytes_view(&pair), err);
}

/* A byte outside these would end the header and start another. */
static bool is_header_safe(const char *token)
{
	for (; *token; token++)
		if (*token <= ' ' || *token >= 0x7f)
			return false;
	return true;
}

/* {"token": …} or {"access_token": …}, of which the first is preferred. */
MUST_CHECK static bool read_token(struct bytes *value, struct view body, struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const char *token = NULL, *access_token = NULL;

	if (!json_parse(&json, body, err) || !json_want_string(json, "token", &token, err) ||
	    !json_want_string(json, "access_token", &access_token, err))
		return false;
	if (!token || !*token)
		token = access_token;
	if (!token || !*token)
		return err_set(err, ERR_FORMAT, "it gives no token");
	if (!is_header_safe(token))
		return err_set(err, ERR_FORMAT, "a token with spaces or control characters");
	return bytes_print(value, err, "Bearer %s", token);
}

MUST_CHECK static bool check_realm(const struct auth *auth, struct view realm, struct err *err)
{
	struct view host = url_authority(realm);

	if (host.len == 0)
		return err_set(err, ERR_FORMAT, "the token server's address is no URL");
	if (!url_is_https(realm) && !auth->allows_plain && !host_is_loopback(host))
		return err_set(err, ERR_AUTH, "the token server %.*s has no TLS", VIEW_ARGS(host));
	return true;
}

/* Outside the token server's origin there is no password, and a form, which holds an identity
 * token, is sent nowhere else, nor where the answer is to be fetched without it. */
MUST_CHECK static bool follow(const struct auth *auth, struct http_request *request,
			      const struct http_response *response, struct bytes *url,
			      struct redirects *redirects, struct err *err)
{
	bool asks_again = response->status == 307 || response->status == 308;
	struct view from = url_authority(view_of(request->url));

	if (request->form && (!asks_again || !url_same_origin(view_of(request->url),
							      bytes_view(&response->redirect_url))))
		return err_set(err, ERR_AUTH, "%.*s redirects what holds an identity token",
			       VIEW_ARGS(from));
	if (!redirect_follow(redirects, url, bytes_view(&response->redirect_url),
			     auth->options->plain_http, err) ||
	    !check_realm(auth, bytes_view(url), err))
		return false;
	if (redirects->is_elsewhere)
		request->authorization = NULL;
	request->url = url->data;
	return true;
}

/* url: the request's, which a redirect replaces */
MUST_CHECK static bool ask_token_server(const struct auth *auth, struct http *http,
					struct http_request *request, struct bytes *url,
					struct setback *setback, struct err *err)
{
	CLEANUP(http_response_freep) struct http_response response = { 0 };
	struct redirects redirects = { 0 };

	do {
		if (response.redirect_url.len > 0 &&
		    !follow(auth, request, &response, url, &redirects, err))
			return false;
		if (!http_perform(http, request, &response, err)) {
			setback->may_pass = http_failure_of(http) == HTTP_BROKEN;
			return false;
		}
	} while (response.redirect_url.len > 0);
	const struct answer answer = { response.status, response.retry_after_seconds,
				       bytes_view(request->sink->memory) };

	if (response.status == 200)
		return true;
	answer_error(&answer, url_authority(view_of(request->url)), setback, err);
	if (!setback->may_pass)
		err->kind = ERR_AUTH;
	return false;
}

static void replace_value(struct auth *auth, struct bytes *value)
{
	struct bytes old = auth->value;

	auth->value = *value;
	*value = old;
	auth->generation++;
}

MUST_CHECK static bool fetch_token(struct auth *auth, struct http *http, const struct host *host,
				   const struct challenge *challenge, struct setback *setback,
				   struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes url = bytes_capped(64 << 10);
	CLEANUP(bytes_wipep) struct bytes form = bytes_capped(TOKEN_BYTES_MAX);
	CLEANUP(bytes_wipep) struct bytes body = bytes_capped(TOKEN_BYTES_MAX);
	CLEANUP(bytes_wipep) struct bytes value = bytes_capped(TOKEN_BYTES_MAX);
	CLEANUP(bytes_wipep) struct bytes basic = bytes_capped(TOKEN_BYTES_MAX);
	struct view realm = view_of(challenge->realm);
	bool is_oauth = auth->credentials.identity_token != NULL;
	struct sink sink = { .memory = &body };

	if (!check_realm(auth, realm, err) || !basic_value(&basic, &auth->credentials, err))
		return false;
	if (is_oauth ? !token_form(&form, auth, challenge, err) ||
			       !bytes_print(&url, err, "%s", challenge->realm)
		     : !token_url(&url, auth, challenge, err))
		return false;
	struct http_request request = {
		.url = url.data,
		.form = form.data,
		.authorization = basic.data,
		.sink = &sink,
		.trust = host,
	};

	if (!ask_token_server(auth, http, &request, &url, setback, err))
		return err_wrap(err, "token server");
	if (!read_token(&value, bytes_view(&body), err))
		return err_wrap(err, "token server %.*s", VIEW_ARGS(url_authority(realm)));
	replace_value(auth, &value);
	return true;
}

MUST_CHECK static bool use_basic(struct auth *auth, struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes value = bytes_capped(TOKEN_BYTES_MAX);

	if (!auth->credentials.user)
		return err_set(err, ERR_AUTH,
			       "%s asks for a user name and a password, and there "
			       "are none for it",
			       auth->registry);
	if (!basic_value(&value, &auth->credentials, err))
		return false;
	if (auth->value.len == value.len && memcmp(auth->value.data, value.data, value.len) == 0)
		return err_set(err, ERR_AUTH, "%s refuses the credentials there are for it",
			       auth->registry);
	replace_value(auth, &value);
	return true;
}

MUST_CHECK static bool look_for_credentials(struct auth *auth, struct err *err)
{
	const struct source_options *options = auth->options;

	if (auth->has_looked)
		return true;
	if (!credentials_find(&auth->credentials, auth->is_registry ? options->credentials : NULL,
			      options->auth_file, auth->registry, auth->repository, err))
		return false;
	auth->has_looked = true;
	return true;
}

MUST_CHECK static bool meet(struct auth *auth, struct http *http, const struct host *host,
			    const struct challenge *challenges, size_t count,
			    struct setback *setback, struct err *err)
{
	if (!look_for_credentials(auth, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (challenges[i].scheme == CHALLENGE_BEARER && challenges[i].realm[0])
			return fetch_token(auth, http, host, &challenges[i], setback, err);
	for (size_t i = 0; i < count; i++)
		if (challenges[i].scheme == CHALLENGE_BASIC)
			return use_basic(auth, err);
	return err_set(err, ERR_AUTH, "%s asks for credentials of a kind that is not known here",
		       auth->registry);
}

bool auth_renew(struct auth *auth, struct http *http, const struct host *host,
		const struct http_response *refusal, uint64_t generation, struct setback *setback,
		struct err *err)
{
	struct challenge challenges[CHALLENGE_COUNT_MAX];
	size_t count = 0;

	*setback = (struct setback){ 0 };
	if (!challenge_parse(challenges, &count, bytes_view(&refusal->challenges), err))
		return false;
	pthread_mutex_lock(&auth->mutex);
	bool is_ok = auth->generation != generation ||
		     meet(auth, http, host, challenges, count, setback, err);

	pthread_mutex_unlock(&auth->mutex);
	return is_ok;
}
