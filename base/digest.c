#include "digest.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

struct sha256 {
	EVP_MD_CTX *context;
};

bool sha256_new(struct sha256 **out, struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return err_memory(err, "a hash");
	hash->context = EVP_MD_CTX_new();
	if (!hash->context || !EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL))
		return err_memory(err, "a hash");
	*out = ptr_take(&hash);
	return true;
}

void sha256_add(struct sha256 *hash, const void *data, size_t len)
{
	int ok = EVP_DigestUpdate(hash->context, data, len);

	assert(ok);
	(void)ok;
}

struct digest sha256_now(const struct sha256 *hash)
{
	struct digest digest = { 0 };
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	int ok = copy && EVP_MD_CTX_copy_ex(copy, hash->context) &&
		 EVP_DigestFinal_ex(copy, digest.sha256, NULL);

	EVP_MD_CTX_free(copy);
	assert(ok); /* a few hundred bytes of memory; a wrong digest would be an error anyway */
	(void)ok;
	return digest;
}

void sha256_freep(struct sha256 **hash)
{
	if (!*hash)
		return;
	EVP_MD_CTX_free((*hash)->context);
	free(*hash);
	*hash = NULL;
}

struct digest digest_of(const void *data, size_t len)
{
	struct digest digest;

	SHA256(data, len, digest.sha256);
	return digest;
}

/* Source: image-spec descriptor.md: algorithm components of [a-z0-9], encoded [a-zA-Z0-9=_-]. */
static bool is_other_algorithm(struct view text)
{
	struct view encoded = text, algorithm = view_cut(&encoded, ':');

	if (algorithm.len == 0 || encoded.len < 32 || view_equal(algorithm, "sha256"))
		return false;
	for (size_t i = 0; i < algorithm.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789+._-", algorithm.ptr[i]))
			return false;
	return true;
}

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool digest_parse(struct digest *out, struct view text, struct err *err)
{
	struct view hex = view_from(text, strlen("sha256:"));
	struct digest digest;
	int shown = text.len > 100 ? 100 : (int)text.len;

	if (is_other_algorithm(text))
		return err_set(err, ERR_UNSUPPORTED, "digest %.*s: only sha256 is supported", shown,
			       text.ptr);
	if (!view_starts(text, "sha256:") || hex.len != DIGEST_HEX_LEN)
		return err_set(err, ERR_FORMAT, "%.*s is no digest", shown, text.ptr);
	for (size_t i = 0; i < sizeof(digest.sha256); i++) {
		int high = hex_value(hex.ptr[2 * i]), low = hex_value(hex.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_set(err, ERR_FORMAT, "%.*s is no digest", shown, text.ptr);
		digest.sha256[i] = (uint8_t)(high << 4 | low);
	}
	*out = digest;
	return true;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

void digest_hex(const struct digest *digest, char out[DIGEST_HEX_BYTES])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(digest->sha256); i++) {
		out[2 * i] = hex[digest->sha256[i] >> 4];
		out[2 * i + 1] = hex[digest->sha256[i] & 15];
	}
	out[DIGEST_HEX_LEN] = '\0';
}

void digest_text(const struct digest *digest, char out[DIGEST_TEXT_BYTES])
{
	memcpy(out, "sha256:", strlen("sha256:"));
	digest_hex(digest, out + strlen("sha256:"));
}
