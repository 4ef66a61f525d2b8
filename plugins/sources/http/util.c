/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096

void *http_zalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		abort();
	return p;
}

char *http_strndup(const char *p, size_t n)
{
	char *z = http_zalloc(n + 1);
	if (n)
		memcpy(z, p, n);
	return z;
}

char *http_printf(const char *fmt, ...)
{
	char *z = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&z, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	return z;
}

pl_str http_host_dup(const pl_host *h, const char *p, size_t n)
{
	char *z = h->alloc(h->ctx, n + 1);
	if (n)
		memcpy(z, p, n);
	z[n] = 0;
	return (pl_str){z, n};
}

bool http_is_id(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("0123456789abcdef", s.p[i], 16))
			return false;
	return s.n == HEX;
}

char *http_shown(const char *url)
{
	const char *scheme = strstr(url, "://"), *from = scheme ? scheme + 3 : url;
	const char *at = memrchr(from, '@', strcspn(from, "/?#"));
	const char *rest = at ? at + 1 : from;
	size_t n = strcspn(rest, "?#");
	return http_printf("%.*s%.*s%s", (int)(from - url), url, (int)n, rest, rest[n] == '?' ? "?…" : "");
}

pl_status http_fail(const pl_host *h, pl_status st, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return h->fail(h->ctx, st, (pl_str){NULL, 0}, 0, 0, (pl_str){text, strlen(text)});
}
