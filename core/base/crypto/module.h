/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests and ciphers, a module of its own (modules/crypto.so): libcrypto takes longer to load than most commands take
 * to run, and many of them need no digest. Answers are 1 when all went well.
 */
#ifndef BASE_CRYPTO_MODULE_H
#define BASE_CRYPTO_MODULE_H

#include <stddef.h>
#include <stdint.h>

enum { CRYPTO_KEY = 32, CRYPTO_NONCE = 12, CRYPTO_TAG = 16 };

struct crypto_bytes {
	const void *p;
	size_t n; /* a cipher takes up to INT_MAX */
};

struct crypto_module {
	uint32_t size; /* of this struct */
	/* SHA-256. sha256_end frees h, whatever it answers. */
	void *(*sha256_new)(void);
	int (*sha256_add)(void *h, const void *p, size_t n);
	int (*sha256_end)(void *h, uint8_t *to);
	int (*sha256)(const void *p, size_t n, uint8_t *to);
	/* AES-256-GCM; to has room for as many bytes as text has. */
	int (*encrypt)(const uint8_t *key, const uint8_t *nonce, struct crypto_bytes data, struct crypto_bytes text,
		       uint8_t *to, uint8_t *tag);
	int (*decrypt)(const uint8_t *key, const uint8_t *nonce, const uint8_t *tag, struct crypto_bytes data,
		       struct crypto_bytes cipher, uint8_t *to);
	int (*random)(uint8_t *to, size_t n);
	int (*random_key)(uint8_t *to, size_t n);
	void (*cleanse)(void *p, size_t n);
};

/* The module's one symbol, crypto_module_table(). */
typedef const struct crypto_module *(*crypto_module_fn)(void);

#endif
