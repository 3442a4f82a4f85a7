#include "registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "answer.h"
#include "auth.h"
#include "base/cleanup.h"
#include "base/report.h"
#include "manifest.h"
#include "url.h"

enum {
	IDLE_COUNT_MAX = 32,
	REDIRECT_COUNT_MAX = 10,
	AUTH_ROUND_COUNT_MAX = 2,
	URL_BYTES_MAX = 64 << 10
};

struct registry {
	const struct source_options *options;
	char authority[256]; /* where docker.io really is */
	char repository[256];
	bool is_loopback;
	atomic_bool is_plain; /* http:// instead of https:// */
	struct auth *auth;
	pthread_mutex_t mutex; /* guards idle */
	struct http *idle[IDLE_COUNT_MAX];
	size_t idle_count;
};

bool registry_open(struct registry **out, const struct reference *reference,
		   const struct source_options *options, struct err *err)
{
	CLEANUP(registry_freep) struct registry *registry = calloc(1, sizeof(*registry));
	bool is_hub = strcmp(reference->registry, "docker.io") == 0;

	if (!registry)
		return err_memory(err, "a registry");
	pthread_mutex_init(&registry->mutex, NULL);
	registry->options = options;
	snprintf(registry->authority, sizeof(registry->authority), "%s",
		 is_hub ? "registry-1.docker.io" : reference->registry);
	snprintf(registry->repository, sizeof(registry->repository), "%s", reference->repository);
	registry->is_loopback = host_is_loopback(view_of(registry->authority));
	if (!auth_new(&registry->auth, reference->registry, registry->repository, options, err))
		return false;
	*out = ptr_take(&registry);
	return true;
}

void registry_freep(struct registry **registry)
{
	if (!*registry)
		return;
	while ((*registry)->idle_count > 0)
		http_freep(&(*registry)->idle[--(*registry)->idle_count]);
	auth_freep(&(*registry)->auth);
	pthread_mutex_destroy(&(*registry)->mutex);
	free(*registry);
	*registry = NULL;
}

bool registry_take_http(struct registry *registry, struct http **out, struct err *err)
{
	struct http *http = NULL;

	pthread_mutex_lock(&registry->mutex);
	if (registry->idle_count > 0)
		http = registry->idle[--registry->idle_count];
	pthread_mutex_unlock(&registry->mutex);
	if (!http)
		return http_new(out, registry->options->user_agent, err);
	*out = http;
	return true;
}

void registry_give_http(struct registry *registry, struct http **http)
{
	pthread_mutex_lock(&registry->mutex);
	if (registry->idle_count < IDLE_COUNT_MAX)
		registry->idle[registry->idle_count++] = ptr_take(http);
	pthread_mutex_unlock(&registry->mutex);
	http_freep(http);
}

/* A request on its way through scheme, challenge and redirects. */
struct call {
	struct registry *registry;
	struct http *http;
	const char *path; /* below /v2/REPOSITORY/ */
	const char *accept;
	struct sink *sink;
	bool is_bulk;
	const atomic_bool *cancel;
	struct http_response response;
	struct bytes url; /* of the next exchange */
	bool is_redirected; /* url is not the registry's own any more */
	struct location *location; /* of a blob, else NULL */
	bool is_from_memory; /* url is what location remembered */
	unsigned redirect_count, auth_round_count;
	uint64_t generation; /* of the Authorization last sent */
	struct setback *setback;
};

struct document_answer {
	struct bytes *body;
	char digest[HTTP_VALUE_BYTES]; /* as the registry's header claims it; "" when it does not */
};

static void call_freep(struct call *call)
{
	http_response_freep(&call->response);
	bytes_freep(&call->url);
}

MUST_CHECK static bool aim_at_registry(struct call *call, struct err *err)
{
	struct registry *registry = call->registry;

	call->is_redirected = call->is_from_memory = false;
	bytes_clear(&call->url);
	return bytes_print(&call->url, err, "%s://%s/v2/%s/%s",
			   atomic_load(&registry->is_plain) ? "http" : "https", registry->authority,
			   registry->repository, call->path);
}

/* Where the blob was found last, else the registry. */
MUST_CHECK static bool aim(struct call *call, struct err *err)
{
	struct location *location = call->location;

	bytes_clear(&call->url);
	if (!location)
		return aim_at_registry(call, err);
	pthread_mutex_lock(&location->mutex);
	bool is_ok = bytes_append(&call->url, location->url.data, location->url.len, err);

	pthread_mutex_unlock(&location->mutex);
	if (!is_ok)
		return false;
	call->is_redirected = call->is_from_memory = call->url.len > 0;
	return call->url.len > 0 || aim_at_registry(call, err);
}

/* Who we are is told to the registry alone: a redirect's target elsewhere gets no Authorization. */
MUST_CHECK static bool exchange(struct call *call, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes authorization = bytes_capped(1 << 20);
	struct http_request request = {
		.url = call->url.data,
		.accept = call->accept,
		.is_ranged = call->sink->is_ranged,
		.first = call->sink->first,
		.last = call->sink->last,
		.is_bulk = call->is_bulk,
		.sink = call->sink,
		.cancel = call->cancel,
	};

	if (!call->is_redirected &&
	    !auth_value(call->registry->auth, &authorization, &call->generation, err))
		return false;
	if (authorization.len > 0)
		request.authorization = authorization.data;
	return http_perform(call->http, &request, &call->response, err);
}

/* Plain HTTP, where nothing between us and the peer could have faked the answer, or where the user
 * asked for it. Never after a certificate that did not hold: that is HTTP_UNTRUSTED. */
static bool may_go_plain(const struct call *call)
{
	struct registry *registry = call->registry;

	return http_failure_of(call->http) == HTTP_NOT_TLS && !call->is_redirected &&
	       !atomic_load(&registry->is_plain) &&
	       (registry->is_loopback || registry->options->plain_http);
}

MUST_CHECK static bool follow_redirect(struct call *call, struct err *err)
{
	struct view to = bytes_view(&call->response.redirect_url), from = bytes_view(&call->url);
	bool is_downgrade = url_is_https(from) && !url_is_https(to);

	if (call->redirect_count++ >= REDIRECT_COUNT_MAX)
		return err_set(err, ERR_NETWORK, "%.*s redirects more than %d times",
			       VIEW_ARGS(url_authority(from)), REDIRECT_COUNT_MAX);
	if (is_downgrade && !call->registry->options->plain_http)
		return err_set(err, ERR_NETWORK, "%.*s redirects from https to http",
			       VIEW_ARGS(url_authority(from)));
	if (!url_same_origin(from, to))
		call->is_redirected = true;
	bytes_clear(&call->url);
	return bytes_append(&call->url, to.ptr, to.len, err);
}

MUST_CHECK static bool refuse(struct call *call, struct err *err)
{
	const struct answer answer = { call->response.status, call->response.retry_after_seconds,
				       bytes_view(call->sink->memory) };

	return answer_error(&answer, url_authority(bytes_view(&call->url)), call->setback, err);
}

static void forget_location(struct location *location)
{
	pthread_mutex_lock(&location->mutex);
	bytes_clear(&location->url);
	pthread_mutex_unlock(&location->mutex);
}

/* The registry does not have the blob, but the manifest may say who does. */
MUST_CHECK static bool try_next_url(struct call *call, struct err *err)
{
	struct location *location = call->location;
	const char *url = NULL;

	pthread_mutex_lock(&location->mutex);
	if (location->urls && location->urls[location->next_url])
		url = location->urls[location->next_url++];
	pthread_mutex_unlock(&location->mutex);
	if (!url)
		return refuse(call, err);
	call->is_redirected = true;
	bytes_clear(&call->url);
	return bytes_append(&call->url, url, strlen(url), err);
}

/* What an answer asks for next. *is_done: nothing, it is the one we want. */
MUST_CHECK static bool heed(struct call *call, bool *is_done, struct err *err)
{
	unsigned status = call->response.status;

	*is_done = status == 200 || status == 206;
	if (*is_done)
		return true;
	if (call->response.redirect_url.len > 0)
		return follow_redirect(call, err);
	if (call->is_from_memory) {
		forget_location(call->location);
		return aim_at_registry(call, err);
	}
	if (status == 404 && call->location)
		return try_next_url(call, err);
	if (status == 401 && !call->is_redirected &&
	    call->auth_round_count++ < AUTH_ROUND_COUNT_MAX)
		return auth_renew(call->registry->auth, call->http, &call->response,
				  call->generation, call->setback, err) &&
		       aim_at_registry(call, err);
	return refuse(call, err);
}

/* One exchange failed: go on in plain HTTP, or say whether trying again later may help. */
MUST_CHECK static bool recover(struct call *call, const struct err *failure, struct err *err)
{
	enum http_failure reason = http_failure_of(call->http);

	if (may_go_plain(call)) {
		atomic_store(&call->registry->is_plain, true);
		return aim_at_registry(call, err);
	}
	call->setback->may_pass =
		reason == HTTP_BROKEN || (reason == HTTP_REFUSED && !call->registry->is_loopback);
	*err = *failure;
	return false;
}

MUST_CHECK static bool call_perform(struct call *call, struct err *err)
{
	struct err failure = { 0 };
	bool is_done = false;

	*call->setback = (struct setback){ 0 };
	if (!aim(call, err))
		return false;
	while (!is_done)
		if (exchange(call, &failure) ? !heed(call, &is_done, err)
					     : !recover(call, &failure, err))
			return false;
	return true;
}

static void pause_ms(uint64_t wait_ms)
{
	struct timespec wait = { .tv_sec = (time_t)(wait_ms / 1000),
				 .tv_nsec = (long)(wait_ms % 1000) * 1000000 };

	while (nanosleep(&wait, &wait) < 0)
		;
}

MUST_CHECK static bool try_document(struct registry *registry, struct http *http, const char *path,
				    struct document_answer *out, struct setback *setback,
				    struct err *err)
{
	struct sink sink = { .memory = out->body };
	CLEANUP(call_freep)
	struct call call = {
		.registry = registry,
		.http = http,
		.path = path,
		.accept = manifest_media_types,
		.sink = &sink,
		.url = bytes_capped(URL_BYTES_MAX),
		.setback = setback,
	};

	if (!call_perform(&call, err))
		return false;
	memcpy(out->digest, call.response.content_digest, sizeof(out->digest));
	return true;
}

/* A small document, tried again while that may help. */
MUST_CHECK static bool get_document(struct registry *registry, const char *path,
				    struct document_answer *out, struct err *err)
{
	CLEANUP(http_freep) struct http *http = NULL;
	struct retry retry = { .max = registry->options->retries, .random = (uint32_t)time(NULL) };
	struct setback setback = { 0 };
	struct err failure = { 0 };
	uint64_t wait_ms = 0;

	if (!registry_take_http(registry, &http, err))
		return false;
	while (!try_document(registry, http, path, out, &setback, &failure)) {
		if (!retry_next(&retry, &setback, &wait_ms)) {
			*err = failure;
			return false;
		}
		report_note(registry->options->report, "trying again: %s", failure.msg);
		pause_ms(wait_ms);
	}
	registry_give_http(registry, &http);
	return true;
}

/* Is the repository there, when a tag of it is not? Asked only to say so. */
static bool has_repository(struct registry *registry)
{
	CLEANUP(bytes_freep) struct bytes body = bytes_capped(MANIFEST_BYTES_MAX);
	struct document_answer answer = { .body = &body };
	struct err ignored;

	return get_document(registry, "tags/list?n=1", &answer, &ignored);
}

MUST_CHECK static bool explain_missing(struct registry *registry, const struct digest *digest,
				       struct err *err)
{
	if (!has_repository(registry))
		return err_set(err, ERR_NOT_FOUND, "no such repository");
	return err_set(err, ERR_NOT_FOUND, "no such %s (the repository is there)",
		       digest ? "digest" : "tag");
}

/* Whatever the registry says its digest is, the document must have it. */
MUST_CHECK static bool check_document(struct view document, const struct digest *wanted,
				      const char *claimed, struct err *err)
{
	struct digest digest = digest_of(document.ptr, document.len);
	char text[DIGEST_TEXT_BYTES];

	digest_text(&digest, text);
	if (wanted && !digest_equal(wanted, &digest))
		return err_set(err, ERR_INTEGRITY, "the registry's manifest has digest %s", text);
	if (view_starts(view_of(claimed), "sha256:") && strcmp(claimed, text) != 0)
		return err_set(err, ERR_INTEGRITY,
			       "the manifest has digest %s, the registry says %s", text, claimed);
	return true;
}

bool registry_manifest(struct registry *registry, const char *tag, const struct digest *digest,
		       struct bytes *out, struct err *err)
{
	char path[300], text[DIGEST_TEXT_BYTES];
	struct document_answer answer = { .body = out };

	if (digest)
		digest_text(digest, text);
	snprintf(path, sizeof(path), "manifests/%s", digest ? text : tag);
	if (get_document(registry, path, &answer, err))
		return check_document(bytes_view(out), digest, answer.digest, err);
	if (err->kind == ERR_NOT_FOUND)
		return explain_missing(registry, digest, err);
	if (err->kind == ERR_UNSUPPORTED)
		return err_wrap(err, "the manifest");
	return false;
}

static void blob_path(char out[100], const struct digest *digest)
{
	char text[DIGEST_TEXT_BYTES];

	digest_text(digest, text);
	snprintf(out, 100, "blobs/%s", text);
}

bool registry_small_blob(struct registry *registry, const struct digest *digest, struct bytes *out,
			 struct err *err)
{
	struct document_answer answer = { .body = out };
	char path[100];

	blob_path(path, digest);
	return get_document(registry, path, &answer, err);
}

/* So that the blob's other chunks need not ask the registry again. */
static void remember_location(const struct call *call)
{
	struct location *location = call->location;
	struct err ignored;

	if (!call->is_redirected || call->is_from_memory)
		return;
	pthread_mutex_lock(&location->mutex);
	bytes_clear(&location->url);
	if (!bytes_append(&location->url, call->url.data, call->url.len, &ignored))
		bytes_clear(&location->url);
	pthread_mutex_unlock(&location->mutex);
}

bool registry_fetch(struct registry *registry, struct http *http, struct location *location,
		    struct sink *sink, const atomic_bool *cancel, struct setback *setback,
		    struct err *err)
{
	char path[100];
	CLEANUP(bytes_freep) struct bytes error_body = bytes_capped(ANSWER_BODY_BYTES_MAX);
	CLEANUP(call_freep)
	struct call call = {
		.registry = registry,
		.http = http,
		.path = path,
		.location = location,
		.sink = sink,
		.is_bulk = true,
		.cancel = cancel,
		.url = bytes_capped(URL_BYTES_MAX),
		.setback = setback,
	};

	blob_path(path, &location->digest);
	sink->memory = &error_body;
	bool is_ok = call_perform(&call, err);

	sink->memory = NULL;
	if (is_ok)
		remember_location(&call);
	else if (call.is_from_memory)
		forget_location(location);
	return is_ok;
}
