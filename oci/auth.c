#include "auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "challenge.h"
#include "sink.h"
#include "url.h"

enum { TOKEN_BYTES_MAX = 256 << 10 };

struct auth {
	pthread_mutex_t mutex;
	char *repository;
	bool allows_plain;
	struct bytes value; /* of the Authorization header */
	uint64_t generation; /* counts the values there have been */
};

/* Freed memory is handed out again; a secret should not be in it. */
static void secret_freep(struct bytes *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->capacity);
	bytes_freep(secret);
}

bool auth_new(struct auth **out, const char *repository, bool allows_plain, struct err *err)
{
	CLEANUP(auth_freep) struct auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return err_memory(err, "credentials");
	pthread_mutex_init(&auth->mutex, NULL);
	auth->value = bytes_capped(TOKEN_BYTES_MAX);
	auth->allows_plain = allows_plain;
	auth->repository = view_copy(view_of(repository));
	if (!auth->repository)
		return err_memory(err, "credentials");
	*out = ptr_take(&auth);
	return true;
}

void auth_freep(struct auth **auth)
{
	if (!*auth)
		return;
	secret_freep(&(*auth)->value);
	pthread_mutex_destroy(&(*auth)->mutex);
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

MUST_CHECK static bool add_parameter(struct bytes *url, const char *name, struct view value,
				     struct err *err)
{
	bool has_query = view_find(bytes_view(url), '?') >= 0;

	return bytes_print(url, err, "%c%s=", has_query ? '&' : '?', name) &&
	       url_escape(url, value, err);
}

/* A challenge's scope may hold several, separated by spaces: each is a parameter of its own. */
MUST_CHECK static bool token_url(struct bytes *url, const struct auth *auth,
				 const struct challenge *challenge, struct err *err)
{
	char usual[300];
	struct view scopes = view_of(challenge->scope);

	snprintf(usual, sizeof(usual), "repository:%.255s:pull", auth->repository);
	if (scopes.len == 0)
		scopes = view_of(usual);
	if (!bytes_print(url, err, "%s", challenge->realm))
		return false;
	if (challenge->service[0] &&
	    !add_parameter(url, "service", view_of(challenge->service), err))
		return false;
	while (scopes.ptr) {
		struct view scope = view_cut(&scopes, ' ');

		if (scope.len > 0 && !add_parameter(url, "scope", scope, err))
			return false;
	}
	return true;
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

MUST_CHECK static bool ask_token_server(struct http *http, const char *url, struct bytes *body,
					struct setback *setback, struct err *err)
{
	CLEANUP(http_response_freep) struct http_response response = { 0 };
	struct sink sink = { .memory = body };
	const struct http_request request = { .url = url, .sink = &sink };

	if (!http_perform(http, &request, &response, err)) {
		setback->may_pass = http_failure_of(http) == HTTP_BROKEN;
		return false;
	}
	const struct answer answer = { response.status, response.retry_after_seconds,
				       bytes_view(body) };

	if (response.status == 200)
		return true;
	answer_error(&answer, url_authority(view_of(url)), setback, err);
	if (!setback->may_pass)
		err->kind = ERR_AUTH;
	return false;
}

MUST_CHECK static bool fetch_token(struct auth *auth, struct http *http,
				   const struct challenge *challenge, struct setback *setback,
				   struct err *err)
{
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(64 << 10);
	CLEANUP(secret_freep) struct bytes body = bytes_capped(TOKEN_BYTES_MAX);
	CLEANUP(secret_freep) struct bytes value = bytes_capped(TOKEN_BYTES_MAX);
	struct view realm = view_of(challenge->realm);

	if (!check_realm(auth, realm, err) || !token_url(&url, auth, challenge, err))
		return false;
	if (!ask_token_server(http, url.data, &body, setback, err))
		return err_wrap(err, "token server");
	if (!read_token(&value, bytes_view(&body), err))
		return err_wrap(err, "token server %.*s", VIEW_ARGS(url_authority(realm)));
	struct bytes old = auth->value;

	auth->value = value;
	value = old;
	auth->generation++;
	return true;
}

MUST_CHECK static bool meet(struct auth *auth, struct http *http,
			    const struct challenge *challenges, size_t count,
			    struct setback *setback, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (challenges[i].scheme == CHALLENGE_BEARER && challenges[i].realm[0])
			return fetch_token(auth, http, &challenges[i], setback, err);
	for (size_t i = 0; i < count; i++)
		if (challenges[i].scheme == CHALLENGE_BASIC)
			return err_set(err, ERR_AUTH, "it asks for a user name and a password");
	return err_set(err, ERR_AUTH, "it asks for credentials of a kind that is not known here");
}

bool auth_renew(struct auth *auth, struct http *http, const struct http_response *refusal,
		uint64_t generation, struct setback *setback, struct err *err)
{
	struct challenge challenges[CHALLENGE_COUNT_MAX];
	size_t count = 0;

	*setback = (struct setback){ 0 };
	if (!challenge_parse(challenges, &count, bytes_view(&refusal->challenges), err))
		return false;
	pthread_mutex_lock(&auth->mutex);
	bool is_ok =
		auth->generation != generation || meet(auth, http, challenges, count, setback, err);

	pthread_mutex_unlock(&auth->mutex);
	return is_ok;
}
