/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crypto/module.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static void *sha256_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1)
		return c;
	EVP_MD_CTX_free(c);
	return NULL;
}

static int sha256_add(void *h, const void *p, size_t n)
{
	return EVP_DigestUpdate(h, p, n) == 1;
}

static int sha256_end(void *h, uint8_t *to)
{
	int ok = EVP_DigestFinal_ex(h, to, NULL) == 1;
	EVP_MD_CTX_free(h);
	return ok;
}

static int sha256(const void *p, size_t n, uint8_t *to)
{
	return EVP_Digest(p, n, to, NULL, EVP_sha256(), NULL) == 1;
}

static int encrypt(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes data, struct crypto_bytes text,
		   uint8_t *to, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	int ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		 EVP_EncryptUpdate(c, NULL, &n, data.p, (int)data.n) == 1 &&
		 (text.n == 0 || EVP_EncryptUpdate(c, to, &n, text.p, (int)text.n) == 1) &&
		 EVP_EncryptFinal_ex(c, to + text.n, &n) == 1 &&
		 EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, CRYPTO_TAG, tag) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static int decrypt(const uint8_t *key, const uint8_t *nonce, const uint8_t *tag, struct crypto_bytes data,
		   struct crypto_bytes cipher, uint8_t *to)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t expected[CRYPTO_TAG]; /* the call takes it as mutable */
	int n = 0;
	for (int i = 0; i < CRYPTO_TAG; i++)
		expected[i] = tag[i];
	int ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		 EVP_DecryptUpdate(c, NULL, &n, data.p, (int)data.n) == 1 &&
		 (cipher.n == 0 || EVP_DecryptUpdate(c, to, &n, cipher.p, (int)cipher.n) == 1) &&
		 EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, CRYPTO_TAG, expected) == 1 &&
		 EVP_DecryptFinal_ex(c, to + cipher.n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

static int random_bytes(uint8_t *to, size_t n)
{
	return RAND_bytes(to, (int)n) == 1;
}

static int random_key(uint8_t *to, size_t n)
{
	return RAND_priv_bytes(to, (int)n) == 1;
}

static const struct crypto_module table = {
	.size = sizeof table,
	.sha256_new = sha256_new,
	.sha256_add = sha256_add,
	.sha256_end = sha256_end,
	.sha256 = sha256,
	.encrypt = encrypt,
	.decrypt = decrypt,
	.random = random_bytes,
	.random_key = random_key,
	.cleanse = OPENSSL_cleanse,
};

__attribute__((visibility("default"))) const struct crypto_module *crypto_module_table(void);

const struct crypto_module *crypto_module_table(void)
{
	return &table;
}
