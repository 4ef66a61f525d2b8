/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"

#include "core/base/err.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>

static int64_t us_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return us_of(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return us_of(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_ms(void)
{
	return us_of(CLOCK_REALTIME) / 1000;
}

const char *clock_text(int64_t wall_ms, char *to)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	if (!gmtime_r(&s, &tm) || !strftime(to, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(to, CLOCK_TEXT, "?");
	return to;
}

const char *clock_age(int64_t ms, char *to)
{
	int64_t s = ms < 0 ? 0 : ms / 1000;
	if (s < 60)
		snprintf(to, CLOCK_TEXT, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(to, CLOCK_TEXT, "%" PRId64 "m%" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(to, CLOCK_TEXT, "%" PRId64 "h%" PRId64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(to, CLOCK_TEXT, "%" PRId64 "d%" PRId64 "h", s / 86400, s / 3600 % 24);
	return to;
}

static const struct {
	const char *name;
	double ms;
} units[] = {{"ms", 1}, {"us", 1e-3}, {"h", 3600e3}, {"m", 60e3}, {"s", 1e3}};

/* A decimal at *s, at most 15 digits so that a double holds it. */
static bool decimal(pl_str *s, double *out)
{
	double v = 0, scale = 0;
	size_t digits = 0;
	while (s->n && ((s->p[0] >= '0' && s->p[0] <= '9') || (s->p[0] == '.' && scale == 0))) {
		if (s->p[0] == '.') {
			scale = 1;
		} else {
			v = v * 10 + (s->p[0] - '0');
			scale *= 10;
			digits++;
		}
		s->p++;
		s->n--;
	}
	*out = scale > 0 ? v / scale : v;
	return digits > 0 && digits <= 15;
}

pl_status clock_duration(pl_str text, int64_t *ms, struct pl_err *e)
{
	pl_str s = text;
	double total = 0;
	bool first = true;
	while (s.n || first) {
		double v;
		if (!decimal(&s, &v))
			goto bad;
		if (first && s.n == 0) { /* a bare number is seconds */
			total = v * 1000;
			break;
		}
		first = false;
		size_t u = 0, n = sizeof units / sizeof *units;
		while (u < n && !str_starts(s, str_of(units[u].name)))
			u++;
		if (u == n)
			goto bad;
		total += v * units[u].ms;
		s.p += strlen(units[u].name);
		s.n -= strlen(units[u].name);
	}
	if (total > 1e15)
		goto bad;
	*ms = (int64_t)llround(total);
	return PL_OK;
bad:
	err_set(e, PL_EINVAL, "'%.*s' is not a duration", F(text));
	pl_err_hint(e, "write it like 30s, 3m or 1h30m");
	return PL_EINVAL;
}
