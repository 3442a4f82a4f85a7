#include "sigstore.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/signature.h"
#include "base64.h"
#include "identity.h"
#include "manifest.h"

enum {
	PAYLOAD_BYTES_MAX = 1 << 20,
	KEY_COUNT_MAX = 16,
	SIGNATURE_COUNT_MAX = 64,
	WHY_BYTES = 200,
};

static const char payload_type[] = "application/vnd.dev.cosign.simplesigning.v1+json";
static const char artifact_type[] = "application/vnd.dev.cosign.artifact.sig.v1+json";
static const char bundle_type[] = "application/vnd.dev.sigstore.bundle";

struct check {
	struct registry *registry;
	const struct requirement *requirement;
	const struct reference *reference;
	struct public_key *keys[KEY_COUNT_MAX];
	size_t key_count;
	const struct digest *digest; /* that has to be signed */
	unsigned signature_count; /* looked at so far */
	bool is_signed, has_bundle;
	char why[WHY_BYTES]; /* the last signature was not good enough */
};

static void check_end(struct check *check)
{
	while (check->key_count > 0)
		public_key_freep(&check->keys[--check->key_count]);
}

/* Several PEM blocks one after the other. */
MUST_CHECK static bool read_keys(struct check *check, struct err *err)
{
	static const char begin[] = "-----BEGIN ";
	const char *at = strstr(check->requirement->keys.data, begin);

	if (!at)
		return err_set(err, ERR_UNSUPPORTED, "policy: no public key in PEM form");
	while (at) {
		const char *next = strstr(at + 1, begin);
		struct view pem = { at, next ? (size_t)(next - at) : strlen(at) };

		if (check->key_count == KEY_COUNT_MAX)
			return err_set(err, ERR_UNSUPPORTED, "policy: over %d keys", KEY_COUNT_MAX);
		if (!public_key_new(&check->keys[check->key_count], pem, err)) {
			err->kind = ERR_UNSUPPORTED;
			return err_wrap(err, "policy");
		}
		check->key_count++;
		at = next;
	}
	return true;
}

MUST_CHECK static bool why_not(struct check *check, const char *why)
{
	snprintf(check->why, sizeof(check->why), "%.150s", why);
	return true;
}

/* What was signed says whose signature it is: all three of type, digest and name have to fit. */
MUST_CHECK static bool check_payload(struct check *check, struct view payload, struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *critical = NULL, *image = NULL, *identity = NULL;
	const char *type = NULL, *digest = NULL, *name = NULL;
	struct digest signed_digest;
	struct err malformed;
	bool is_match = false;

	if (!json_parse(&json, payload, &malformed) ||
	    !json_need_object(json, "critical", &critical, &malformed) ||
	    !json_need_string(critical, "type", &type, &malformed) ||
	    !json_need_object(critical, "image", &image, &malformed) ||
	    !json_need_string(image, "docker-manifest-digest", &digest, &malformed) ||
	    !digest_parse(&signed_digest, view_of(digest), &malformed) ||
	    !json_need_object(critical, "identity", &identity, &malformed) ||
	    !json_need_string(identity, "docker-reference", &name, &malformed))
		return why_not(check, malformed.msg);
	if (strcmp(type, "cosign container image signature") != 0)
		return why_not(check, "it signs something else than an image");
	if (!digest_equal(&signed_digest, check->digest))
		return why_not(check, "it signs another digest");
	if (!identity_matches(&is_match, check->requirement->identity, check->reference, name, err))
		return err_wrap(err, "policy");
	if (!is_match) {
		snprintf(check->why, sizeof(check->why), "it was made for '%.100s'", name);
		return true;
	}
	check->is_signed = true;
	return true;
}

static bool is_by_a_key(const struct check *check, struct view signature, struct view payload)
{
	for (size_t i = 0; i < check->key_count; i++)
		if (public_key_verify(check->keys[i], signature, payload))
			return true;
	return false;
}

/* One layer of a signature's manifest: the payload, with the signature in an annotation. */
MUST_CHECK static bool check_layer(struct check *check, const struct json_t *layer, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes payload = bytes_capped(PAYLOAD_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes signature = bytes_capped(PAYLOAD_BYTES_MAX);
	const struct json_t *annotations = NULL;
	const char *type = NULL, *text = NULL, *encoded = NULL;
	struct digest digest;
	struct err malformed, failure = { 0 };

	if (++check->signature_count > SIGNATURE_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "over %d signatures", SIGNATURE_COUNT_MAX);
	if (!json_need_string(layer, "mediaType", &type, &malformed) ||
	    !json_need_string(layer, "digest", &text, &malformed) ||
	    !digest_parse(&digest, view_of(text), &malformed) ||
	    !json_need_object(layer, "annotations", &annotations, &malformed) ||
	    !json_need_string(annotations, "dev.cosignproject.cosign/signature", &encoded,
			      &malformed) ||
	    !base64_decode(&signature, view_of(encoded), &malformed))
		return why_not(check, malformed.msg);
	if (strcmp(type, payload_type) != 0)
		return why_not(check, "it is of another media type");
	if (!registry_small_blob(check->registry, &digest, &payload, &failure)) {
		if (failure.kind == ERR_INTEGRITY)
			return why_not(check, "its payload has another digest");
		*err = failure;
		return false;
	}
	if (!is_by_a_key(check, bytes_view(&signature), bytes_view(&payload)))
		return why_not(check, "it is by another key");
	return check_payload(check, bytes_view(&payload), err);
}

MUST_CHECK static bool check_manifest(struct check *check, struct view text, struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *layers = NULL;
	struct err malformed;

	if (!json_parse(&json, text, &malformed) ||
	    !json_need_array(json, "layers", &layers, &malformed))
		return why_not(check, malformed.msg);
	for (size_t i = 0; i < json_count(layers) && !check->is_signed; i++)
		if (!check_layer(check, json_item(layers, i), err))
			return false;
	return true;
}

/* cosign's usual place: the tag sha256-HEX.sig. */
MUST_CHECK static bool check_tag(struct check *check, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	char hex[DIGEST_HEX_BYTES], tag[100];
	struct err failure = { 0 };

	digest_hex(check->digest, hex);
	snprintf(tag, sizeof(tag), "sha256-%s.sig", hex);
	if (registry_manifest(check->registry, tag, NULL, &text, &failure))
		return check_manifest(check, bytes_view(&text), err);
	if (failure.kind == ERR_NOT_FOUND)
		return true;
	*err = failure;
	return false;
}

MUST_CHECK static bool check_referrer(struct check *check, const struct json_t *entry,
				      struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	const char *type = NULL, *digest_text_ = NULL;
	struct digest digest;
	struct err malformed;

	if (!json_want_string(entry, "artifactType", &type, &malformed) || !type)
		return true;
	if (view_starts(view_of(type), bundle_type))
		check->has_bundle = true;
	if (strcmp(type, artifact_type) != 0)
		return true;
	if (!json_need_string(entry, "digest", &digest_text_, &malformed) ||
	    !digest_parse(&digest, view_of(digest_text_), &malformed))
		return why_not(check, malformed.msg);
	return registry_manifest(check->registry, NULL, &digest, &text, err) &&
	       check_manifest(check, bytes_view(&text), err);
}

/* The newer place: what the registry lists as referring to the digest. */
MUST_CHECK static bool check_referrers(struct check *check, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(MANIFEST_BYTES_MAX);
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *manifests = NULL;
	struct err malformed;

	if (!registry_referrers(check->registry, check->digest, &text, err))
		return false;
	if (text.len == 0)
		return true;
	if (!json_parse(&json, bytes_view(&text), &malformed) ||
	    !json_want_array(json, "manifests", &manifests, &malformed))
		return why_not(check, malformed.msg);
	for (size_t i = 0; i < json_count(manifests) && !check->is_signed; i++)
		if (!check_referrer(check, json_item(manifests, i), err))
			return false;
	return true;
}

bool sigstore_check(struct registry *registry, const struct requirement *requirement,
		    const struct reference *reference, const struct digest *digests,
		    size_t digest_count, struct err *err)
{
	CLEANUP(check_end)
	struct check check = {
		.registry = registry,
		.requirement = requirement,
		.reference = reference,
	};

	if (!read_keys(&check, err))
		return false;
	for (size_t i = 0; i < digest_count && !check.is_signed; i++) {
		check.digest = &digests[i];
		if (!check_tag(&check, err) || (!check.is_signed && !check_referrers(&check, err)))
			return false;
	}
	if (check.is_signed)
		return true;
	if (check.why[0])
		return err_set(err, ERR_INTEGRITY, "no signature satisfies the policy: %s",
			       check.why);
	if (check.has_bundle)
		return err_set(err, ERR_UNSUPPORTED,
			       "it is signed by a sigstore bundle, the policy "
			       "wants a signature by key");
	return err_set(err, ERR_INTEGRITY, "it is not signed, and the policy wants a signature");
}
