/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers by their text. A value is sign, decimal digits and a power of ten; nothing passes through a double, so that
 * equality and digests are exact for any length.
 */
#include "core/doc/node.h"

#include "core/base/mem.h"

#include <math.h>

/* Longer hexadecimal (octal, binary) numbers than this are not read: turning them into decimals takes quadratic time.
 */
enum { RADIX_DIGITS = 1024 };
/* So many bits are turned at once: with a limb below 2^30 in front of them they fit 64, and the carry fits a limb. */
enum { CHUNK_BITS = 28 };
/* Exponents of more digits can't be added to; such numbers are compared by their text. */
enum { EXPONENT_DIGITS = 18 };

enum form { FORM_BAD, FORM_DECIMAL, FORM_RADIX, FORM_INFINITE, FORM_NAN };

struct number {
	enum form form;
	bool negative;
	unsigned bits; /* of one digit, FORM_RADIX */
	pl_str whole;  /* digits before the dot; all digits of FORM_RADIX */
	pl_str part;   /* digits behind the dot */
	bool dot;
	pl_str exponent;  /* with its sign; empty when there is none */
	struct buf clean; /* the text without underscores, when it had any */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static pl_str take_digits(pl_str *s)
{
	pl_str d = {s->p, 0};

	while (s->n && is_digit(*s->p)) {
		s->p++;
		s->n--;
		d.n++;
	}
	return d;
}

static pl_str without_zeros(pl_str digits)
{
	while (digits.n && *digits.p == '0') {
		digits.p++;
		digits.n--;
	}
	return digits;
}

bool number_is_json(pl_str s)
{
	pl_str whole;

	if (s.n && *s.p == '-')
		s = (pl_str){s.p + 1, s.n - 1};
	whole = take_digits(&s);
	if (whole.n == 0 || (whole.n > 1 && *whole.p == '0'))
		return false;
	if (s.n && *s.p == '.') {
		s = (pl_str){s.p + 1, s.n - 1};
		if (take_digits(&s).n == 0)
			return false;
	}
	if (s.n && (*s.p | 0x20) == 'e') {
		s = (pl_str){s.p + 1, s.n - 1};
		if (s.n && (*s.p == '+' || *s.p == '-'))
			s = (pl_str){s.p + 1, s.n - 1};
		if (take_digits(&s).n == 0)
			return false;
	}
	return s.n == 0;
}

static bool read_decimal(struct number *x, pl_str s)
{
	x->whole = take_digits(&s);
	if (s.n && *s.p == '.') {
		x->dot = true;
		s = (pl_str){s.p + 1, s.n - 1};
		x->part = take_digits(&s);
	}
	if (x->whole.n + x->part.n == 0)
		return false;
	if (s.n && (*s.p | 0x20) == 'e') {
		size_t sign;

		x->exponent = s = (pl_str){s.p + 1, s.n - 1};
		sign = s.n && (*s.p == '+' || *s.p == '-');
		s = (pl_str){s.p + sign, s.n - sign};
		if (take_digits(&s).n == 0)
			return false;
	}
	x->form = FORM_DECIMAL;
	return s.n == 0;
}

static bool read_radix(struct number *x, unsigned bits, pl_str digits)
{
	size_t i;

	x->form = FORM_RADIX;
	x->bits = bits;
	x->whole = without_zeros(digits);
	for (i = 0; i < x->whole.n; i++)
		if (digit_of(x->whole.p[i]) >= 1 << bits)
			return false;
	return digits.n > 0 && x->whole.n <= RADIX_DIGITS;
}

static unsigned prefix_bits(pl_str s)
{
	if (s.n < 3 || *s.p != '0')
		return 0;
	switch (s.p[1] | 0x20) {
	case 'x':
		return 4;
	case 'o':
		return 3;
	case 'b':
		return 1;
	}
	return 0;
}

static bool is_word(pl_str s, const char *lower)
{
	size_t i;

	if (s.n != strlen(lower))
		return false;
	for (i = 0; i < s.n; i++)
		if ((s.p[i] | (s.p[i] == '.' ? 0 : 0x20)) != lower[i])
			return false;
	return true;
}

static pl_str without_underscores(struct number *x, pl_str s)
{
	size_t i;

	if (s.n == 0 || !memchr(s.p, '_', s.n))
		return s;
	x->clean = BUF_INIT(s.n);
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '_')
			buf_addc(&x->clean, s.p[i]);
	return buf_str(&x->clean);
}

static bool read_form(struct number *x, pl_str s, bool octal)
{
	unsigned bits;

	if (s.n && (*s.p == '-' || *s.p == '+')) {
		x->negative = *s.p == '-';
		s = (pl_str){s.p + 1, s.n - 1};
	}
	bits = prefix_bits(s);
	if (bits) {
		s = (pl_str){s.p + 2, s.n - 2};
		if (*s.p == '-' || *s.p == '+') { /* Go reads 0b-101 */
			x->negative |= *s.p == '-';
			s = (pl_str){s.p + 1, s.n - 1};
		}
		return read_radix(x, bits, s);
	}
	if (octal && s.n > 1 && *s.p == '0')
		return read_radix(x, 3, s);
	if (is_word(s, ".inf"))
		x->form = FORM_INFINITE;
	else if (is_word(s, ".nan"))
		x->form = FORM_NAN;
	else
		return read_decimal(x, s);
	return true;
}

static void number_read(struct number *x, const pl_node *n)
{
	*x = (struct number){.form = FORM_BAD};
	if (node_kind(n) != PL_NUMBER ||
	    !read_form(x, without_underscores(x, node_text(n)), (n->meta & NODE_OCTAL) != 0))
		x->form = FORM_BAD;
}

const char *number_special(const pl_node *n)
{
	struct number x;

	number_read(&x, n);
	buf_free(&x.clean);
	return x.form == FORM_NAN ? ".nan" : x.form != FORM_INFINITE ? NULL : x.negative ? "-.inf" : ".inf";
}

/* Digits of 2^bits to decimal, in limbs of nine decimal digits, least first. */
static void add_radix(const struct number *x, struct buf *out)
{
	uint32_t *limb = mem_zalloc((x->whole.n * x->bits / 29 + 2) * sizeof(*limb));
	size_t n = 1, i = 0, j;

	while (i < x->whole.n) {
		uint64_t carry = 0;
		unsigned bits = 0;

		for (; i < x->whole.n && bits + x->bits <= CHUNK_BITS; i++, bits += x->bits)
			carry = carry << x->bits | (unsigned)digit_of(x->whole.p[i]);
		for (j = 0; j < n; j++) {
			carry += (uint64_t)limb[j] << bits;
			limb[j] = (uint32_t)(carry % 1000000000);
			carry /= 1000000000;
		}
		if (carry)
			limb[n++] = (uint32_t)carry;
	}
	buf_addf(out, "%u", limb[n - 1]);
	for (j = n - 1; j > 0; j--)
		buf_addf(out, "%09u", limb[j - 1]);
	free(limb);
}

pl_status number_json(const pl_node *n, struct buf *out)
{
	struct number x;
	pl_str whole;

	if (node_kind(n) == PL_NUMBER && number_is_json(node_text(n))) {
		buf_add(out, node_text(n));
		return PL_OK;
	}
	number_read(&x, n);
	if (x.form != FORM_DECIMAL && x.form != FORM_RADIX) {
		buf_free(&x.clean);
		return PL_EINVAL;
	}
	if (x.negative)
		buf_addc(out, '-');
	if (x.form == FORM_RADIX) {
		add_radix(&x, out);
	} else {
		whole = without_zeros(x.whole);
		buf_add(out, whole.n ? whole : S("0"));
		if (x.dot)
			buf_addc(out, '.');
		buf_add(out, x.dot && !x.part.n ? S("0") : x.part);
		if (x.exponent.n)
			buf_addc(out, 'e');
		buf_add(out, x.exponent);
	}
	buf_free(&x.clean);
	return PL_OK;
}

/* ---- the canonical form ---- */

/* False when the exponent is too long to count with. */
static bool exponent_of(const struct number *x, int64_t *to)
{
	pl_str s = x->exponent;
	bool negative = s.n && *s.p == '-';
	int64_t v = 0;
	size_t i;

	if (s.n && !is_digit(*s.p))
		s = (pl_str){s.p + 1, s.n - 1};
	s = without_zeros(s);
	if (s.n > EXPONENT_DIGITS)
		return false;
	for (i = 0; i < s.n; i++)
		v = v * 10 + (s.p[i] - '0');
	*to = negative ? -v : v;
	return true;
}

/*
 * out holds, from at on, one byte of room for the sign and then digits, not all zero: takes the zeros at both ends away
 * and writes the power of ten behind.
 */
static void finish_digits(struct buf *out, size_t at, bool negative, int64_t exponent)
{
	size_t first = at + 1, end = out->n;

	if (buf_full(out))
		return;
	while (out->p[first] == '0')
		first++;
	for (; out->p[end - 1] == '0'; end--)
		exponent++;
	if (negative)
		out->p[--first] = '-';
	memmove(out->p + at, out->p + first, end - first);
	buf_cut(out, at + end - first);
	if (exponent)
		buf_addf(out, "e%lld", (long long)exponent);
}

static void canonical_decimal(const struct number *x, struct buf *out)
{
	size_t at = out->n;
	int64_t exponent = 0;

	if (without_zeros(x->whole).n + without_zeros(x->part).n == 0) {
		buf_addc(out, '0');
	} else if (!exponent_of(x, &exponent)) {
		buf_addz(out, x->negative ? "-" : "");
		buf_add(out, x->whole);
		buf_addc(out, '.');
		buf_add(out, x->part);
		buf_addc(out, 'e');
		buf_add(out, x->exponent);
	} else {
		buf_addc(out, ' ');
		buf_add(out, x->whole);
		buf_add(out, x->part);
		finish_digits(out, at, x->negative, exponent - (int64_t)x->part.n);
	}
}

static void canonical_radix(const struct number *x, struct buf *out)
{
	size_t at = out->n;

	buf_addc(out, x->whole.n ? ' ' : '0');
	if (x->whole.n) {
		add_radix(x, out);
		finish_digits(out, at, x->negative, 0);
	}
}

void number_canonical(const pl_node *n, struct buf *out)
{
	struct number x;

	number_read(&x, n);
	switch (x.form) {
	case FORM_DECIMAL:
		canonical_decimal(&x, out);
		break;
	case FORM_RADIX:
		canonical_radix(&x, out);
		break;
	case FORM_INFINITE:
		buf_addz(out, x.negative ? "-.inf" : ".inf");
		break;
	case FORM_NAN:
		buf_addz(out, ".nan");
		break;
	case FORM_BAD:
		buf_add(out, node_text(n));
		break;
	}
	buf_free(&x.clean);
}

/* ---- machine numbers ---- */

static pl_status to_int(pl_str digits, bool negative, size_t zeros, int64_t *out)
{
	uint64_t v = 0, most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	size_t i;

	if (digits.n + zeros > 19)
		return PL_ETOOBIG;
	for (i = 0; i < digits.n + zeros; i++) {
		unsigned digit = i < digits.n ? (unsigned)(digits.p[i] - '0') : 0;

		if (v > (most - digit) / 10)
			return PL_ETOOBIG;
		v = v * 10 + digit;
	}
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return PL_OK;
}

/* From the canonical form, DIGITS or DIGITSeEXPONENT; what has a dot has an exponent too long to count with. */
static pl_status canonical_int(pl_str s, int64_t *out)
{
	bool negative = s.n && *s.p == '-';
	pl_str digits;
	char *end;
	long long exponent;

	s = (pl_str){s.p + negative, s.n - negative};
	digits = take_digits(&s);
	if (digits.n == 0)
		return PL_EINVAL;
	if (s.n == 0)
		return to_int(digits, negative, 0, out);
	if (*s.p == '.')
		return memchr(s.p, '-', s.n) ? PL_EINVAL : PL_ETOOBIG;
	exponent = strtoll(s.p + 1, &end, 10);
	if (exponent < 0)
		return PL_EINVAL;
	return exponent > 19 ? PL_ETOOBIG : to_int(digits, negative, (size_t)exponent, out);
}

pl_status pl_int(const pl_node *n, int64_t *out)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	pl_status st;

	if (!n || node_kind(n) != PL_NUMBER)
		return PL_EINVAL;
	number_canonical(n, &b);
	st = canonical_int(buf_str(&b), out);
	buf_free(&b);
	return st;
}

/* The canonical form has a dot only beside an exponent too long to count with; else there is none for a locale to
 * spoil. */
static double canonical_double(const char *text, bool negative)
{
	if (!strchr(text, '.'))
		return strtod(text, NULL);
	return strstr(text, "e-") ? 0.0 : negative ? -HUGE_VAL : HUGE_VAL;
}

pl_status pl_double(const pl_node *n, double *out)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct number x;

	if (!n || node_kind(n) != PL_NUMBER)
		return PL_EINVAL;
	number_read(&x, n);
	buf_free(&x.clean);
	if (x.form == FORM_BAD)
		return PL_EINVAL;
	if (x.form == FORM_INFINITE) {
		*out = x.negative ? -HUGE_VAL : HUGE_VAL;
	} else if (x.form == FORM_NAN) {
		*out = NAN;
	} else {
		number_canonical(n, &b);
		*out = b.p ? canonical_double(b.p, x.negative) : 0.0;
	}
	buf_free(&b);
	return PL_OK;
}
