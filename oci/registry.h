/* One repository on one registry, by the distribution API: manifests into memory, blobs into
 * their part files. Knows the registry's address, its scheme, and who we are to it.
 *
 * May be used by several threads at once.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "http.h"
#include "image.h"
#include "reference.h"
#include "retry.h"
#include "sink.h"

struct registry;

/* reference, options: options->report and user_agent are borrowed until registry_freep */
MUST_CHECK bool registry_open(struct registry **out, const struct reference *reference,
			      const struct source_options *options, struct err *err);
void registry_freep(struct registry **registry);

/* A connection from the pool, or a new one; give it back for the next to use. */
MUST_CHECK bool registry_take_http(struct registry *registry, struct http **out, struct err *err);
void registry_give_http(struct registry *registry, struct http **http);

/* The manifest or index under a digest (verified) or a tag, as the registry has it; tried again
 * as options->retries says. out's cap bounds it.
 * tag: used when digest is NULL
 * Errors: ERR_NOT_FOUND  no such tag, digest or repository, and which of them
 *         ERR_INTEGRITY  not what digest, or the registry's own digest header, says */
MUST_CHECK bool registry_manifest(struct registry *registry, const char *tag,
				  const struct digest *digest, struct bytes *out, struct err *err);
/* A whole small blob, not yet verified; out's cap bounds it. */
MUST_CHECK bool registry_small_blob(struct registry *registry, const struct digest *digest,
				    struct bytes *out, struct err *err);

/* Where a blob is, beyond the registry itself; one for all threads that fetch it. */
struct location {
	struct digest digest;
	char *const *urls; /* tried in order when the registry does not have it; NULL: none */
	pthread_mutex_t mutex; /* guards all below */
	size_t next_url;
	struct bytes url; /* where the last answer came from, when not from the registry itself */
};

/* One attempt at a blob, or at the range sink asks for. A redirect's target is kept in location
 * and asked first the next time; when it refuses (what is signed expires), the registry is asked
 * anew.
 * setback: written on failure */
MUST_CHECK bool registry_fetch(struct registry *registry, struct http *http,
			       struct location *location, struct sink *sink,
			       const atomic_bool *cancel, struct setback *setback, struct err *err);
