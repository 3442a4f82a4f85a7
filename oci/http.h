/* One HTTP exchange at a time, by libcurl: its only user in the house.
 *
 * The process must ignore SIGPIPE: a peer that goes away under TLS would end it.
 * No policy lives here: redirects are not followed, answers of any status are answers, nothing is
 * tried twice. What a request carries goes to its URL's host and nowhere else.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct host;
struct sink;

struct http; /* a connection and its memory; used by one thread at a time, kept for the next */

MUST_CHECK bool http_new(struct http **out, const char *user_agent, struct err *err);
void http_freep(struct http **http);

/* The file of the authorities that are trusted where nothing else is said: SSL_CERT_FILE, as
 * OpenSSL's and Go's programs have it, or the system's. NULL: unknown. */
const char *http_system_authorities(void);

enum { HTTP_VALUE_BYTES = 256, HTTP_HEADERS_BYTES_MAX = 256 << 10 };

struct http_request {
	const char *url; /* http or https */
	const char *accept; /* NULL: none */
	const char *authorization; /* the header's value; NULL: none */
	const struct host *host; /* whose headers and client certificate go along; NULL: none */
	const struct host *trust; /* whose authorities and skip_verify count; NULL: the system's */
	const char *form; /* POST this application/x-www-form-urlencoded body; NULL: GET */
	bool is_ranged; /* ask for bytes first to last, both inclusive */
	uint64_t first, last;
	bool is_bulk; /* a blob: HTTP/1.1, so that ranges do not share one connection */
	struct sink *sink; /* where the body goes */
	const atomic_bool *cancel; /* NULL, or: give up soon after it becomes true */
};

struct http_response {
	unsigned status;
	char content_type[HTTP_VALUE_BYTES];
	char content_digest[HTTP_VALUE_BYTES]; /* Docker-Content-Digest; "" when none */
	struct bytes challenges; /* the values of WWW-Authenticate, joined by ", "; owned */
	struct bytes redirect_url; /* absolute; empty when it is no redirect; owned */
	bool has_length;
	uint64_t length_bytes; /* Content-Length */
	bool has_range; /* a well-formed Content-Range "bytes first-last/total" */
	uint64_t range_first, range_last, range_total;
	uint64_t retry_after_seconds; /* 0 when not given */
};
void http_response_freep(struct http_response *response);

/* Why the last exchange failed, for who decides on trying again. */
enum http_failure {
	HTTP_DONE,
	HTTP_BROKEN, /* not reached, reset, stalled, cut: may pass */
	HTTP_REFUSED, /* nobody listens there */
	HTTP_NOT_TLS, /* the peer answered https, but with something that is not TLS */
	HTTP_UNTRUSTED, /* its certificate, or TLS itself, is not acceptable */
	HTTP_CANCELLED,
	HTTP_LOCAL, /* the sink refused the body, or we failed */
};
enum http_failure http_failure_of(const struct http *http);

/* Ask and receive the whole answer. True for any status that comes.
 * Errors: ERR_NETWORK with the host named; what the sink says */
MUST_CHECK bool http_perform(struct http *http, const struct http_request *request,
			     struct http_response *response, struct err *err);
