/* One repository on one registry, by the distribution API: manifests into memory, blobs into
 * their part files, from whichever of the registry's hosts has them.
 *
 * May be used by several threads at once.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "endpoint.h"
#include "http.h"
#include "image.h"
#include "location.h"
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
/* The index of what refers to a digest; empty when the registry does not know of referrers. */
MUST_CHECK bool registry_referrers(struct registry *registry, const struct digest *digest,
				   struct bytes *out, struct err *err);
/* A whole small blob, verified; out's cap bounds it. */
MUST_CHECK bool registry_small_blob(struct registry *registry, const struct digest *digest,
				    struct bytes *out, struct err *err);

/* A blob, all of it thrown away, was not what its digest says: who gave its first bytes is not
 * asked for it again. False: nobody else is left to ask.
 * culprit: host[:port], borrowed */
bool registry_blame(const struct registry *registry, struct location *location,
		    struct view *culprit);

/* One attempt at a blob, or at the range sink asks for, with each host that may have it.
 * setback: written on failure */
MUST_CHECK bool registry_fetch(struct registry *registry, struct http *http,
			       struct location *location, struct sink *sink,
			       const atomic_bool *cancel, struct setback *setback, struct err *err);
