/* Which images may be used at all: the containers policy.json.
 *
 * What is not understood is refused, never passed over: a policy is a promise.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "image.h"
#include "reference.h"

struct policy;
struct json_t;

enum requirement_kind { REQUIREMENT_ACCEPT, REQUIREMENT_REJECT, REQUIREMENT_SIGNED };

struct requirement {
	enum requirement_kind kind;
	struct bytes keys; /* REQUIREMENT_SIGNED: PEM files, one after the other; owned */
	const struct json_t *identity; /* "signedIdentity", or NULL; borrowed from the policy */
};
void requirement_freep(struct requirement *requirement);

/* options->policy_file, else ~/.config/containers/policy.json (whatever XDG_CONFIG_HOME says, as
 * for podman), else /etc/containers/policy.json. None: *out stays NULL, which accepts everything.
 * Errors: ERR_NOT_FOUND    the file that was named
 *         ERR_UNSUPPORTED  it is malformed */
MUST_CHECK bool policy_load(struct policy **out, const struct source_options *options,
			    struct err *err);
MUST_CHECK bool policy_parse(struct policy **out, struct view text, struct err *err);
void policy_freep(struct policy **policy);

/* The requirements on an image, all of which have to hold: those of the narrowest scope there is.
 * Source: containers-policy.json(5), "Policy requirements" and the scopes of each transport */
size_t policy_count(const struct policy *policy, const struct reference *reference);
/* Errors: ERR_UNSUPPORTED  signedBy, fulcio, pki, rekor, and what is malformed or unknown
 *         ERR_NOT_FOUND    a key's file */
MUST_CHECK bool policy_requirement(const struct policy *policy, const struct reference *reference,
				   size_t index, struct requirement *out, struct err *err);
