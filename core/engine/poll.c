/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll: asks each repository once a cycle for all wanted revisions, wakes the applications whose revision has moved,
 * and has the others compared with what is live, by marks that need no reading.
 */
#include "core/engine/internal.h"

#include "core/base/file.h"

/* ---- repositories ---- */

static struct repo *repo_make(struct engine *g, const struct plugin *p, pl_str options, const char *id,
			      struct pl_err *e)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_TEXT];
	struct repo *r = mem_zalloc(sizeof(*r));
	hash_of(str_of(id), digest);
	hash_hex(digest, hex);
	hex[24] = '\0';
	struct buf b = BUF_INIT(4096);
	buf_addf(&b, "%.*s/sources/%.*s-%s", F(config_get(g->config)->state_dir), F(plugin_table(p)->name), hex);
	pl_status st = source_open(g->registry, p, options, b.p, &r->source, e);
	buf_free(&b);
	if (st) {
		free(r);
		return NULL;
	}
	r->item.run = repo_poll;
	pthread_mutex_init(&r->asking, NULL);
	r->g = g;
	r->id = str_dup(str_of(id));
	r->plugin = p;
	r->options = str_dup(options);
	return r;
}

static struct repo *find(struct repo *const *v, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(id, v[i]->id))
			return v[i];
	return NULL;
}

/* One that only renders have used, now configured. Under mu. */
static struct repo *take_remote(struct engine *g, const char *id)
{
	struct repo *r = find(g->remotes, g->n_remotes, id);
	for (size_t i = 0; r && i < g->n_remotes; i++)
		if (g->remotes[i] == r)
			g->remotes[i] = g->remotes[--g->n_remotes];
	return r;
}

struct repo *repo_named(struct engine *g, const struct plugin *p, pl_str options, struct pl_err *e)
{
	struct buf id = BUF_INIT(SIZE_MAX);
	buf_addf(&id, "%.*s %.*s", F(plugin_table(p)->name), F(options));
	struct repo *r = find(g->repos, g->n_repos, id.p);
	if (!r) {
		pthread_mutex_lock(&g->mu);
		r = take_remote(g, id.p);
		pthread_mutex_unlock(&g->mu);
		r = r ? r : repo_make(g, p, options, id.p, e);
		if (r) {
			if (g->n_repos == g->cap_repos)
				g->repos = mem_grow(g->repos, &g->cap_repos, g->n_repos + 1, sizeof(struct repo *));
			g->repos[g->n_repos++] = r;
		}
	}
	buf_free(&id);
	return r;
}

struct repo *repo_remote(struct engine *g, const struct plugin *p, pl_str options, struct pl_err *e)
{
	struct buf id = BUF_INIT(SIZE_MAX);
	buf_addf(&id, "%.*s %.*s", F(plugin_table(p)->name), F(options));
	struct repo *r = find(g->repos, g->n_repos, id.p);
	pthread_mutex_lock(&g->mu);
	r = r ? r : find(g->remotes, g->n_remotes, id.p);
	if (!r) {
		r = repo_make(g, p, options, id.p, e);
		if (r) {
			g->remotes = mem_grow(g->remotes, &g->cap_remotes, g->n_remotes + 1, sizeof(struct repo *));
			g->remotes[g->n_remotes++] = r;
		}
	}
	pthread_mutex_unlock(&g->mu);
	buf_free(&id);
	return r;
}

size_t repo_answer(struct repo *r, pl_str revision)
{
	size_t i = 0;
	while (i < r->n_answers && !str_eq(str_of(r->answers[i].wanted), revision))
		i++;
	if (i == r->n_answers) {
		r->answers = mem_realloc(r->answers, (r->n_answers + 1) * sizeof(*r->answers));
		r->answers[r->n_answers++] = (struct answer){.wanted = str_dup(revision)};
	}
	return i;
}

size_t repo_want(struct repo *r, pl_str revision)
{
	pthread_mutex_lock(&r->g->mu);
	size_t i = repo_answer(r, revision);
	r->answers[i].users++;
	pthread_mutex_unlock(&r->g->mu);
	return i;
}

bool repo_is_used(struct repo *r)
{
	bool used = false;
	pthread_mutex_lock(&r->g->mu);
	for (size_t i = 0; i < r->n_answers && !used; i++)
		used = r->answers[i].users > 0;
	pthread_mutex_unlock(&r->g->mu);
	return used;
}

void repo_free(struct repo *r)
{
	for (size_t i = 0; i < r->n_answers; i++) {
		struct answer *x = &r->answers[i];
		if (x->snapshot)
			snapshot_unref(x->snapshot);
		free(x->wanted);
		free(x->id);
		free(x->name);
		free(x->error);
	}
	source_unref(r->source);
	pthread_mutex_destroy(&r->asking);
	free(r->answers);
	free(r->apps);
	free(r->id);
	free(r->options);
	free(r);
}

pl_status repo_resolve(struct repo *r, pl_str revision, struct arena *a, struct source_revision *out,
		       struct cancel *cancel, struct pl_err *e)
{
	COUNT(r->g, polls, 1);
	pl_status st = source_resolve(r->source, &revision, 1, TIMEOUT_RESOLVE, cancel, a, out, e);
	if (!st && out->status)
		st = err_set(e, out->status, "%.*s", F(out->error));
	return st ? pl_err_in(e, "resolve") : PL_OK;
}

/* ---- one poll ---- */

struct polled {
	struct arena *mem;
	size_t *at; /* which answer */
	pl_str *wanted;
	struct source_revision *got;
	bool *moved;
	size_t n;
};

static void gather(struct repo *r, struct polled *p)
{
	pthread_mutex_lock(&r->g->mu); /* renders add answers at any time */
	p->at = arena_array(p->mem, r->n_answers, sizeof(*p->at));
	p->wanted = arena_array(p->mem, r->n_answers, sizeof(*p->wanted));
	p->got = arena_array(p->mem, r->n_answers, sizeof(*p->got));
	p->moved = arena_array(p->mem, r->n_answers, sizeof(*p->moved));
	for (size_t i = 0; i < r->n_answers; i++) {
		if (!r->answers[i].users)
			continue;
		p->at[p->n] = i;
		p->wanted[p->n++] = arena_dup(p->mem, str_of(r->answers[i].wanted));
	}
	pthread_mutex_unlock(&r->g->mu);
}

/* Brings what has moved into the cache; when that fails, the old revision stays in force. */
static pl_status bring(struct repo *r, struct polled *p, struct pl_err *e)
{
	pl_str *ids = arena_array(p->mem, p->n, sizeof(*ids)), *names = arena_array(p->mem, p->n, sizeof(*names));
	size_t n = 0;
	pthread_mutex_lock(&r->g->mu);
	for (size_t i = 0; i < p->n; i++) {
		if (p->got[i].status || str_eq(p->got[i].id, str_of(r->answers[p->at[i]].id)))
			continue;
		p->moved[i] = true;
		ids[n] = p->got[i].id;
		names[n++] = p->got[i].name.n ? p->got[i].name : p->wanted[i];
	}
	pthread_mutex_unlock(&r->g->mu);
	return n ? acquire_content(r, ids, names, n, r->item.cancel, e) : PL_OK;
}

static void publish_answers(struct repo *r, struct polled *p, pl_status st, const struct pl_err *e)
{
	struct engine *g = r->g;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < p->n; i++) {
		struct answer *x = &r->answers[p->at[i]];
		x->status = st ? st : p->got[i].status;
		x->stale &= st != PL_OK;
		/* Of a configured source its applications tell. */
		if (!st && x->status && !r->n_apps && !str_eq(str_of(x->error), p->got[i].error))
			log_line(g->o.log, LOG_WARN, (pl_str){0}, "%.*s", F(p->got[i].error));
		keep(&x->error, st ? str_of(pl_err_text(e)) : p->got[i].error);
		if (st || !p->moved[i])
			continue;
		keep(&x->id, p->got[i].id);
		keep(&x->name, p->got[i].name);
	}
	r->asked = true;
	pthread_mutex_unlock(&g->mu);
}

/* One snapshot for everybody, opened before they are woken. */
static void warm_up(struct repo *r, struct polled *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct snapshot *s;
		if (p->moved[i] && !acquire(r, p->got[i].id, p->got[i].name, r->item.cancel, &s, NULL))
			snapshot_unref(s);
	}
}

/* Applications whose revision moved or that aren't in order look for themselves; the rest is compared here, all at
 * once. */
static void compare_chunk(struct repo *r, struct app **apps, size_t n)
{
	bool same[256];
	struct engine *g = r->g;
	look_unchanged(apps, n, same, r->item.cancel);
	int64_t now = clock_wall_ms();
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < n; i++)
		if (same[i])
			apps[i]->checked_ms = now;
	pthread_mutex_unlock(&g->mu);
	for (size_t i = 0; i < n; i++)
		if (same[i] && !apps[i]->looked)
			app_looked(apps[i]);
	for (size_t i = 0; i < n; i++) {
		queue_release(g->queue, &apps[i]->item);
		if (!same[i])
			app_wake(apps[i], true, 0);
	}
}

static void wake_apps(struct repo *r, bool all)
{
	struct engine *g = r->g;
	struct app *quiet[256];
	size_t n = 0;
	for (size_t i = 0; i < r->n_apps; i++) {
		struct app *a = r->apps[i];
		bool borrowed = queue_borrow(g->queue, &a->item);
		pthread_mutex_lock(&g->mu);
		const struct answer *x = &r->answers[a->want];
		bool is_quiet =
			borrowed && a->settled && !all && !a->full && !a->requests && !a->run && !a->error &&
			!x->status &&
			((a->pinned && a->pinned[0]) || (a->desired_id && x->id && !strcmp(a->desired_id, x->id)));
		if (a->run && x->id && !run_is_of(a, str_of(x->id)))
			a->superseded = true;
		pthread_mutex_unlock(&g->mu);
		if (is_quiet) {
			quiet[n++] = a;
			if (n == 256)
				compare_chunk(r, quiet, n);
			n %= 256;
			continue;
		}
		if (borrowed)
			queue_release(g->queue, &a->item);
		app_wake(a, all, 0);
	}
	if (n)
		compare_chunk(r, quiet, n);
}

static pl_status poll_once(struct repo *r, struct polled *p, struct pl_err *e)
{
	gather(r, p);
	FAULT("engine.poll.before");
	COUNT(r->g, polls, 1);
	pl_status st = source_resolve(r->source, p->wanted, p->n, TIMEOUT_RESOLVE, r->item.cancel, p->mem, p->got, e);
	if (!st)
		st = bring(r, p, e);
	if (st == PL_ECANCELLED)
		return st;
	publish_answers(r, p, st, e);
	if (!st)
		warm_up(r, p);
	for (size_t i = 0; i < p->n && !st; i++)
		if (p->moved[i])
			remotes_wake(r, p->at[i]);
	FAULT("engine.poll.after");
	return st;
}

static int64_t cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* As the config calls it; sources that share it are told by the first one's name. */
static pl_str repo_name(const struct repo *r)
{
	const struct config_app *c = r->n_apps ? r->apps[0]->c : NULL;
	return c ? c->source->name : str_of(r->id);
}

void repo_poll(struct queue_item *i)
{
	struct repo *r = (struct repo *)i;
	struct engine *g = r->g;
	struct polled p = {.mem = arena_new()};
	struct pl_err e = ERR_INIT;
	int64_t start = cpu_us();
	pthread_mutex_lock(&g->mu);
	bool all = r->refresh;
	r->refresh = false;
	pthread_mutex_unlock(&g->mu);
	bool used = r->n_apps || repo_is_used(r);
	pl_status st = used ? poll_once(r, &p, &e) : PL_OK;
	if (st == PL_ECANCELLED) {
		pthread_mutex_lock(&g->mu);
		r->refresh |= all;
		pthread_mutex_unlock(&g->mu);
		queue_wake(g->queue, i, 0); /* a reload; when the engine stops nobody hears it */
	} else if (used) {
		if (st)
			log_line(g->o.log, LOG_WARN, (pl_str){0}, "source '%.*s': %s", F(repo_name(r)),
				 pl_err_text(&e));
		wake_apps(r, all);
		r->failures = st ? r->failures + 1 : 0;
		int64_t delay = config_get(g->config)->poll_ms;
		if (st) {
			int64_t retry = record_backoff(str_of(r->id), r->failures, RETRY_BASE, RETRY_MAX);
			delay = retry < delay ? retry : delay;
		}
		queue_wake(g->queue, i, jitter(delay));
		atomic_store(&g->count.pass_cpu_us, (uint64_t)(cpu_us() - start));
		COUNT(g, passes, 1);
		engine_say(g);
	}
	err_clear(&e);
	arena_free(p.mem);
}
