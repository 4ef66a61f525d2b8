/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), by OpenSSL's libcrypto (core/base/crypto.h): content identity, render keys. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "core/base/str.h"

#define HASH_SIZE 32
#define HASH_TEXT 65 /* lower-case hex and a NUL */

struct hash; /* one running digest */

struct hash *hash_new(void);
void hash_add(struct hash *h, pl_str bytes);
void hash_add_field(struct hash *h, pl_str bytes);     /* length first, so that fields can't run together */
void hash_end(struct hash *h, uint8_t out[HASH_SIZE]); /* frees h */
void hash_of(pl_str bytes, uint8_t out[HASH_SIZE]);
void hash_hex(const uint8_t in[HASH_SIZE], char to[HASH_TEXT]);

#endif
