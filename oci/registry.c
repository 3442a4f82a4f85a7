#include "registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "answer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "hosts.h"
#include "manifest.h"
#include "url.h"

enum { IDLE_COUNT_MAX = 32 };

struct registry {
	const struct source_options *options;
	struct hosts hosts;
	struct endpoint **endpoints; /* endpoints[hosts.count], of the hosts in their order */
	pthread_mutex_t mutex; /* guards all below */
	struct err *told; /* told[hosts.count]: each host's last failure that was noted */
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
	registry->told = calloc(registry->hosts.count, sizeof(*registry->told));
	if (!registry->endpoints || !registry->told)
		return err_memory(err, "a registry");
	for (size_t i = 0; i < registry->hosts.count; i++)
		if (!endpoint_new(&registry->endpoints[i], &registry->hosts.list[i], i, reference,
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
	free((*registry)->told);
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

/* Whatever the host says the manifest's digest is, the document must have it. */
MUST_CHECK static bool check_claim(const struct digest *found, const char *claimed, struct err *err)
{
	char text[DIGEST_TEXT_BYTES];

	digest_text(found, text);
	if (view_starts(view_of(claimed), "sha256:") && strcmp(claimed, text) != 0)
		return err_set(err, ERR_INTEGRITY,
			       "the manifest has digest %s, the registry says %s", text, claimed);
	return true;
}

MUST_CHECK static bool check_document(const struct question *question, const char *claimed,
				      struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	struct view document = bytes_view(question->sink->memory);
	struct digest found = digest_of(document.ptr, document.len);
	char text[DIGEST_TEXT_BYTES];

	digest_text(&found, text);
	if (question->digest && !digest_equal(&found, question->digest))
		return err_set(err, ERR_INTEGRITY, "what the registry gives has digest %s", text);
	if (!question->is_manifest)
		return true;
	return check_claim(&found, claimed, err) &&
	       (json_parse(&json, document, err) || err_wrap(err, "manifest"));
}

/* An answer may end early and be called whole. */
MUST_CHECK static bool check_blob(const struct question *question, uint64_t bytes_before,
				  struct setback *setback, struct err *err)
{
	const struct sink *sink = question->sink;

	if (sink->new_bytes > bytes_before || part_missing_bytes(sink->part) == 0)
		return true;
	setback->may_pass = true;
	return err_set(err, ERR_INTEGRITY,
		       "the server's blob ends after %llu bytes, the manifest says %llu",
		       (unsigned long long)sink->position,
		       (unsigned long long)part_size_bytes(sink->part));
}

/* One host's answer. One that gives something else than what was asked for has not got it. */
MUST_CHECK static bool ask_host(struct registry *registry, size_t index, struct http *http,
				const struct question *question, struct setback *setback,
				struct err *err)
{
	char claimed[HTTP_VALUE_BYTES] = "";
	uint64_t bytes_before = question->sink->new_bytes;

	if (!endpoint_ask(registry->endpoints[index], http, question, claimed, setback, err))
		return false;
	return question->sink->part ? check_blob(question, bytes_before, setback, err)
				    : check_document(question, claimed, err);
}

/* That the next host is asked because this one failed: once, however many requests it fails. That
 * a mirror does not have something is as it should be. */
static void note_failure(struct registry *registry, size_t index, const struct setback *setback,
			 const struct err *failure)
{
	pthread_mutex_lock(&registry->mutex);
	bool is_new = !setback->is_absent && strcmp(registry->told[index].msg, failure->msg) != 0;

	if (is_new)
		registry->told[index] = *failure;
	pthread_mutex_unlock(&registry->mutex);
	if (is_new)
		report_note(registry->options->report, "asking the next host: %s", failure->msg);
}

static bool may_ask(const struct registry *registry, const struct question *question, size_t index,
		    enum ability ability)
{
	return is_able(&registry->hosts.list[index], ability) &&
	       !(question->location && location_bars(question->location, index));
}

/* Is it over, whatever other hosts there are? */
static bool is_final(const struct question *question, uint64_t bytes_before,
		     const struct setback *setback, const struct err *failure)
{
	return (question->cancel && atomic_load(question->cancel)) || !is_of_host(failure) ||
	       goes_on(question->sink, bytes_before, setback);
}

/* Ask the hosts in their order, the one that had the blob last before all, until one answers. */
MUST_CHECK static bool ask_hosts(struct registry *registry, struct http *http,
				 const struct question *question, enum ability ability,
				 struct setback *setback, struct err *err)
{
	struct location *location = question->location;
	size_t count = registry->hosts.count, first = location ? location_host(location) : 0;
	size_t asked = count;
	struct err failure = { 0 };

	err_set(&failure, ERR_FORMAT, "no host in hosts.toml may be asked for it");
	for (size_t i = 0; i < count + (first > 0); i++) {
		size_t index = first == 0 ? i : i == 0 ? first : i - 1;
		uint64_t bytes_before = question->sink->new_bytes;

		if (!may_ask(registry, question, index, ability) || (i > 0 && index == first))
			continue;
		if (asked < count)
			note_failure(registry, asked, setback, &failure);
		asked = index;
		if (ask_host(registry, index, http, question, setback, &failure)) {
			if (location)
				location_found(location, index);
			return true;
		}
		if (is_final(question, bytes_before, setback, &failure))
			break;
	}
	*err = failure;
	return false;
}

bool registry_blame(const struct registry *registry, struct location *location,
		    struct view *culprit)
{
	size_t giver = 0;

	if (!location_blame(location, &giver))
		return false;
	if (giver >= GIVER_URL_FIRST) {
		*culprit = url_authority(view_of(location->urls[giver - GIVER_URL_FIRST]));
		return location_open_urls(location) > 0;
	}
	*culprit = url_authority(view_of(registry->hosts.list[giver].base_url));
	for (size_t i = 0; i < registry->hosts.count; i++)
		if (registry->hosts.list[i].can_pull && !location_bars(location, i))
			return true;
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
	bool is_manifest;
	bool is_absent; /* it failed because it is not there */
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
					   .digest = request->wanted,
					   .is_manifest = request->is_manifest };
	struct setback setback = { 0 };
	struct err failure = { 0 };
	uint64_t wait_ms = 0;

	if (!registry_take_http(registry, &http, err))
		return false;
	while (!ask_hosts(registry, http, &question, request->ability, &setback, &failure)) {
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

bool registry_manifest(struct registry *registry, const char *tag, const struct digest *digest,
		       struct bytes *out, struct err *err)
{
	char path[300], text[DIGEST_TEXT_BYTES];
	struct document_request request = {
		.path = path,
		.ability = digest ? ABILITY_PULL : ABILITY_RESOLVE,
		.wanted = digest,
		.body = out,
		.is_manifest = true,
	};

	if (digest)
		digest_text(digest, text);
	snprintf(path, sizeof(path), "manifests/%s", digest ? text : tag);
	if (get_document(registry, &request, err))
		return true;
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
	bool is_ok = ask_hosts(registry, http, &question, ABILITY_PULL, setback, err);

	sink->memory = NULL;
	return is_ok;
}
