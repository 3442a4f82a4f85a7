/* One host that serves a repository, and who we are to it: a request's way through the host's
 * scheme, its challenges and its redirects.
 *
 * May be used by several threads at once, each with a connection of its own.
 */
#pragma once

#include <stdatomic.h>

#include "base/digest.h"
#include "hosts.h"
#include "http.h"
#include "image.h"
#include "location.h"
#include "reference.h"
#include "retry.h"
#include "sink.h"

struct endpoint;

/* All borrowed until endpoint_freep.
 * number: of the host in the registry's list */
MUST_CHECK bool endpoint_new(struct endpoint **out, const struct host *host, size_t number,
			     const struct reference *reference,
			     const struct source_options *options, struct err *err);
void endpoint_freep(struct endpoint **endpoint);

struct question {
	const char *path; /* below /v2/REPOSITORY/ */
	const char *accept; /* NULL: none */
	struct sink *sink;
	bool is_bulk; /* a blob, see http.h */
	const atomic_bool *cancel; /* or NULL */
	const struct digest *digest; /* that a document in memory must have; NULL: any */
	bool is_manifest; /* the document is JSON, and of the digest that the host claims */
	/* Of a blob, else NULL. A redirect's target is kept there and asked first the next time;
	 * when it refuses (what is signed expires), the host is asked anew. */
	struct location *location;
};

/* Ask once and receive the answer, which is a success (200, 206) or an error.
 * content_digest: as the host's header claims it, "" when it does not
 * setback: written on failure */
MUST_CHECK bool endpoint_ask(struct endpoint *endpoint, struct http *http,
			     const struct question *question, char content_digest[HTTP_VALUE_BYTES],
			     struct setback *setback, struct err *err);
