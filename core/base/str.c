/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/str.h"

#include "core/base/mem.h"

#include <ctype.h>

int str_cmp(pl_str a, pl_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(pl_str s, pl_str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(pl_str s, pl_str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

pl_str str_trim(pl_str s)
{
	while (s.n && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_cut(pl_str s, char c, pl_str *head, pl_str *tail)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	if (!at) {
		*head = s;
		*tail = (pl_str){NULL, 0};
		return false;
	}
	*head = (pl_str){s.p, (size_t)(at - s.p)};
	*tail = (pl_str){at + 1, s.n - head->n - 1};
	return true;
}

char *str_dup(pl_str s)
{
	char *p = mem_alloc(s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return p;
}

/* The length of the sequence at p, or 0. Table 3-7 of the Unicode standard. */
static size_t utf8_step(const unsigned char *p, size_t n)
{
	unsigned char c = p[0];
	unsigned char lo = 0x80, hi = 0xBF;
	size_t len;
	if (c < 0x80)
		return 1;
	if (c >= 0xC2 && c <= 0xDF) {
		len = 2;
	} else if (c >= 0xE0 && c <= 0xEF) {
		len = 3;
		lo = c == 0xE0 ? 0xA0 : lo;
		hi = c == 0xED ? 0x9F : hi;
	} else if (c >= 0xF0 && c <= 0xF4) {
		len = 4;
		lo = c == 0xF0 ? 0x90 : lo;
		hi = c == 0xF4 ? 0x8F : hi;
	} else {
		return 0;
	}
	if (n < len || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xBF)
			return 0;
	return len;
}

bool str_utf8(pl_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;
	while (i < s.n) {
		uint64_t eight;
		if (s.n - i >= 8 && (memcpy(&eight, p + i, 8), (eight & 0x8080808080808080u) == 0)) {
			i += 8;
			continue;
		}
		size_t len = utf8_step(p + i, s.n - i);
		if (!len)
			return false;
		i += len;
	}
	return true;
}

enum { NEAREST_MAX = 64 };

/* Damerau-Levenshtein distance (adjacent swaps count one), case aside; texts up to NEAREST_MAX bytes. */
static size_t edits(pl_str a, pl_str b)
{
	size_t row[3][NEAREST_MAX + 1];
	for (size_t j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = row[i % 3], *up = row[(i + 2) % 3], *upup = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			int ca = tolower((unsigned char)a.p[i - 1]), cb = tolower((unsigned char)b.p[j - 1]);
			size_t best = up[j - 1] + (ca != cb);
			best = up[j] + 1 < best ? up[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b.p[j - 2]) &&
			    cb == tolower((unsigned char)a.p[i - 2]) && upup[j - 2] + 1 < best)
				best = upup[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[a.n % 3][b.n];
}

const char *str_nearest(pl_str s, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t least = s.n / 3 + 1;
	if (s.n == 0 || s.n > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		pl_str c = str_of(candidates[i]);
		if (c.n == 0 || c.n > NEAREST_MAX)
			continue;
		size_t d = edits(s, c);
		if (d < c.n && (d < least || (d == least && !best))) {
			least = d;
			best = candidates[i];
		}
	}
	return best;
}

/* FNV-1a with a final mix. */
uint64_t str_hash(pl_str s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h * 0x9E3779B97F4A7C15u;
}
