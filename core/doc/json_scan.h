/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of reading and writing JSON: many bytes at a time, never a byte past the end. */
#ifndef DOC_JSON_SCAN_H
#define DOC_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline uint64_t scan_load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Past blanks (only those: line ends are counted by the caller). */
static inline const char *scan_blanks(const char *p, const char *end)
{
	while (end - p >= 8 && scan_load64(p) == 0x2020202020202020u)
		p += 8;
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* Is there a quote, backslash, control character or a byte above 0x7f among the 8? Byte order does not matter. */
static inline uint64_t scan_special64(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';

	return (v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & highs;
}

/* The first quote, backslash, control character or byte above 0x7f, or end. */
static inline const char *scan_string(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');

	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* signed: bytes above 0x7f are negative and so below the blank, too */
		__m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, blank),
					   _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);

		if (mask)
			return p + __builtin_ctz(mask);
		p += 16;
	}
#endif
	while (end - p >= 8 && !scan_special64(scan_load64(p)))
		p += 8;
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < ' ' || c >= 0x80 || c == '"' || c == '\\')
			break;
	}
	return p;
}

/* An upper bound of the bytes up to the closing quote. */
static inline size_t scan_bound(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && *p != '"') {
		p = *p == '\\' ? p + 1 : p;
		p = p < end ? scan_string(p + 1, end) : end;
		while (p < end && (unsigned char)*p >= 0x80)
			p++;
	}
	return (size_t)(p - from);
}

/* The length of the UTF-8 sequence at p; 0 when it is none (RFC 3629: no surrogates, no overlong forms). */
static inline size_t scan_utf8(const char *p, const char *end)
{
	size_t left = (size_t)(end - p), n, i;
	unsigned char c = left ? (unsigned char)*p : 0, second, low = 0x80, high = 0xbf;

	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	second = (unsigned char)p[1];
	if (second < low || second > high)
		return 0;
	for (i = 2; i < n; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static inline int scan_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes c as UTF-8; returns its length, at most 4. */
static inline size_t scan_put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

#endif
