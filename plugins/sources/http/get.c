/* SPDX-License-Identifier: Apache-2.0 */
/* One GET, its redirects followed by hand: each is looked at before anything is sent there. */
#include "http.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REDIRECTS_MAX = 10, CONNECT_MS = 30 * 1000, STALLED_S = 30, HEADER_MAX = 4096 };

struct get {
	const pl_host *h;
	const struct http_source *s;
	CURL *curl;
	struct http_body *body;
	size_t cap;
	bool too_big;
	char why[CURL_ERROR_SIZE];
};

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct get *g = ctx;
	(void)size; /* 1 */
	if (n > g->s->max_bytes - g->body->n) {
		g->too_big = true;
		return 0;
	}
	if (g->body->n + n > g->cap) {
		g->cap = (g->body->n + n) * 2;
		g->body->p = realloc(g->body->p, g->cap);
		if (!g->body->p)
			abort();
	}
	memcpy(g->body->p + g->body->n, p, n);
	g->body->n += n;
	return n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct get *g = ctx;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return g->h->cancelled(g->h->ctx) != 0;
}

static struct curl_slist *conditions(const struct http_state *st)
{
	struct curl_slist *l = NULL;
	char *etag = st->etag[0] ? http_printf("If-None-Match: %s", st->etag) : NULL;
	char *modified = st->modified[0] ? http_printf("If-Modified-Since: %s", st->modified) : NULL;
	if (etag)
		l = curl_slist_append(l, etag);
	if (modified)
		l = curl_slist_append(l, modified);
	free(etag);
	free(modified);
	return l;
}

static void set_up(struct get *g)
{
	CURL *c = g->curl;
	int64_t left = g->h->remaining_ms(g->h->ctx);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_USERAGENT, "plumb/" PLUMB_VERSION);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	if (left < INT32_MAX)
		curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, g);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, g->why);
	if (g->s->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, g->s->ca_file);
}

static pl_status failed(const struct get *g, CURLcode code)
{
	static const struct {
		CURLcode code;
		pl_status st;
	} known[] = {
		{CURLE_OPERATION_TIMEDOUT, PL_ETIMEOUT},       {CURLE_PEER_FAILED_VERIFICATION, PL_EDENIED},
		{CURLE_SSL_CACERT_BADFILE, PL_EINVAL},	       {CURLE_URL_MALFORMAT, PL_EINVAL},
		{CURLE_BAD_CONTENT_ENCODING, PL_EUNSUPPORTED},
	};
	pl_status st = PL_EUNAVAILABLE;
	if (g->too_big)
		return http_fail(g->h, PL_ETOOBIG, "get '%s': it is larger than %llu bytes (maxBytes)", g->s->shown,
				 (unsigned long long)g->s->max_bytes);
	if (g->h->cancelled(g->h->ctx))
		return http_fail(g->h, g->h->remaining_ms(g->h->ctx) ? PL_ECANCELLED : PL_ETIMEOUT, "get '%s': stopped",
				 g->s->shown);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			st = known[i].st;
	return http_fail(g->h, st, "get '%s': %s", g->s->shown, g->why[0] ? g->why : curl_easy_strerror(code));
}

static char *header(CURL *c, const char *name)
{
	struct curl_header *found = NULL;
	if (curl_easy_header(c, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return http_strndup("", 0);
	size_t n = strcspn(found->value, "\r\n");
	return http_strndup(found->value, n < HEADER_MAX ? n : 0);
}

/* Statuses that say something of the file, and those that say something of the moment. */
static pl_status judge(const struct get *g, long code, pl_status *answer, char **text)
{
	static const struct {
		long code;
		pl_status st;
		const char *says;
	} known[] = {
		{400, PL_EINVAL, "Bad Request"},   {401, PL_EAUTH, "Unauthorized"}, {403, PL_EAUTH, "Forbidden"},
		{404, PL_ENOTFOUND, "Not Found"},  {410, PL_ENOTFOUND, "Gone"},	    {429, 0, "Too Many Requests"},
		{500, 0, "Internal Server Error"}, {502, 0, "Bad Gateway"},	    {503, 0, "Service Unavailable"},
		{504, 0, "Gateway Timeout"},
	};
	const char *says = "";
	pl_status st = PL_EUNAVAILABLE;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].code != code)
			continue;
		says = known[i].says;
		st = known[i].st ? known[i].st : st;
	}
	char *why = http_printf("get '%s': the server answers %ld%s%s", g->s->shown, code, *says ? " " : "", says);
	if (st == PL_ENOTFOUND || st == PL_EINVAL) {
		*answer = st;
		*text = why;
		return PL_OK;
	}
	http_fail(g->h, st, "%s", why);
	free(why);
	return st;
}

static bool is_redirect(long code)
{
	return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

static pl_status go(struct get *g, long *code)
{
	char *url = http_strndup(g->s->url, strlen(g->s->url));
	pl_status st = PL_OK;
	for (int hops = 0; !st; hops++) {
		char *next = NULL;
		g->body->n = 0;
		curl_easy_setopt(g->curl, CURLOPT_URL, url);
		CURLcode done = curl_easy_perform(g->curl);
		if (done != CURLE_OK) {
			st = failed(g, done);
			break;
		}
		curl_easy_getinfo(g->curl, CURLINFO_RESPONSE_CODE, code);
		curl_easy_getinfo(g->curl, CURLINFO_REDIRECT_URL, &next);
		if (!is_redirect(*code) || !next)
			break;
		char *shown = http_shown(next);
		if (hops == REDIRECTS_MAX)
			st = http_fail(g->h, PL_EUNAVAILABLE, "get '%s': more than %d redirects", g->s->shown,
				       REDIRECTS_MAX);
		else if (!http_may_go(g->s, next))
			st = http_fail(g->h, PL_EDENIED, "get '%s': it is redirected to '%s', which is not allowed",
				       g->s->shown, shown);
		free(shown);
		free(url);
		url = http_strndup(next, strlen(next));
	}
	free(url);
	return st;
}

static pl_status run(struct get *g, struct http_state *st, bool *changed, pl_status *answer, char **text)
{
	struct curl_slist *headers = conditions(st);
	long code = 0;
	set_up(g);
	curl_easy_setopt(g->curl, CURLOPT_HTTPHEADER, headers);
	pl_status status = go(g, &code);
	if (!status && code == 304 && st->id[0]) {
		*changed = false;
	} else if (!status && code == 200) {
		http_state_clear(st);
		st->etag = header(g->curl, "ETag");
		st->modified = header(g->curl, "Last-Modified");
	} else if (!status) {
		status = judge(g, code, answer, text);
	}
	curl_slist_free_all(headers);
	return status;
}

pl_status http_get(const pl_host *h, const struct http_source *s, struct http_state *st, struct http_body *b,
		   bool *changed, pl_status *answer, char **text)
{
	struct get g = {.h = h, .s = s, .body = b};
	*changed = true;
	*answer = PL_OK;
	*text = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return http_fail(h, PL_EIO, "get '%s': libcurl can't be started", s->shown);
	g.curl = curl_easy_init();
	pl_status status = g.curl ? run(&g, st, changed, answer, text)
				  : http_fail(h, PL_EIO, "get '%s': libcurl can't be started", s->shown);
	curl_easy_cleanup(g.curl);
	curl_global_cleanup();
	return status;
}
