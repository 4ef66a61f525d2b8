/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *grab(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		abort();
	return p;
}

static char *vtext(const char *fmt, va_list ap) PL_PRINTF(1, 0);

static char *vtext(const char *fmt, va_list ap)
{
	char *p = NULL;
	if (vasprintf(&p, fmt, ap) < 0)
		abort();
	return p;
}

char *text_of(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = vtext(fmt, ap);
	va_end(ap);
	return p;
}

int same(pl_str a, pl_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

pl_str give(const pl_host *h, pl_str s)
{
	char *p = h->alloc(h->ctx, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (pl_str){p, s.n};
}

pl_status fail(const pl_host *h, pl_status st, pl_err *e)
{
	const char *text = pl_err_text(e);
	h->fail(h->ctx, st, S(""), 0, 0, (pl_str){text, strlen(text)});
	pl_err_free(e);
	return st;
}

pl_status fail_errno(pl_err *e, int error, const char *fmt, ...)
{
	const char *why = strerrordesc_np(error);
	va_list ap;
	va_start(ap, fmt);
	char *what = vtext(fmt, ap);
	va_end(ap);
	pl_err_set(e, PL_EIO, (pl_place){NULL, 0, 0}, "%s: %s", what, why ? why : "unknown error");
	free(what);
	return PL_EIO;
}

pl_status stopped(const pl_host *h)
{
	if (!h->cancelled(h->ctx))
		return PL_OK;
	return h->remaining_ms(h->ctx) > 0 ? PL_ECANCELLED : PL_ETIMEOUT;
}
