/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *text_of(const pl_node *map, const char *key)
{
	pl_str s = pl_text(pl_gets(map, key));
	return pl_gets(map, key) ? http_strndup(s.p, s.n) : NULL;
}

static bool has_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

static pl_status bad_url(const pl_host *h, const struct http_source *s, const char *why)
{
	return http_fail(h, PL_EINVAL, "url '%s' %s", s->shown, why);
}

static pl_status check_url(const pl_host *h, const struct http_source *s)
{
	for (const unsigned char *p = (const unsigned char *)s->url; *p; p++)
		if (*p <= 0x20 || *p == 0x7f)
			return bad_url(h, s, "holds a blank or a control character");
	if (!has_scheme(s->url, "https://") && !has_scheme(s->url, "http://"))
		return bad_url(h, s, "is not one of https:// or http://");
	const char *host = strstr(s->url, "://") + 3;
	const char *at = memrchr(host, '@', strcspn(host, "/?#"));
	if (strcspn(at ? at + 1 : host, "/?#") == 0)
		return bad_url(h, s, "names no host");
	return PL_OK;
}

/* The last step of the URL's path; a tree needs a name for its file. */
static char *name_of(const char *url)
{
	const char *path = strstr(url, "://") + 3;
	size_t n = strcspn(path, "?#");
	while (n && path[n - 1] == '/')
		n--;
	const char *slash = memrchr(path, '/', n);
	size_t at = slash ? (size_t)(slash + 1 - path) : n;
	bool usable = at < n && strncmp(path + at, ".", n - at) != 0 && strncmp(path + at, "..", n - at) != 0;
	return usable ? http_strndup(path + at, n - at) : http_strndup("file", 4);
}

static pl_status read_hosts(const pl_host *h, const pl_node *list, struct http_source *s)
{
	s->any_host = list == NULL;
	if (pl_len(list) > HOSTS_MAX)
		return http_fail(h, PL_EINVAL, "allowedHosts has more than %d hosts", HOSTS_MAX);
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_str host = pl_text(pl_item(list, i));
		s->hosts[s->n_hosts++] = http_strndup(host.p, host.n);
	}
	return PL_OK;
}

pl_status http_options_read(const pl_host *h, pl_str json, struct http_source *s)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_err *e = pl_err_new();
	pl_node *root = NULL;
	int64_t max = 64 << 20;
	pl_status st = pl_json_read(d, json, "options", 0, &root, e);
	if (st) {
		st = http_fail(h, st, "read the options of the http source: %s", pl_err_text(e));
	} else {
		s->url = text_of(root, "url");
		s->url = s->url ? s->url : http_strndup("", 0);
		s->shown = http_shown(s->url);
		s->ca_file = text_of(root, "caFile");
		st = check_url(h, s);
		if (!st)
			st = read_hosts(h, pl_gets(root, "allowedHosts"), s);
		if (!st && pl_gets(root, "maxBytes") && (pl_int(pl_gets(root, "maxBytes"), &max) || max < 1))
			st = http_fail(h, PL_EINVAL, "'maxBytes' must be a whole number above 0");
		s->max_bytes = (uint64_t)max;
		s->name = st ? NULL : name_of(s->url);
	}
	pl_err_free(e);
	pl_doc_unref(d);
	return st;
}

void http_options_clear(struct http_source *s)
{
	char *all[] = {s->url, s->shown, s->name, s->ca_file, s->folder};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	for (size_t i = 0; i < s->n_hosts; i++)
		free(s->hosts[i]);
}

/* HOST, HOST:PORT, *.DOMAIN or *; without a port only the scheme's own. */
static bool matches(const char *pattern, const char *host, size_t n, const char *port, size_t port_n, bool own_port)
{
	size_t p = strcspn(pattern, ":");
	if (strcmp(pattern, "*") == 0)
		return true;
	if (pattern[p] ? strlen(pattern + p + 1) != port_n || strncmp(pattern + p + 1, port, port_n) != 0 : !own_port)
		return false;
	if (strncmp(pattern, "*.", 2) == 0)
		return n > p - 1 && strncasecmp(host + n - (p - 1), pattern + 1, p - 1) == 0;
	return n == p && strncasecmp(host, pattern, n) == 0;
}

bool http_may_go(const struct http_source *s, const char *url)
{
	bool tls = has_scheme(url, "https://");
	/* What was asked for safely is not answered unsafely. */
	if (!tls && (!has_scheme(url, "http://") || has_scheme(s->url, "https://")))
		return false;
	const char *host = strstr(url, "://") + 3;
	size_t all = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', all);
	if (at) {
		all -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	bool bracket = *host == '[';
	size_t n = bracket ? strcspn(host, "]") + 1 : strcspn(host, ":");
	n = n < all ? n : all;
	const char *port = n < all && host[n] == ':' ? host + n + 1 : tls ? "443" : "80";
	size_t port_n = n < all && host[n] == ':' ? all - n - 1 : strlen(port);
	bool own_port = strncmp(port, tls ? "443" : "80", port_n) == 0 && port_n == (tls ? 3 : 2);
	bool ok = s->any_host;
	for (size_t i = 0; i < s->n_hosts && !ok; i++)
		ok = matches(s->hosts[i], host, n, port, port_n, own_port);
	return ok;
}
