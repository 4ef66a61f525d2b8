/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of repositories, as kustomizations write them:
 *
 *   [git::] [SCHEME://] [USER@] HOST / REPOSITORY [// or .git/ or /] FOLDER [?ref=REVISION&…]
 *
 * REPOSITORY ends at "//" (which is not part of it), behind ".git", behind one step more than "_git/", or else after
 * two steps (file://: after all). github.com needs no scheme, and is asked by https unless a user or ssh is named.
 * USER@HOST:REPOSITORY is ssh. Sources: Kustomize's documentation of remote targets; RFC 3986; git-fetch(1), GIT URLS.
 */
#include "remote.h"

#include <ctype.h>
#include <strings.h>

static bool take_prefix(pl_str *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->n < n || strncasecmp(s->p, prefix, n) != 0)
		return false;
	*s = (pl_str){s->p + n, s->n - n};
	return true;
}

bool remote_is_http(pl_str text)
{
	return take_prefix(&text, "http://") || take_prefix(&text, "https://");
}

/* ---- the query ---- */

static int hex(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static pl_str decoded(struct build *b, pl_str s)
{
	char *p = arena_alloc(b->mem, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			p[n++] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
			i += 2;
		} else {
			p[n++] = s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return (pl_str){p, n};
}

/* ref wins over version. timeout and submodules are the business of whoever fetches: the host's limits hold. */
static void read_query(struct build *b, pl_str query, struct remote *out)
{
	pl_str version = {NULL, 0};
	while (query.n) {
		pl_str value = str_cut(&query, '&');
		pl_str name = str_cut(&value, '=');
		if (str_is(name, "ref") && !out->ref.n)
			out->ref = decoded(b, value);
		if (str_is(name, "version") && !version.n)
			version = decoded(b, value);
	}
	if (!out->ref.n)
		out->ref = version;
}

/* ---- the host ---- */

static const char *take_scheme(pl_str *s)
{
	static const char *const schemes[] = {"ssh://", "https://", "http://", "file://"};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (take_prefix(s, schemes[i]))
			return schemes[i];
	return "";
}

static pl_str take_user(pl_str *s)
{
	size_t n = 0;
	if (!s->n || !isalpha((unsigned char)s->p[0]))
		return S("");
	while (n < s->n && (isalnum((unsigned char)s->p[n]) || s->p[n] == '-'))
		n++;
	if (n == s->n || s->p[n] != '@')
		return S("");
	pl_str user = {s->p, n + 1};
	*s = (pl_str){s->p + n + 1, s->n - n - 1};
	return user;
}

/* Where the host ends: the first "/", or the ":" before it where ssh is written without a scheme. */
static bool host_end(pl_str s, bool scp, size_t *end)
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	const char *colon = scp && s.n ? memchr(s.p, ':', s.n) : NULL;
	if (scp && (!slash || (colon && colon > s.p && colon < slash)))
		slash = colon;
	*end = slash ? (size_t)(slash - s.p) : s.n;
	return slash != NULL;
}

/* Takes the host, with its scheme, user and delimiter, off s. */
static bool read_host(struct build *b, pl_str *s, pl_str *host, bool *is_file, const char **why)
{
	(void)take_prefix(s, "git::");
	const char *scheme = take_scheme(s);
	pl_str user = take_user(s), at = *s;
	bool github = take_prefix(&at, "github.com/") || take_prefix(&at, "github.com:");
	bool scp = !*scheme && (user.n || github);
	size_t end;
	*is_file = strcmp(scheme, "file://") == 0;
	*why = "it has no scheme (https://, ssh://, file://) and is neither of github.com nor of the form "
	       "user@host:path";
	if (!*scheme && !scp)
		return false;
	if (*is_file) {
		*s = (pl_str){s->p - user.n, s->n + user.n};
		*host = S("file://");
		return true;
	}
	bool more = host_end(*s, scp, &end);
	size_t used = more ? end + 1 : end;
	*why = "it names no host";
	if (!used)
		return false;
	if (github && (strcmp(scheme, "ssh://") == 0 || user.n))
		*host = arena_printf(b->mem, "%.*sgithub.com:", F(user));
	else if (github)
		*host = S("https://github.com/");
	else
		*host = arena_printf(b->mem, "%s%.*s%.*s", scheme, F(user), F(((pl_str){s->p, used})));
	*s = (pl_str){s->p + used, s->n - used};
	return true;
}

/* ---- the path ---- */

static pl_str from(pl_str s, size_t n)
{
	return (pl_str){s.p + n, s.n - n};
}

static size_t find(pl_str s, const char *what)
{
	const char *p = s.p ? memmem(s.p, s.n, what, strlen(what)) : NULL;
	return p ? (size_t)(p - s.p) : SIZE_MAX;
}

static size_t step_end(pl_str s, size_t at)
{
	while (at < s.n && s.p[at] != '/')
		at++;
	return at;
}

/* Splits s into the repository's path and the folder in it. */
static bool split_path(pl_str s, bool is_file, struct remote *out, pl_str *repo)
{
	size_t at = find(s, "_git/"), end;
	pl_str rest;
	if (at != SIZE_MAX) {
		end = step_end(s, at + 5);
		rest = from(s, end < s.n ? end + 1 : end);
	} else if ((end = find(s, "//")) != SIZE_MAX) {
		rest = from(s, end + 2);
	} else if ((at = find(s, ".git")) != SIZE_MAX) {
		end = at + 4;
		rest = from(s, end);
	} else {
		end = is_file ? s.n : step_end(s, 0);
		if (!is_file && end == s.n)
			return false;
		end = is_file ? end : step_end(s, end + 1);
		*repo = (pl_str){s.p, end};
		out->path = from(s, end < s.n ? end + 1 : end);
		return end > 0;
	}
	out->marked = true;
	*repo = (pl_str){s.p, end};
	out->path = rest.n && rest.p[0] == '/' ? from(rest, 1) : rest;
	return end > 0;
}

bool remote_read(struct build *b, pl_str text, struct remote *out, const char **why)
{
	pl_str query = text, host, repo;
	bool is_file;
	*why = "it is an absolute path";
	if (!text.n || text.p[0] == '/')
		return false;
	pl_str rest = str_cut(&query, '?');
	*out = (struct remote){.raw = text};
	read_query(b, query, out);
	if (!read_host(b, &rest, &host, &is_file, why))
		return false;
	*why = "it names no repository";
	if (!split_path(rest, is_file, out, &repo))
		return false;
	*why = "its folder lies outside of the repository";
	if (!path_join(b, S(""), out->path, false, &out->path))
		return false;
	out->repo = arena_printf(b->mem, "%.*s%.*s", F(host), F(repo));
	return true;
}

/* ---- fetching ---- */

static pl_status json_options(struct build *b, const char *revision, pl_str url, pl_str ref, pl_str *out)
{
	char *text;
	size_t n;
	pl_node *options = pl_new_map(b->doc);
	(void)pl_sets(b->doc, options, "url", pl_new_string(b->doc, url));
	if (revision)
		(void)pl_sets(b->doc, options, revision, pl_new_string(b->doc, ref));
	pl_status st = pl_json_write(options, 0, &text, &n, b->err);
	if (st)
		return st;
	*out = arena_dup(b->mem, (pl_str){text, n});
	pl_free(text);
	return PL_OK;
}

/* The URL as it may be printed: without a user and a query, which may be secrets. */
static pl_str shown(struct build *b, pl_str url)
{
	const char *scheme = memmem(url.p, url.n, "://", 3);
	size_t from = scheme ? (size_t)(scheme + 3 - url.p) : url.n, to = from;
	while (to < url.n && !strchr("/?#", url.p[to]))
		to++;
	const char *user = memrchr(url.p + from, '@', to - from), *query = memchr(url.p, '?', url.n);
	size_t host = user ? (size_t)(user + 1 - url.p) : from, end = query ? (size_t)(query - url.p) : url.n;
	if (!scheme || end < host)
		return url;
	return arena_printf(b->mem, "%.*s%.*s%s", (int)from, url.p, (int)(end - host), url.p + host, query ? "?…" : "");
}

static pl_status not_fetched(struct build *b, pl_status st, const pl_node *at, pl_str url)
{
	url = shown(b, url);
	pl_str why = b->h->reason(b->h->ctx);
	return fail(b, st, at, "fetch '%.*s': %.*s", F(url), F(why.n ? why : str_of(pl_status_name(st))));
}

pl_status remote_open(struct build *b, const struct remote *r, const pl_node *at, pl_tree **out)
{
	pl_str options, id;
	pl_status st = json_options(b, "revision", r->repo, r->ref, &options);
	if (st)
		return st;
	st = b->h->open_remote(b->h->ctx, S("git"), options, &id, out);
	return st ? not_fetched(b, st, at, r->repo) : PL_OK;
}

pl_status remote_file(struct build *b, pl_str url, const pl_node *at, pl_str *text, const char **file)
{
	pl_str options, id;
	pl_tree *tree;
	const pl_entry *v;
	size_t n;
	pl_status st = json_options(b, NULL, url, S(""), &options);
	if (st)
		return st;
	st = b->h->open_remote(b->h->ctx, S("http"), options, &id, &tree);
	if (!st)
		st = b->h->tree_list(b->h->ctx, tree, S(""), &v, &n);
	if (!st && (n != 1 || v[0].type != PL_FILE))
		return fail(b, PL_EPLUGIN, at, "fetch '%.*s': one file was due, there are %zu", F(shown(b, url)), n);
	if (!st)
		st = b->h->tree_read(b->h->ctx, tree, v[0].name, text);
	*file = arena_dup(b->mem, shown(b, url)).p;
	return st ? not_fetched(b, st, at, url) : PL_OK;
}
