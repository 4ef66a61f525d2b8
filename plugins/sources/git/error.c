/* SPDX-License-Identifier: Apache-2.0 */
/* Errors and log lines: libgit2's last error belongs to the thread and to the last call, so it is copied at once. */
#include "git.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4096

/* The end of what may be the authority of a url: no slash, blank or quote in it. */
static size_t authority_len(const char *p)
{
	return strcspn(p, "/ \t'\"?#");
}

void git_scrub(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	for (char *p = text; (p = strstr(p, "://"));) {
		bool ssh = p - text >= 3 && memcmp(p - 3, "ssh", 3) == 0; /* there a bare name is no secret */
		p += 3;
		size_t n = authority_len(p);
		char *at = memrchr(p, '@', n);
		if (at && !(ssh && !memchr(p, ':', (size_t)(at - p))))
			memmove(p, at + 1, strlen(at + 1) + 1);
	}
}

static pl_status report(const pl_host *h, pl_status st, char *text)
{
	git_scrub(text);
	return h->fail(h->ctx, st, (pl_str){NULL, 0}, 0, 0, (pl_str){text, strlen(text)});
}

pl_status git_fail(const pl_host *h, pl_status st, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(h, st, text);
}

static pl_status status_of(int code, int class)
{
	static const struct {
		int code;
		pl_status st;
	} by_code[] = {
		{GIT_EAUTH, PL_EAUTH},	  {GIT_ECERTIFICATE, PL_EDENIED}, {GIT_ENOTFOUND, PL_ENOTFOUND},
		{GIT_EEXISTS, PL_EEXIST}, {GIT_EAMBIGUOUS, PL_EINVAL},	  {GIT_EINVALIDSPEC, PL_EINVAL},
		{GIT_ELOCKED, PL_EBUSY},  {GIT_EEOF, PL_EUNAVAILABLE},	  {GIT_EMISMATCH, PL_EIO},
		{GIT_EOWNER, PL_EDENIED},
	};
	for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
		if (by_code[i].code == code)
			return by_code[i].st;
	switch (class) {
	case GIT_ERROR_NET:
	case GIT_ERROR_HTTP:
	case GIT_ERROR_SSH:
	case GIT_ERROR_SSL: /* a certificate that is refused has a code of its own */
		return PL_EUNAVAILABLE;
	default:
		return PL_EIO;
	}
}

pl_status git_fail_lib(const pl_host *h, int code, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	char why[1024];
	snprintf(why, sizeof(why), "%s", last && last->message && *last->message ? last->message : "no reason given");
	pl_status st = status_of(code, last ? last->klass : 0);
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", why);
	return report(h, st, text);
}

void git_log(const pl_host *h, int32_t level, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	git_scrub(text);
	h->log(h->ctx, level, (pl_str){text, strlen(text)});
}

pl_status git_stopped(const pl_host *h)
{
	if (h->cancelled(h->ctx))
		return h->remaining_ms(h->ctx) <= 0 ? PL_ETIMEOUT : PL_ECANCELLED;
	return h->remaining_ms(h->ctx) <= 0 ? PL_ETIMEOUT : PL_OK;
}

pl_status git_check(const pl_host *h, const struct git_source *s, const char *what)
{
	pl_status st = git_stopped(h);
	return st ? git_fail(h, st, "%s '%s': %s", what, s->opt.url,
			     st == PL_ETIMEOUT ? "the time allowed ran out" : "cancelled")
		  : PL_OK;
}
