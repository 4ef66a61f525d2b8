/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/hash.h"

#include "core/base/crypto.h"
#include "core/base/err.h"

/* libcrypto's own failures here mean no memory or a broken build: neither can be handled by a caller. */
static void must(int ok)
{
	if (ok != 1)
		BUG("SHA-256 failed");
}

struct hash *hash_new(void)
{
	void *h = crypto_get()->sha256_new();
	must(h != NULL);
	return h;
}

void hash_add(struct hash *h, pl_str bytes)
{
	if (bytes.n)
		must(crypto_get()->sha256_add(h, bytes.p, bytes.n));
}

void hash_add_field(struct hash *h, pl_str bytes)
{
	uint64_t n = bytes.n;
	char len[8];
	for (int i = 0; i < 8; i++)
		len[i] = (char)(unsigned char)(n >> (8 * i));
	hash_add(h, (pl_str){len, 8});
	hash_add(h, bytes);
}

void hash_end(struct hash *h, uint8_t out[HASH_SIZE])
{
	must(crypto_get()->sha256_end(h, out));
}

void hash_of(pl_str bytes, uint8_t out[HASH_SIZE])
{
	must(crypto_get()->sha256(bytes.n ? bytes.p : "", bytes.n, out));
}

void hash_hex(const uint8_t in[HASH_SIZE], char to[HASH_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < HASH_SIZE; i++) {
		to[2 * i] = digits[in[i] >> 4];
		to[2 * i + 1] = digits[in[i] & 15];
	}
	to[2 * HASH_SIZE] = 0;
}
