/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/unicode.h"
#include "core/doc/yaml_field.h"

/* The number at the front of s, with what counts before it; overlong ones wrap, as in Go. */
static uint64_t take_number(pl_str *s, uint64_t value)
{
	while (s->n) {
		size_t k;
		uint32_t c = unicode_at(s->p, s->p + s->n, &k);

		if (!unicode_is_digit(c))
			break;
		value = value * 10 + c - '0';
		s->p += k;
		s->n -= k;
	}
	return value;
}

/* The number of bytes that are the same in both, whole characters only. */
static size_t common(pl_str a, pl_str b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	while (i && i < a.n && i < b.n && ((unsigned char)a.p[i] & 0xc0) == 0x80)
		i--;
	return i;
}

/* Does a digit other than 0 stand in the run of digits that ends at i? */
static bool within_number(pl_str s, size_t i)
{
	while (i) {
		size_t k = i - 1, n;
		uint32_t c;

		while (k && ((unsigned char)s.p[k] & 0xc0) == 0x80)
			k--;
		c = unicode_at(s.p + k, s.p + s.n, &n);
		if (!unicode_is_digit(c))
			return false;
		if (c != '0')
			return true;
		i = k;
	}
	return false;
}

static int sign(bool less)
{
	return less ? -1 : 1;
}

int field_key_cmp(pl_str a, pl_str b)
{
	size_t i = common(a, b), k;
	uint32_t x, y;
	bool x_letter, y_letter;
	uint64_t before, m, n;
	pl_str rest_a = {a.p + i, a.n - i}, rest_b = {b.p + i, b.n - i};

	if (!rest_a.n || !rest_b.n)
		return (rest_a.n > 0) - (rest_b.n > 0);
	x = unicode_at(rest_a.p, a.p + a.n, &k);
	y = unicode_at(rest_b.p, b.p + b.n, &k);
	x_letter = unicode_is_letter(x);
	y_letter = unicode_is_letter(y);
	if (x_letter && y_letter)
		return sign(x < y);
	if (x_letter || y_letter)
		return sign(y_letter);
	before = (x == '0' || y == '0') && within_number(a, i);
	m = take_number(&rest_a, before);
	n = take_number(&rest_b, before);
	if (m != n)
		return sign((int64_t)m < (int64_t)n);
	if (rest_a.p - a.p != rest_b.p - b.p)
		return sign(rest_a.p - a.p < rest_b.p - b.p);
	return sign(x < y);
}
