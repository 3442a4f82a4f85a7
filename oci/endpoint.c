#include "endpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "auth.h"
#include "base/cleanup.h"
#include "redirect.h"
#include "url.h"

enum { AUTH_ROUND_COUNT_MAX = 2, URL_BYTES_MAX = 64 << 10 };

struct endpoint {
	const struct host *host;
	size_t number;
	const struct reference *reference;
	const struct source_options *options;
	bool is_loopback;
	atomic_bool is_plain; /* http:// instead of the https:// in base_url */
	struct auth *auth;
};

bool endpoint_new(struct endpoint **out, const struct host *host, size_t number,
		  const struct reference *reference, const struct source_options *options,
		  struct err *err)
{
	CLEANUP(endpoint_freep) struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	struct view authority = url_authority(view_of(host->base_url));
	CLEANUP(freep) char *name = view_copy(authority);
	bool is_plain = host->may_be_plain || !url_is_https(view_of(host->base_url));

	if (!endpoint || !name)
		return err_memory(err, "a host");
	endpoint->host = host;
	endpoint->number = number;
	endpoint->reference = reference;
	endpoint->options = options;
	endpoint->is_loopback = host_is_loopback(authority);
	if (!auth_new(&endpoint->auth, host->is_registry ? reference->registry : name,
		      reference->repository, host->is_registry, is_plain || options->plain_http,
		      options, err))
		return false;
	*out = ptr_take(&endpoint);
	return true;
}

void endpoint_freep(struct endpoint **endpoint)
{
	if (!*endpoint)
		return;
	auth_freep(&(*endpoint)->auth);
	free(*endpoint);
	*endpoint = NULL;
}

/* A question on its way. */
struct call {
	struct endpoint *endpoint;
	struct http *http;
	const struct question *question;
	struct http_response response;
	struct bytes url; /* of the next exchange */
	struct redirects redirects;
	bool is_from_memory; /* url is what location remembered */
	size_t giver; /* whose answer comes next, see location.h */
	size_t urls_tried; /* of location's */
	uint64_t bytes_before; /* that the sink had brought when the call began */
	unsigned auth_round_count;
	uint64_t generation; /* of the Authorization last sent */
	struct setback *setback;
};

static void call_freep(struct call *call)
{
	http_response_freep(&call->response);
	bytes_freep(&call->url);
}

/* A mirror of many registries is told which one is meant.
 * Source: containerd docs/hosts.md, "registry host namespace" */
MUST_CHECK static bool aim_at_host(struct call *call, struct err *err)
{
	const struct endpoint *endpoint = call->endpoint;
	const char *base_url = endpoint->host->base_url, *path = call->question->path;
	bool is_plain = atomic_load(&endpoint->is_plain);

	call->redirects.is_elsewhere = call->is_from_memory = false;
	call->giver = endpoint->number;
	bytes_clear(&call->url);
	if (!bytes_print(&call->url, err, "%s%s/%s/%s", is_plain ? "http" : "",
			 base_url + (is_plain ? strlen("https") : 0),
			 endpoint->reference->repository, path))
		return false;
	if (endpoint->host->is_registry)
		return true;
	return bytes_print(&call->url, err, "%cns=", strchr(path, '?') ? '&' : '?') &&
	       url_escape(&call->url, view_of(endpoint->reference->registry), err);
}

/* Where the blob was found last, else the host. */
MUST_CHECK static bool aim(struct call *call, struct err *err)
{
	struct location *location = call->question->location;

	bytes_clear(&call->url);
	if (!location)
		return aim_at_host(call, err);
	if (!location_recall(location, &call->url, &call->giver, err))
		return false;
	call->redirects.is_elsewhere = call->is_from_memory = call->url.len > 0;
	return call->url.len > 0 || aim_at_host(call, err);
}

/* Who we are is told to the host alone: a redirect's target elsewhere gets no Authorization, none
 * of the host's headers, and no client certificate. It is judged by the host's authorities, though:
 * where a registry has a private one, its storage has it too. */
MUST_CHECK static bool exchange(struct call *call, struct err *err)
{
	CLEANUP(bytes_wipep) struct bytes authorization = bytes_capped(1 << 20);
	const struct question *question = call->question;
	struct http_request request = {
		.url = call->url.data,
		.accept = question->accept,
		.is_ranged = question->sink->is_ranged,
		.first = question->sink->first,
		.last = question->sink->last,
		.is_bulk = question->is_bulk,
		.sink = question->sink,
		.cancel = question->cancel,
		.trust = call->endpoint->host,
	};

	if (!call->redirects.is_elsewhere) {
		request.host = call->endpoint->host;
		if (!auth_value(call->endpoint->auth, &authorization, &call->generation, err))
			return false;
	}
	if (authorization.len > 0)
		request.authorization = authorization.data;
	question->sink->writes_part = false; /* this answer says anew */
	bool is_ok = http_perform(call->http, &request, &call->response, err);

	if (question->sink->writes_part)
		location_credit(question->location, call->giver);
	return is_ok;
}

static bool has_port(const struct endpoint *endpoint)
{
	struct view authority = url_authority(view_of(endpoint->host->base_url));

	return view_find_last(authority, ':') > view_find_last(authority, ']');
}

/* Plain HTTP, where nothing between us and the peer could have faked the answer, or where the user
 * asked for it. Never after a certificate that did not hold: that is HTTP_UNTRUSTED. */
static bool may_go_plain(const struct call *call)
{
	const struct endpoint *endpoint = call->endpoint;
	enum http_failure reason = http_failure_of(call->http);

	if (call->redirects.is_elsewhere || atomic_load(&endpoint->is_plain))
		return false;
	if (endpoint->host->may_be_plain)
		return reason == HTTP_NOT_TLS || (reason == HTTP_REFUSED && !has_port(endpoint));
	if (endpoint->host->is_scheme_given)
		return false;
	return (reason == HTTP_NOT_TLS && endpoint->is_loopback) ||
	       ((reason == HTTP_NOT_TLS || reason == HTTP_REFUSED) &&
		endpoint->options->plain_http);
}

MUST_CHECK static bool refuse(struct call *call, struct err *err)
{
	const struct answer answer = { call->response.status, call->response.retry_after_seconds,
				       bytes_view(call->question->sink->memory) };

	return answer_error(&answer, url_authority(bytes_view(&call->url)), call->setback, err);
}

/* So that the blob's other chunks need not ask the host again. */
static void remember_location(const struct call *call)
{
	struct location *location = call->question->location;

	if (location && call->redirects.is_elsewhere && !call->is_from_memory)
		location_remember(location, bytes_view(&call->url), call->giver);
}

static bool has_next_url(const struct call *call)
{
	struct location *location = call->question->location;

	return location && call->endpoint->host->is_registry &&
	       call->urls_tried < location_open_urls(location);
}

/* The registry does not have the blob, but the manifest may say who does. Each is tried once a
 * call; one that fails is the last choice of all other calls too. */
MUST_CHECK static bool try_next_url(struct call *call, struct err *err)
{
	const char *url = location_next_url(call->question->location, &call->giver);

	call->urls_tried++;
	call->redirects.is_elsewhere = true;
	bytes_clear(&call->url);
	return bytes_append(&call->url, url, strlen(url), err);
}

/* What an answer asks for next. *is_done: nothing, it is the one we want. */
MUST_CHECK static bool heed(struct call *call, bool *is_done, struct err *err)
{
	struct location *location = call->question->location;
	unsigned status = call->response.status;

	*is_done = status == 200 || status == 206;
	if (*is_done)
		return true;
	if (call->response.redirect_url.len > 0)
		return redirect_follow(&call->redirects, &call->url,
				       bytes_view(&call->response.redirect_url),
				       call->endpoint->options->plain_http, err);
	if (call->is_from_memory) {
		location_forget(location);
		return aim_at_host(call, err);
	}
	if ((status == 404 || call->urls_tried > 0) && has_next_url(call))
		return try_next_url(call, err);
	if (status == 401 && !call->redirects.is_elsewhere &&
	    call->auth_round_count++ < AUTH_ROUND_COUNT_MAX)
		return auth_renew(call->endpoint->auth, call->http, call->endpoint->host,
				  &call->response, call->generation, call->setback, err) &&
		       aim_at_host(call, err);
	return refuse(call, err);
}

/* One exchange failed: go on in plain HTTP, or say whether trying again later may help. */
MUST_CHECK static bool recover(struct call *call, const struct err *failure, struct err *err)
{
	enum http_failure reason = http_failure_of(call->http);

	if (may_go_plain(call)) {
		atomic_store(&call->endpoint->is_plain, true);
		return aim_at_host(call, err);
	}
	if (call->is_from_memory)
		location_forget(call->question->location);
	if (call->urls_tried > 0 && has_next_url(call) && reason != HTTP_LOCAL &&
	    reason != HTTP_CANCELLED && call->question->sink->new_bytes == call->bytes_before)
		return try_next_url(call, err);
	call->setback->may_pass =
		reason == HTTP_BROKEN || (reason == HTTP_REFUSED && !call->endpoint->is_loopback);
	*err = *failure;
	return false;
}

/* Until the answer that is wanted has come. */
MUST_CHECK static bool run(struct call *call, struct err *err)
{
	struct err failure = { 0 };
	bool is_done = false;

	if (!aim(call, err))
		return false;
	while (!is_done)
		if (exchange(call, &failure) ? !heed(call, &is_done, err)
					     : !recover(call, &failure, err))
			return false;
	remember_location(call);
	return true;
}

bool endpoint_ask(struct endpoint *endpoint, struct http *http, const struct question *question,
		  char content_digest[HTTP_VALUE_BYTES], struct setback *setback, struct err *err)
{
	CLEANUP(call_freep)
	struct call call = {
		.endpoint = endpoint,
		.http = http,
		.question = question,
		.url = bytes_capped(URL_BYTES_MAX),
		.bytes_before = question->sink->new_bytes,
		.setback = setback,
	};

	*setback = (struct setback){ 0 };
	if (!run(&call, err))
		return false;
	memcpy(content_digest, call.response.content_digest, HTTP_VALUE_BYTES);
	return true;
}
