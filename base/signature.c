#include "signature.h"

#include <limits.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "cleanup.h"

struct public_key {
	EVP_PKEY *key;
};

static void bio_freep(BIO **bio)
{
	BIO_free(*bio);
}

static void context_freep(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* Nobody is there to ask for a passphrase. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context)
{
	(void)buffer, (void)size, (void)is_writing, (void)context;
	return -1;
}

bool public_key_new(struct public_key **out, struct view pem, struct err *err)
{
	CLEANUP(public_key_freep) struct public_key *key = calloc(1, sizeof(*key));
	int len = pem.len > INT_MAX ? 0 : (int)pem.len;
	CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, len);

	if (!key || !bio)
		return err_memory(err, "a public key");
	key->key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	if (!key->key)
		return err_set(err, ERR_FORMAT, "no public key in PEM form");
	int kind = EVP_PKEY_get_base_id(key->key);

	if (kind != EVP_PKEY_EC && kind != EVP_PKEY_RSA && kind != EVP_PKEY_ED25519)
		return err_set(err, ERR_UNSUPPORTED,
			       "a public key of another kind than ECDSA, RSA, Ed25519");
	*out = ptr_take(&key);
	return true;
}

void public_key_freep(struct public_key **key)
{
	if (!*key)
		return;
	EVP_PKEY_free((*key)->key);
	free(*key);
	*key = NULL;
}

bool public_key_verify(const struct public_key *key, struct view signature, struct view bytes)
{
	CLEANUP(context_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_ed25519 = EVP_PKEY_get_base_id(key->key) == EVP_PKEY_ED25519;

	return context && signature.len > 0 &&
	       EVP_DigestVerifyInit(context, NULL, is_ed25519 ? NULL : EVP_sha256(), NULL,
				    key->key) == 1 &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
				(const unsigned char *)bytes.ptr, bytes.len) == 1;
}
