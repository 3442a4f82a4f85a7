/* Who we are to one registry: the proof that its challenges ask for, made once, shared by all
 * threads that fetch from there, renewed when it expires.
 *
 * Secrets stay in here and in the Authorization header; no sentence ever holds one.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "http.h"
#include "image.h"
#include "retry.h"

struct auth;

/* registry: "docker.io"; repository: "library/debian"; both copied. Credentials are looked for when
 * the first challenge comes.
 * is_registry: it is the registry that the user named, not a mirror of it: --creds are for it alone
 * allows_plain: tokens may be asked for over plain HTTP off this machine
 * options: borrowed until auth_freep */
MUST_CHECK bool auth_new(struct auth **out, const char *registry, const char *repository,
			 bool is_registry, bool allows_plain,
			 const struct source_options *options, struct err *err);
void auth_freep(struct auth **auth);

/* The value of the Authorization header as things stand, appended to out; nothing when there is
 * none. *generation says which one it was. */
MUST_CHECK bool auth_value(struct auth *auth, struct bytes *out, uint64_t *generation,
			   struct err *err);

/* After a 401: meet its challenge.
 * host:       that gave it
 * generation: of the value that was refused; when another thread has renewed it since, nothing is
 *             done
 * Errors: ERR_AUTH     nothing we have would do, or the token server refuses
 *         ERR_NETWORK  the token server is not reached; *setback says whether that may pass
 * Source: distribution "token authentication"; RFC 6750 */
MUST_CHECK bool auth_renew(struct auth *auth, struct http *http, const struct host *host,
			   const struct http_response *refusal, uint64_t generation,
			   struct setback *setback, struct err *err);
