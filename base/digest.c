#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "sha256_pair.h"

/* The state must be in reach to advance two of them at once, so this is OpenSSL's old interface,
 * which is as fast and deprecated for not being FIPS validated. */
struct sha256 {
	SHA256_CTX context;
};

bool sha256_new(struct sha256 **out, struct err *err)
{
	struct sha256 *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return err_memory(err, "a hash");
	SHA256_Init(&hash->context); /* cannot fail, nor can what follows */
	*out = hash;
	return true;
}

void sha256_add(struct sha256 *hash, const void *data, size_t len)
{
	SHA256_Update(&hash->context, data, len);
}

static bool is_between_blocks(const struct sha256 *hash)
{
	return hash->context.num == 0;
}

static void count_blocks(struct sha256 *hash, size_t block_count)
{
	uint64_t bits = (uint64_t)hash->context.Nh << 32 | hash->context.Nl;

	bits += (uint64_t)block_count * SHA256_BLOCK_BYTES * 8;
	hash->context.Nl = (SHA_LONG)bits;
	hash->context.Nh = (SHA_LONG)(bits >> 32);
}

void sha256_add_both(struct sha256 *first, const void *first_data, struct sha256 *second,
		     const void *second_data, size_t len)
{
	size_t block_count = len / SHA256_BLOCK_BYTES, paired = block_count * SHA256_BLOCK_BYTES;

	if (block_count > 0 && is_between_blocks(first) && is_between_blocks(second) &&
	    sha256_pair(first->context.h, first_data, second->context.h, second_data,
			block_count)) {
		count_blocks(first, block_count);
		count_blocks(second, block_count);
	} else {
		paired = 0;
	}
	sha256_add(first, (const uint8_t *)first_data + paired, len - paired);
	sha256_add(second, (const uint8_t *)second_data + paired, len - paired);
}

struct digest sha256_now(const struct sha256 *hash)
{
	SHA256_CTX copy = hash->context;
	struct digest digest;

	SHA256_Final(digest.sha256, &copy);
	return digest;
}

void sha256_freep(struct sha256 **hash)
{
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
