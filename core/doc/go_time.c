/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/go_value.h"

static bool is_digit(pl_str s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static void skip(pl_str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static bool take_char(pl_str *s, char c)
{
	if (!s->n || *s->p != c)
		return false;
	skip(s, 1);
	return true;
}

/* One or two digits; exactly two when they are asked for. */
static bool take_number(pl_str *s, bool two, int least, int most, int *to)
{
	size_t n = is_digit(*s, 1) ? 2 : 1;

	if (!is_digit(*s, 0) || (two && n == 1))
		return false;
	*to = n == 2 ? (s->p[0] - '0') * 10 + (s->p[1] - '0') : s->p[0] - '0';
	skip(s, n);
	return *to >= least && *to <= most;
}

static int days_in(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && (year % 4 == 0 && (year % 100 || year % 400 == 0)) ? 29 : days[month - 1];
}

static bool take_date(pl_str *s, struct go_time *t)
{
	for (size_t i = 0; i < 4; i++)
		if (!is_digit(*s, i))
			return false;
		else
			t->year = t->year * 10 + (s->p[i] - '0');
	skip(s, 4);
	return take_char(s, '-') && take_number(s, false, 1, 12, &t->month) && take_char(s, '-') &&
	       take_number(s, false, 1, days_in(t->year, t->month), &t->day);
}

/* Digits behind a point or a comma; more than nine are read and dropped. */
static void take_fraction(pl_str *s, struct go_time *t)
{
	uint32_t unit = 100000000;

	if (s->n < 2 || (*s->p != '.' && *s->p != ',') || !is_digit(*s, 1))
		return;
	for (skip(s, 1); is_digit(*s, 0); skip(s, 1), unit /= 10)
		t->nanosecond += unit * (uint32_t)(*s->p - '0');
}

static bool take_clock(pl_str *s, struct go_time *t)
{
	if (!take_number(s, false, 0, 23, &t->hour) || !take_char(s, ':') ||
	    !take_number(s, false, 0, 59, &t->minute) || !take_char(s, ':') ||
	    !take_number(s, false, 0, 59, &t->second))
		return false;
	take_fraction(s, t);
	return true;
}

static bool take_zone(pl_str *s, struct go_time *t)
{
	bool west = s->n && *s->p == '-';
	int hours, minutes;

	if (take_char(s, 'Z'))
		return true;
	if (!west && (!s->n || *s->p != '+'))
		return false;
	skip(s, 1);
	if (!take_number(s, true, 0, 24, &hours) || !take_char(s, ':') || !take_number(s, true, 0, 60, &minutes))
		return false;
	t->offset = (hours * 60 + minutes) * (west ? -1 : 1);
	return true;
}

bool go_time_read(pl_str text, struct go_time *t)
{
	*t = (struct go_time){0};
	if (text.n < 8 || text.p[4] != '-' || !take_date(&text, t))
		return false;
	if (!text.n)
		return true;
	if (take_char(&text, 'T') || take_char(&text, 't'))
		return take_clock(&text, t) && take_zone(&text, t) && !text.n;
	if (!take_char(&text, ' '))
		return false;
	while (take_char(&text, ' '))
		;
	return take_clock(&text, t) && !text.n;
}

pl_status go_time_print(const struct go_time *t, struct buf *out)
{
	int offset = t->offset < 0 ? -t->offset : t->offset;
	uint32_t fraction = t->nanosecond;
	int digits = 9;

	if (offset >= 24 * 60)
		return PL_EINVAL;
	buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", t->year, t->month, t->day, t->hour, t->minute, t->second);
	for (; fraction && fraction % 10 == 0; digits--)
		fraction /= 10;
	if (fraction)
		buf_addf(out, ".%0*u", digits, fraction);
	if (offset)
		buf_addf(out, "%c%02d:%02d", t->offset < 0 ? '-' : '+', offset / 60, offset % 60);
	else
		buf_addc(out, 'Z');
	return PL_OK;
}
