/* URLs and hosts, as far as sending a secret only where it belongs needs them. Pure: no I/O. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* host[:port] of an http or https URL; empty when it is neither. */
struct view url_authority(struct view url);

/* Same scheme, host and port (443 and 80 where none is written)? Only then may what proves who we
 * are go along to a redirect's target. */
bool url_same_origin(struct view a, struct view b);

bool url_is_https(struct view url);

/* Is host[:port] this machine: localhost, 127.0.0.0/8 or ::1? */
bool host_is_loopback(struct view authority);

/* Append text for use as a value in a query or a form: all but unreserved bytes as %XX.
 * Source: RFC 3986, 2.3 */
MUST_CHECK bool url_escape(struct bytes *out, struct view text, struct err *err);
