/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees that renders take from elsewhere: a kustomization names a repository by its URL. The operator says from which
 * hosts (remoteHosts); nobody else may make plumb call addresses, for a repository's authors are not the operator.
 *
 * Such a repository is a struct repo like a configured one, so one poll serves all applications that use it. Its
 * answers are asked for by the first render that needs them, then by polls.
 */
#include "core/engine/internal.h"

#include <strings.h>

struct engine_remotes {
	struct remotes base; /* first */
	struct app *a;
};

/* ---- may it? ---- */

struct url {
	pl_str host, port;
	bool own_port; /* the scheme's */
};

/* Only what every library takes for the same: a byte that one of them reads another way could lead elsewhere. */
static bool only(pl_str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!plain && (c == 0 || !strchr(more, c)))
			return false;
	}
	return true;
}

static bool is_number(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static bool cut_port(pl_str authority, const char *own_port, struct url *u)
{
	const char *end = authority.n && authority.p[0] == '[' ? memchr(authority.p, ']', authority.n) : authority.p;
	if (!authority.n || !end)
		return false;
	const char *colon = memchr(end, ':', authority.n - (size_t)(end - authority.p));
	u->host = (pl_str){authority.p, colon ? (size_t)(colon - authority.p) : authority.n};
	u->port = colon ? (pl_str){colon + 1, authority.n - u->host.n - 1} : str_of(own_port);
	u->own_port = str_eqz(u->port, own_port);
	return u->host.n > 0 && is_number(u->port) && only(u->host, *u->host.p == '[' ? "[]:." : ".-_");
}

/* SCHEME://[USER@]HOST[:PORT]/… and USER@HOST:PATH; false: a path of this machine, or nothing that has a host. */
static bool read_url(pl_str url, struct url *u)
{
	static const struct {
		pl_str scheme;
		const char *port;
	} schemes[] = {
		{S_INIT("https://"), "443"},
		{S_INIT("http://"), "80"},
		{S_INIT("ssh://"), "22"},
		{S_INIT("git://"), "9418"},
	};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t from = schemes[i].scheme.n, to = from;
		if (!str_starts(url, schemes[i].scheme))
			continue;
		while (to < url.n && !strchr("/?#", url.p[to]))
			to++;
		const char *at = memrchr(url.p + from, '@', to - from);
		if (at && !only((pl_str){url.p + from, (size_t)(at - url.p) - from}, "._~%+-:"))
			return false;
		from = at ? (size_t)(at + 1 - url.p) : from;
		return cut_port((pl_str){url.p + from, to - from}, schemes[i].port, u);
	}
	const char *colon = memchr(url.p ? url.p : "", ':', url.n);
	const char *slash = memchr(url.p ? url.p : "", '/', url.n);
	if (!colon || (slash && slash < colon) ||
	    str_starts((pl_str){colon, url.n - (size_t)(colon - url.p)}, S("://")))
		return false;
	const char *at = memchr(url.p, '@', (size_t)(colon - url.p));
	const char *host = at ? at + 1 : url.p;
	return cut_port((pl_str){host, (size_t)(colon - host)}, "22", u);
}

/* HOST, HOST:PORT, *.DOMAIN or *; without a port only the scheme's own. */
static bool matches(pl_str pattern, const struct url *u)
{
	pl_str host = pattern, port = {0};
	const char *colon = memrchr(pattern.p, ':', pattern.n);
	if (str_eq(pattern, S("*")))
		return true;
	if (colon && colon[1] && !memchr(colon, ']', pattern.n - (size_t)(colon - pattern.p))) {
		host.n = (size_t)(colon - pattern.p);
		port = (pl_str){colon + 1, pattern.n - host.n - 1};
	}
	if (port.n ? !str_eq(port, u->port) : !u->own_port)
		return false;
	if (str_starts(host, S("*.")))
		return u->host.n > host.n - 1 &&
		       strncasecmp(u->host.p + u->host.n - (host.n - 1), host.p + 1, host.n - 1) == 0;
	return u->host.n == host.n && strncasecmp(u->host.p, host.p, host.n) == 0;
}

static pl_status check_host(struct engine *g, pl_str name, struct pl_err *e)
{
	const struct config_root *c = config_get(g->config);
	struct url u = {0};
	if (!read_url(name, &u))
		return err_set(e, PL_EDENIED, "a repository may not name what lies on this machine");
	for (size_t i = 0; i < c->n_remote_hosts; i++)
		if (matches(c->remote_hosts[i], &u))
			return PL_OK;
	err_set(e, PL_EDENIED, "nothing may be taken from '%.*s%s%.*s'", F(u.host), u.own_port ? "" : ":",
		F(u.own_port ? (pl_str){0} : u.port));
	pl_err_hint(e, "`remoteHosts: [%.*s%s%.*s]` in plumb.yaml permits it", F(u.host), u.own_port ? "" : ":",
		    F(u.own_port ? (pl_str){0} : u.port));
	return PL_EDENIED;
}

void remotes_check(const struct config *c, struct err_list *errors)
{
	const struct config_root *r = config_get(c);
	char *file = str_dup(r->path);
	for (size_t i = 0; i < r->n_remote_hosts; i++) {
		struct url u = {0};
		pl_str h = r->remote_hosts[i], host = str_starts(h, S("*.")) ? (pl_str){h.p + 2, h.n - 2} : h;
		if (str_eq(h, S("*")) || cut_port(host, "443", &u))
			continue;
		struct pl_err *e = err_list_add(errors);
		pl_err_set(e, PL_EINVAL, (pl_place){file, 0, 0},
			   "remoteHosts: '%.*s' is no host (HOST, HOST:PORT, *.DOMAIN or *)", F(h));
		if (read_url(h, &u))
			pl_err_hint(e, "write '%.*s%s%.*s'", F(u.host), u.own_port ? "" : ":",
				    F(u.own_port ? (pl_str){0} : u.port));
	}
	free(file);
}

void remotes_conf(struct engine *g, struct hash *h)
{
	const struct config_root *c = config_get(g->config);
	for (size_t i = 0; i < c->n_remote_hosts; i++) /* without any: as before there were any */
		hash_add_field(h, c->remote_hosts[i]);
}

/* A source that follows redirects is told where they may lead. */
static pl_str with_hosts(struct engine *g, const struct plugin *p, pl_str options, struct arena *mem)
{
	const struct config_root *c = config_get(g->config);
	pl_doc *d = pl_doc_new(NULL);
	pl_node *schema = NULL, *root = NULL;
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_str out = options;
	if (!pl_json_read(d, plugin_table(p)->options_schema, NULL, 0, &schema, NULL) &&
	    pl_gets(pl_gets(schema, "properties"), "allowedHosts") && !pl_json_read(d, options, NULL, 0, &root, NULL)) {
		pl_node *hosts = pl_new_list(d);
		for (size_t i = 0; i < c->n_remote_hosts; i++)
			pl_append(d, hosts, pl_new_string(d, c->remote_hosts[i]));
		pl_sets(d, root, "allowedHosts", hosts);
		if (!json_print(root, PL_PRINT_SORTED, &b, NULL))
			out = arena_dup(mem, buf_str(&b));
	}
	buf_free(&b);
	pl_doc_unref(d);
	return out;
}

/* ---- what a revision is now ---- */

static bool is_id(pl_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n == 40 || s.n == 64;
}

/* Under mu. What was found once stays in force while it can't be asked for. */
static bool is_known(const struct repo *r, size_t i, struct arena *mem, struct source_revision *out)
{
	const struct answer *x = &r->answers[i];
	bool has = x->id != NULL;
	*out = (struct source_revision){.status = has ? PL_OK : x->status,
					.id = arena_dup(mem, str_of(x->id)),
					.name = arena_dup(mem, str_of(x->name)),
					.error = arena_dup(mem, str_of(x->error))};
	return !x->stale && (has || (x->status && remote_is_answer(x->status)));
}

/* Under mu. Did it move? */
static bool learn(struct repo *r, size_t i, const struct source_revision *got)
{
	struct answer *x = &r->answers[i];
	bool moved = !got->status && x->id && !str_eqz(got->id, x->id);
	x->status = got->status;
	x->stale = false;
	keep(&x->error, got->error);
	if (!got->status) {
		keep(&x->id, got->id);
		keep(&x->name, got->name);
	}
	return moved;
}

void remotes_wake(struct repo *r, size_t want)
{
	struct engine *g = r->g;
	size_t n = 0;
	pthread_mutex_lock(&g->mu);
	struct app **users = mem_zalloc((g->n_apps + 1) * sizeof(*users));
	for (size_t i = 0; i < g->n_apps; i++)
		for (size_t k = 0; k < g->apps[i]->n_uses; k++)
			if (g->apps[i]->uses[k].repo == r && g->apps[i]->uses[k].want == want)
				users[n++] = g->apps[i];
	pthread_mutex_unlock(&g->mu);
	for (size_t i = 0; i < n; i++)
		app_wake(users[i], true, 0);
	free(users);
}

/* One listing, however many ask at the same time. */
static pl_status now(struct repo *r, pl_str wanted, struct cancel *cancel, struct arena *mem,
		     struct source_revision *out, struct pl_err *e)
{
	struct engine *g = r->g;
	bool moved = false;
	pl_status st = PL_OK;
	pthread_mutex_lock(&r->asking);
	pthread_mutex_lock(&g->mu);
	size_t i = repo_answer(r, wanted);
	bool known = is_known(r, i, mem, out);
	pthread_mutex_unlock(&g->mu);
	if (!known) {
		struct source_revision got;
		COUNT(g, polls, 1);
		st = source_resolve(r->source, &wanted, 1, TIMEOUT_RESOLVE, cancel, mem, &got, e);
		pthread_mutex_lock(&g->mu);
		if (!st)
			moved = learn(r, i, &got);
		if (!st)
			is_known(r, i, mem, out);
		pthread_mutex_unlock(&g->mu);
	}
	pthread_mutex_unlock(&r->asking);
	if (moved)
		remotes_wake(r, i);
	return st;
}

/* A full id is what it is; resolving it asks nobody. */
static pl_status find_revision(struct repo *r, pl_str wanted, struct cancel *cancel, struct arena *mem,
			       struct source_revision *out, struct pl_err *e)
{
	if (!is_id(wanted))
		return now(r, wanted, cancel, mem, out, e);
	if (!source_has(r->source, wanted))
		return source_resolve(r->source, &wanted, 1, TIMEOUT_RESOLVE, cancel, mem, out, e);
	*out = (struct source_revision){.id = wanted};
	return PL_OK;
}

/* ---- opening ---- */

static struct repo *repo_of(struct engine *g, const struct plugin *p, pl_str options, struct pl_err *e)
{
	struct arena *mem = arena_new();
	pl_str all = with_hosts(g, p, options, mem);
	struct repo *r = repo_remote(g, p, all, e);
	arena_free(mem);
	return r;
}

static pl_status open_remote(struct remotes *self, const struct remote_want *w, struct cancel *cancel, struct arena *a,
			     struct remote_found *out, struct pl_err *e)
{
	struct engine *g = ((struct engine_remotes *)self)->a->g;
	struct source_revision got = {0};
	pl_status st = check_host(g, w->name, e);
	if (st)
		return st;
	struct repo *r = repo_of(g, w->plugin, w->options, e);
	if (!r)
		return pl_err_code(e);
	st = find_revision(r, w->revision, cancel, a, &got, e);
	if (!st && got.status)
		st = err_set(e, got.status, "%.*s", F(got.error));
	if (st)
		return st;
	out->id = got.id;
	return acquire(r, got.id, got.name, cancel, &out->snapshot, e);
}

struct remotes *remotes_of(struct app *a, struct arena *mem)
{
	struct engine_remotes *r = arena_zalloc(mem, sizeof(*r));
	*r = (struct engine_remotes){.base = {open_remote}, .a = a};
	return &r->base;
}

/* ---- what an application uses ---- */

static struct repo *noted_repo(struct engine *g, const struct trace_remote *n)
{
	const struct plugin *p;
	return registry_get(g->registry, PL_KIND_SOURCE, n->plugin, &p, NULL) ? NULL : repo_of(g, p, n->options, NULL);
}

/* Under mu. */
static void count_uses(struct app *a, int by)
{
	for (size_t i = 0; i < a->n_uses; i++) {
		struct answer *x = &a->uses[i].repo->answers[a->uses[i].want];
		x->users = by > 0 ? x->users + 1 : x->users ? x->users - 1 : 0;
	}
}

void remotes_use(struct app *a, const struct trace_remote *v, size_t n)
{
	struct engine *g = a->g;
	struct use *uses = mem_zalloc((n + 1) * sizeof(*uses)), *old;
	size_t n_uses = 0;
	for (size_t i = 0; i < n; i++) {
		struct repo *r = is_id(v[i].revision) ? NULL : noted_repo(g, &v[i]);
		if (!r)
			continue; /* fixed; or a plugin that is gone, which the render's key tells */
		pthread_mutex_lock(&g->mu);
		uses[n_uses++] = (struct use){r, repo_answer(r, v[i].revision)};
		pthread_mutex_unlock(&g->mu);
	}
	pthread_mutex_lock(&g->mu);
	count_uses(a, -1);
	old = a->uses;
	a->uses = uses;
	a->n_uses = n_uses;
	a->uses_known = true;
	count_uses(a, 1);
	pthread_mutex_unlock(&g->mu);
	free(old);
	for (size_t i = 0; i < n_uses; i++)
		queue_wake(g->queue, &uses[i].repo->item, jitter(config_get(g->config)->poll_ms));
}

void remotes_count_again(struct engine *g)
{
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_apps; i++)
		if (g->apps[i]->c)
			count_uses(g->apps[i], 1);
	pthread_mutex_unlock(&g->mu);
}

void remotes_stale(struct app *a)
{
	pthread_mutex_lock(&a->g->mu);
	for (size_t i = 0; i < a->n_uses; i++)
		a->uses[i].repo->answers[a->uses[i].want].stale = true;
	pthread_mutex_unlock(&a->g->mu);
}

/* One that can't be asked counts as unmoved: what is known goes on. */
static pl_status has_moved(struct app *a, const struct trace_remote *n, struct arena *mem, bool *moved)
{
	struct source_revision got = {0};
	struct pl_err e = ERR_INIT;
	struct repo *r = noted_repo(a->g, n);
	pl_status st = r ? now(r, n->revision, a->item.cancel, mem, &got, &e) : PL_OK;
	*moved = r && !st && !str_eq(got.status ? S("") : got.id, n->id);
	if (st && st != PL_ECANCELLED)
		log_line(a->g->o.log, LOG_WARN, str_of(a->name), "%s", pl_err_text(&e));
	err_clear(&e);
	return st == PL_ECANCELLED ? st : PL_OK;
}

pl_status remotes_same(struct app *a, const struct trace *t, bool *same, struct pl_err *e)
{
	size_t n;
	const struct trace_remote *v = trace_remotes(t, &n);
	struct arena *mem = arena_new();
	pl_status st = PL_OK;
	if (!a->uses_known)
		remotes_use(a, v, n);
	for (size_t i = 0; i < n && *same && !st; i++) {
		bool moved = false;
		if (!is_id(v[i].revision))
			st = has_moved(a, &v[i], mem, &moved);
		*same = !moved;
	}
	arena_free(mem);
	return st ? err_set(e, st, "stopped while other repositories were asked") : PL_OK;
}
