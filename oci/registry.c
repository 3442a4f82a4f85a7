#include "registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "answer.h"
#include "base/cleanup.h"
#include "base/report.h"
#include "hosts.h"
#include "manifest.h"

enum { IDLE_COUNT_MAX = 32 };

struct registry {
	const struct source_options *options;
	struct hosts hosts;
	struct endpoint **endpoints; /* endpoints[hosts.count], of the hosts in their order */
	pthread_mutex_t mutex; /* guards idle */
	struct http *idle[IDLE_COUNT_MAX];
	size_t idle_count;
};

bool registry_open(struct registry **out, const struct reference *reference,
		   const struct source_options *options, struct err *err)
{
	CLEANUP(registry_freep) struct registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return err_memory(err, "a registry");
	pthread_mutex_init(&registry->mutex, NULL);
	registry->options = options;
	if (!hosts_find(&registry->hosts, reference->registry, options->hosts_dir, err))
		return false;
	registry->endpoints = calloc(registry->hosts.count, sizeof(struct endpoint *));
	if (!registry->endpoints)
		return err_memory(err, "a registry");
	for (size_t i = 0; i < registry->hosts.count; i++)
		if (!endpoint_new(&registry->endpoints[i], &registry->hosts.list[i], reference,
				  options, err))
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
	for (size_t i = 0; (*registry)->endpoints && i < (*registry)->hosts.count; i++)
		endpoint_freep(&(*registry)->endpoints[i]);
	free((*registry)->endpoints);
	hosts_freep(&(*registry)->hosts);
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

/* Would another host do better? Not when it was us who failed. */
static bool is_of_host(const struct err *failure)
{
	return failure->kind != ERR_IO && failure->kind != ERR_SPACE &&
	       failure->kind != ERR_INTERNAL && failure->kind != ERR_NONE;
}

/* What a host must be able to do for a question. */
enum ability { ABILITY_PULL, ABILITY_RESOLVE, ABILITY_REFER };

static bool is_able(const struct host *host, enum ability ability)
{
	switch (ability) {
	case ABILITY_RESOLVE:
		return host->can_resolve;
	case ABILITY_REFER:
		return host->can_refer;
	case ABILITY_PULL:
		break;
	}
	return host->can_pull;
}

/* Should the same host go on where it broke off, before others are asked for all of it again? */
static bool goes_on(const struct sink *sink, uint64_t bytes_before, const struct setback *setback)
{
	return setback->may_pass && sink->new_bytes > bytes_before;
}

/* A mirror that gives something else has not got it. */
MUST_CHECK static bool check_digest(const struct question *question, struct err *err)
{
	const struct bytes *document = question->sink->memory;
	char text[DIGEST_TEXT_BYTES];

	if (!question->digest)
		return true;
	struct digest found = digest_of(document->data, document->len);

	digest_text(&found, text);
	return digest_equal(&found, question->digest) ||
	       err_set(err, ERR_INTEGRITY, "what the registry gives has digest %s", text);
}

/* Ask the hosts in their order, the one that had the blob last before all, until one answers. */
MUST_CHECK static bool ask_hosts(struct registry *registry, struct http *http,
				 const struct question *question, enum ability ability,
				 char content_digest[HTTP_VALUE_BYTES], struct setback *setback,
				 struct err *err)
{
	struct location *location = question->location;
	size_t count = registry->hosts.count, first = location ? location_host(location) : 0;
	struct err failure = { 0 };

	err_set(&failure, ERR_FORMAT, "no host in hosts.toml may be asked for it");
	for (size_t i = 0; i < count + (first > 0); i++) {
		size_t index = first == 0 ? i : i == 0 ? first : i - 1;
		uint64_t bytes_before = question->sink->new_bytes;

		if (!is_able(&registry->hosts.list[index], ability) || (i > 0 && index == first))
			continue;
		if (endpoint_ask(registry->endpoints[index], http, question, content_digest,
				 setback, &failure) &&
		    check_digest(question, &failure)) {
			if (location)
				location_found(location, index);
			return true;
		}
		bool is_cancelled = question->cancel && atomic_load(question->cancel);

		if (is_cancelled || !is_of_host(&failure) ||
		    goes_on(question->sink, bytes_before, setback))
			break;
	}
	*err = failure;
	return false;
}

static void pause_ms(uint64_t wait_ms)
{
	struct timespec wait = { .tv_sec = (time_t)(wait_ms / 1000),
				 .tv_nsec = (long)(wait_ms % 1000) * 1000000 };

	while (nanosleep(&wait, &wait) < 0)
		;
}

struct document_request {
	const char *path;
	enum ability ability;
	const struct digest *wanted; /* NULL: whatever it is */
	struct bytes *body;
	bool is_absent; /* it failed because it is not there */
	char digest[HTTP_VALUE_BYTES]; /* as the registry's header claims it; "" when it does not */
};

/* A small document, tried again while that may help. */
MUST_CHECK static bool get_document(struct registry *registry, struct document_request *request,
				    struct err *err)
{
	CLEANUP(http_freep) struct http *http = NULL;
	struct retry retry = { .max = registry->options->retries, .random = (uint32_t)time(NULL) };
	struct sink sink = { .memory = request->body };
	const struct question question = { .path = request->path,
					   .accept = manifest_media_types,
					   .sink = &sink,
					   .digest = request->wanted };
	struct setback setback = { 0 };
	struct err failure = { 0 };
	uint64_t wait_ms = 0;

	if (!registry_take_http(registry, &http, err))
		return false;
	while (!ask_hosts(registry, http, &question, request->ability, request->digest, &setback,
			  &failure)) {
		if (!retry_next(&retry, &setback, &wait_ms)) {
			request->is_absent = setback.is_absent;
			*err = failure;
			return false;
		}
		report_note(registry->options->report, "trying again: %s", failure.msg);
		pause_ms(wait_ms);
	}
	registry_give_http(registry, &http);
	return true;
}

enum presence { PRESENCE_UNKNOWN, PRESENCE_NONE, PRESENCE_THERE };

/* Is the repository there, when a tag of it is not? Asked only to say so. */
static enum presence find_repository(struct registry *registry)
{
	CLEANUP(bytes_freep) struct bytes body = bytes_capped(MANIFEST_BYTES_MAX);
	struct document_request request = { .path = "tags/list?n=1",
					    .ability = ABILITY_RESOLVE,
					    .body = &body };
	struct err ignored;

	if (get_document(registry, &request, &ignored))
		return PRESENCE_THERE;
	return request.is_absent ? PRESENCE_NONE : PRESENCE_UNKNOWN;
}

MUST_CHECK static bool explain_missing(struct registry *registry, const struct digest *digest,
				       struct err *err)
{
	const char *what = digest ? "digest" : "tag";

	switch (find_repository(registry)) {
	case PRESENCE_THERE:
		return err_set(err, ERR_NOT_FOUND, "no such %s (the repository is there)", what);
	case PRESENCE_NONE:
		return err_set(err, ERR_NOT_FOUND, "no such repository");
	case PRESENCE_UNKNOWN:
		break;
	}
	return err_set(err, ERR_NOT_FOUND, "no such %s, or no such repository", what);
}

/* Whatever the registry says its digest is, the document must have it. */
MUST_CHECK static bool check_claim(struct view document, const char *claimed, struct err *err)
{
	struct digest digest = digest_of(document.ptr, document.len);
	char text[DIGEST_TEXT_BYTES];

	digest_text(&digest, text);
	if (view_starts(view_of(claimed), "sha256:") && strcmp(claimed, text) != 0)
		return err_set(err, ERR_INTEGRITY,
			       "the manifest has digest %s, the registry says %s", text, claimed);
	return true;
}

bool registry_manifest(struct registry *registry, const char *tag, const struct digest *digest,
		       struct bytes *out, struct err *err)
{
	char path[300], text[DIGEST_TEXT_BYTES];
	struct document_request request = {
		.path = path,
		.ability = digest ? ABILITY_PULL : ABILITY_RESOLVE,
		.wanted = digest,
		.body = out,
	};

	if (digest)
		digest_text(digest, text);
	snprintf(path, sizeof(path), "manifests/%s", digest ? text : tag);
	if (get_document(registry, &request, err))
		return check_claim(bytes_view(out), request.digest, err);
	if (request.is_absent)
		return explain_missing(registry, digest, err);
	if (err->kind == ERR_UNSUPPORTED)
		return err_wrap(err, "the manifest");
	return false;
}

static bool knows_referrers(const struct registry *registry)
{
	for (size_t i = 0; i < registry->hosts.count; i++)
		if (registry->hosts.list[i].can_refer)
			return true;
	return false;
}

/* Where a registry does not list referrers, whoever pushes one keeps their index under a tag.
 * Source: OCI distribution-spec, "Referrers Tag Schema" */
MUST_CHECK static bool read_referrers_tag(struct registry *registry, const struct digest *digest,
					  struct bytes *out, struct err *err)
{
	char hex[DIGEST_HEX_BYTES], tag[100];
	struct err failure = { 0 };

	digest_hex(digest, hex);
	snprintf(tag, sizeof(tag), "sha256-%s", hex);
	if (registry_manifest(registry, tag, NULL, out, &failure))
		return true;
	bytes_clear(out); /* of the error's text */
	if (failure.kind == ERR_NOT_FOUND)
		return true;
	*err = failure;
	return false;
}

bool registry_referrers(struct registry *registry, const struct digest *digest, struct bytes *out,
			struct err *err)
{
	char path[300], text[DIGEST_TEXT_BYTES];
	struct document_request request = { .path = path, .ability = ABILITY_REFER, .body = out };
	struct err failure = { 0 };

	digest_text(digest, text);
	snprintf(path, sizeof(path), "referrers/%s", text);
	if (!knows_referrers(registry))
		return read_referrers_tag(registry, digest, out, err);
	if (get_document(registry, &request, &failure))
		return true;
	bytes_clear(out); /* of the error's text */
	if (request.is_absent)
		return read_referrers_tag(registry, digest, out, err);
	*err = failure;
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
	char path[100];
	struct document_request request = { .path = path, .wanted = digest, .body = out };

	blob_path(path, digest);
	return get_document(registry, &request, err);
}

bool registry_fetch(struct registry *registry, struct http *http, struct location *location,
		    struct sink *sink, const atomic_bool *cancel, struct setback *setback,
		    struct err *err)
{
	char path[100];
	CLEANUP(bytes_freep) struct bytes error_body = bytes_capped(ANSWER_BODY_BYTES_MAX);
	const struct question question = {
		.path = path, .sink = sink, .is_bulk = true, .cancel = cancel, .location = location
	};

	blob_path(path, &location->digest);
	sink->memory = &error_body;
	bool is_ok = ask_hosts(registry, http, &question, ABILITY_PULL, NULL, setback, err);

	sink->memory = NULL;
	return is_ok;
}
