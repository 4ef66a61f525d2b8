/* SPDX-License-Identifier: Apache-2.0 */
#include "git.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *git_zalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		abort();
	return p;
}

char *git_strndup(const char *p, size_t n)
{
	char *z = git_zalloc(n + 1);
	if (n)
		memcpy(z, p, n);
	return z;
}

char *git_printf(const char *fmt, ...)
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

pl_str git_host_dup(const pl_host *h, const char *p, size_t n)
{
	char *z = h->alloc(h->ctx, n + 1);
	if (n)
		memcpy(z, p, n);
	z[n] = 0;
	return (pl_str){z, n};
}

bool git_is_hex(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("0123456789abcdef", s.p[i], 16))
			return false;
	return s.n > 0;
}

pl_status git_id(const pl_host *h, pl_str id, git_oid *out)
{
	if (id.n == 64 && git_is_hex(id))
		return git_fail(h, PL_EUNSUPPORTED,
				"'%.*s' is an id of a repository with SHA-256 objects, which libgit2 1.5 can't read",
				64, id.p);
	if (id.n != HEX || !git_is_hex(id) || git_oid_fromstrn(out, id.p, HEX) < 0)
		return git_fail(h, PL_EINVAL, "'%.*s' is not a full commit id (40 lower-case hex digits)",
				(int)(id.n > 80 ? 80 : id.n), id.p ? id.p : "");
	return PL_OK;
}
