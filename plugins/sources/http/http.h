/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - the source "http": one file by its URL.
 *
 * The cache folder holds each content by its SHA-256, and `state`: what the server said of the newest one, so that the
 * next look asks "changed since?" only. Both are replaced whole, so any number of processes may use the folder.
 */
#ifndef HTTP_H
#define HTTP_H

#include "plumb/plugin.h"

#include <stdbool.h>

enum { HEX = 64, HOSTS_MAX = 64 };

struct http_source {
	char *url, *shown; /* shown: without user and query, which may be secrets */
	char *name;	   /* the file's, from the URL */
	char *ca_file;
	uint64_t max_bytes;
	char *hosts[HOSTS_MAX]; /* that redirects may lead to */
	size_t n_hosts;
	bool any_host;
	char *folder;
};

/* util.c */
void *http_zalloc(size_t n);
char *http_strndup(const char *p, size_t n);
char *http_printf(const char *fmt, ...) PL_PRINTF(1, 2);
pl_str http_host_dup(const pl_host *h, const char *p, size_t n);
bool http_is_id(pl_str s);
/* The URL as it may be printed; malloc'ed. */
char *http_shown(const char *url);
/* Reports the operation's error. */
pl_status http_fail(const pl_host *h, pl_status st, const char *fmt, ...) PL_PRINTF(3, 4);

/* options.c */
pl_status http_options_read(const pl_host *h, pl_str json, struct http_source *s);
void http_options_clear(struct http_source *s);
/* May a redirect lead to this URL? */
bool http_may_go(const struct http_source *s, const char *url);

/* cache.c */
struct http_state { /* empty strings: unknown */
	char *etag, *modified;
	char id[HEX + 1];
};
struct http_body {
	char *p;
	size_t n;
};
void http_state_read(const struct http_source *s, struct http_state *out);
void http_state_clear(struct http_state *st);
/* Puts the content into the cache (id is made) and the state beside it. */
pl_status http_cache_put(const pl_host *h, const struct http_source *s, struct http_state *st,
			 const struct http_body *b);
char *http_cache_path(const struct http_source *s, const char *id); /* malloc'ed */
bool http_cache_has(const struct http_source *s, const char *id);

/* get.c */
/*
 * Asks for the file. *changed false: it is what st says. Else b and st are new. *answer is the status that the server's
 * answer comes to (404: PL_ENOTFOUND, with *text), when it is one that asking again would not change; malloc'ed.
 */
pl_status http_get(const pl_host *h, const struct http_source *s, struct http_state *st, struct http_body *b,
		   bool *changed, pl_status *answer, char **text);

#endif
