/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/go_value.h"

#include <float.h>
#include <math.h>

/* A double's digits: 0.DDD times ten to the power of point. */
struct decimal {
	char digits[24];
	size_t n;
	int point;
	bool negative;
};

/* Takes the digits out of what printf's %e wrote, whose decimal point is the locale's. */
static void take_digits(struct decimal *x, const char *text)
{
	const char *p = text;

	x->n = 0;
	for (; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			x->digits[x->n++] = *p;
	x->point = (int)strtol(p + 1, NULL, 10) + 1;
	while (x->n > 1 && x->digits[x->n - 1] == '0')
		x->n--;
	x->digits[x->n] = 0;
}

static double value_of(const struct decimal *x)
{
	char text[48];

	snprintf(text, sizeof text, "%se%d", x->digits, x->point - (int)x->n);
	return strtod(text, NULL);
}

static bool try_digits(struct decimal *x, double v, int n)
{
	char text[48];

	snprintf(text, sizeof text, "%.*e", n - 1, v);
	take_digits(x, text);
	return value_of(x) == v;
}

/*
 * Below a power of two doubles lie closer together than above it, so there the nearest decimal of some length may not
 * read back as v while its neighbour above does.
 */
static bool try_next(struct decimal *x, double v, int n)
{
	int e;

	if (frexp(v, &e) != 0.5 || (int)x->n != n || x->digits[n - 1] == '9')
		return false;
	x->digits[n - 1]++;
	return value_of(x) == v;
}

/* The fewest digits that read back as v; of several, the nearest. */
static void shortest(double v, struct decimal *x)
{
	int first = fabs(v) < DBL_MIN ? 1 : DBL_DIG;

	x->negative = v < 0;
	v = fabs(v);
	for (int n = first; n < DBL_DECIMAL_DIG; n++)
		if (try_digits(x, v, n) || try_next(x, v, n))
			return;
	try_digits(x, v, DBL_DECIMAL_DIG);
}

static bool fits_64_bits(pl_str digits, bool negative)
{
	pl_str most = negative ? S("9223372036854775808") : S("18446744073709551615");

	return digits.n < most.n || (digits.n == most.n && memcmp(digits.p, most.p, most.n) <= 0);
}

static void add_whole(struct buf *out, pl_str digits, bool negative)
{
	if (negative)
		buf_addc(out, '-');
	buf_add(out, digits);
}

/* Go's shortest %g: with an exponent when that is below -4 or above 5. */
static void add_general(struct buf *out, const struct decimal *x)
{
	int exponent = x->point - 1;
	size_t before = x->point > 0 ? (size_t)x->point : 0;

	if (x->negative)
		buf_addc(out, '-');
	if (exponent < -4 || exponent >= 6) {
		buf_add(out, (pl_str){x->digits, 1});
		if (x->n > 1)
			buf_addf(out, ".%s", x->digits + 1);
		buf_addf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
	} else if (!before) {
		buf_addz(out, "0.");
		buf_addn(out, '0', (size_t)-x->point);
		buf_addz(out, x->digits);
	} else {
		buf_add(out, (pl_str){x->digits, before < x->n ? before : x->n});
		if (before < x->n)
			buf_addf(out, ".%s", x->digits + before);
		else
			buf_addn(out, '0', before - x->n);
	}
}

static pl_status add_double(const pl_node *n, struct buf *out)
{
	struct decimal x;
	double v;

	if (pl_double(n, &v) || !isfinite(v))
		return PL_EINVAL;
	if (v == 0) {
		buf_addc(out, '0');
		return PL_OK;
	}
	shortest(v, &x);
	/* JSON writes a whole number without a point, and what then fits 64 bits is an integer again */
	if (x.point >= (int)x.n && x.point <= 20) {
		char digits[24];

		memset(digits, '0', sizeof digits);
		memcpy(digits, x.digits, x.n);
		if (fits_64_bits((pl_str){digits, (size_t)x.point}, x.negative)) {
			add_whole(out, (pl_str){digits, (size_t)x.point}, x.negative);
			return PL_OK;
		}
	}
	add_general(out, &x);
	return PL_OK;
}

static bool all_digits(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* 089 is no octal number and becomes a double at once. */
static bool has_lead_zero(const pl_node *n)
{
	pl_str s = node_text(n);

	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = (pl_str){s.p + 1, s.n - 1};
	return !(n->meta & NODE_OCTAL) && s.n > 1 && *s.p == '0' && s.p[1] >= '0' && s.p[1] <= '9';
}

pl_status go_number_print(const pl_node *n, struct buf *out)
{
	pl_str text = node_text(n), digits;
	struct buf json = BUF_INIT(SIZE_MAX);
	pl_status st = PL_OK;

	if (text.n < 19 && all_digits(text) && (*text.p != '0' || text.n == 1)) {
		buf_add(out, text);
		return PL_OK;
	}
	if (number_json(n, &json))
		return PL_EINVAL;
	digits = buf_str(&json);
	if (*digits.p == '-')
		digits = (pl_str){digits.p + 1, digits.n - 1};
	if (all_digits(digits) && !has_lead_zero(n) && fits_64_bits(digits, digits.n < json.n))
		add_whole(out, digits, digits.n < json.n && *digits.p != '0');
	else
		st = add_double(n, out);
	buf_free(&json);
	return st;
}
