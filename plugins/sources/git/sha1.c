/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-1 (RFC 2104, FIPS 180-4), only because OpenSSH hides host names in known_hosts by it. */
#include "git.h"

#include <string.h>

#define BLOCK 64
#define OUT   20

struct sha1 {
	uint32_t h[5];
	uint64_t bytes;
	uint8_t block[BLOCK];
};

static uint32_t rol(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void one_block(struct sha1 *s)
{
	static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
	uint32_t w[80], a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];
	for (unsigned i = 0; i < 16; i++)
		w[i] = (uint32_t)s->block[i * 4] << 24 | (uint32_t)s->block[i * 4 + 1] << 16 |
		       (uint32_t)s->block[i * 4 + 2] << 8 | s->block[i * 4 + 3];
	for (unsigned i = 16; i < 80; i++)
		w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (unsigned i = 0; i < 80; i++) {
		uint32_t choose = (b & c) | (~b & d), parity = b ^ c ^ d, most = (b & c) | (b & d) | (c & d);
		uint32_t f = i < 20 ? choose : i >= 40 && i < 60 ? most : parity;
		uint32_t t = rol(a, 5) + f + e + k[i / 20] + w[i];
		e = d;
		d = c;
		c = rol(b, 30);
		b = a;
		a = t;
	}
	s->h[0] += a;
	s->h[1] += b;
	s->h[2] += c;
	s->h[3] += d;
	s->h[4] += e;
}

static void begin(struct sha1 *s)
{
	*s = (struct sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

static void add(struct sha1 *s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->block[s->bytes++ % BLOCK] = p[i];
		if (s->bytes % BLOCK == 0)
			one_block(s);
	}
}

static void end(struct sha1 *s, uint8_t out[OUT])
{
	static const uint8_t one = 0x80, zero = 0;
	uint64_t bits = s->bytes * 8;
	add(s, &one, 1);
	while (s->bytes % BLOCK != BLOCK - 8)
		add(s, &zero, 1);
	uint8_t length[8];
	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	add(s, length, 8);
	for (unsigned i = 0; i < OUT; i++)
		out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void git_hmac_sha1(const uint8_t *key, size_t key_len, const uint8_t *text, size_t n, uint8_t out[20])
{
	struct sha1 s;
	uint8_t pad[BLOCK] = {0}, inner[OUT];
	if (key_len > BLOCK) {
		begin(&s);
		add(&s, key, key_len);
		end(&s, pad);
	} else {
		memcpy(pad, key, key_len);
	}
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	begin(&s);
	add(&s, pad, BLOCK);
	add(&s, text, n);
	end(&s, inner);
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	begin(&s);
	add(&s, pad, BLOCK);
	add(&s, inner, OUT);
	end(&s, out);
}
