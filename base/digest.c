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

/* How many of len bytes are missing to the end of the block that was begun. */
static size_t to_boundary(const struct sha256 *hash, size_t len)
{
	size_t missing = -(size_t)hash->context.num % SHA256_BLOCK_BYTES;

	return missing < len ? missing : len;
}

static void count_blocks(struct sha256 *hash, size_t block_count)
{
	uint64_t bits = (uint64_t)hash->context.Nh << 32 | hash->context.Nl;

	bits += (uint64_t)block_count * SHA256_BLOCK_BYTES * 8;
	hash->context.Nl = (SHA_LONG)bits;
	hash->context.Nh = (SHA_LONG)(bits >> 32);
}

/* Pieces end anywhere, so each hash first ends its own block; what is left over at the end is less
 * than two blocks. */
void sha256_add_both(struct sha256 *first, const void *first_data, struct sha256 *second,
		     const void *second_data, size_t len)
{
	const uint8_t *a = first_data, *b = second_data;
	size_t a_start = to_boundary(first, len), b_start = to_boundary(second, len);
	size_t start = a_start > b_start ? a_start : b_start;
	size_t block_count = (len - start) / SHA256_BLOCK_BYTES;
	size_t paired = block_count * SHA256_BLOCK_BYTES;

	sha256_add(first, a, a_start);
	sha256_add(second, b, b_start);
	if (block_count > 0 && sha256_pair(first->context.h, a + a_start, second->context.h,
					   b + b_start, block_count)) {
		count_blocks(first, block_count);
		count_blocks(second, block_count);
	} else {
		paired = 0;
	}
	sha256_add(first, a + a_start + paired, len - a_start - paired);
	sha256_add(second, b + b_start + paired, len - b_start - paired);
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

void digest_uuid(const struct digest *digest, uint8_t out[DIGEST_UUID_BYTES])
{
	memcpy(out, digest->sha256, DIGEST_UUID_BYTES);
	out[6] = (out[6] & 0x0f) | 0x80;
	out[8] = (out[8] & 0x3f) | 0x80;
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
