/* SPDX-License-Identifier: Apache-2.0 */
/* ops: what people do. A sync is asked for here and done by the application's own turn; the rest only looks. */
#include "core/engine/internal.h"

/* ---- requests ---- */

bool request_take(struct app *a, struct request **out)
{
	pthread_mutex_lock(&a->g->mu);
	*out = a->requests;
	if (*out) {
		a->requests = (*out)->next;
		(*out)->started = true;
	}
	pthread_mutex_unlock(&a->g->mu);
	return *out != NULL;
}

void request_end(struct app *a, struct request *r, pl_status st, const struct pl_err *e)
{
	pthread_mutex_lock(&a->g->mu);
	r->status = st;
	if (st && r->e && e)
		err_copy(r->e, e);
	r->done = true;
	pthread_mutex_unlock(&a->g->mu);
	engine_say(a->g);
}

static pl_status may_sync(struct app *a, const struct sync_request *q, struct pl_err *e)
{
	if (!a->c)
		return err_set(e, PL_EDENIED, "application '%s' has left the configuration", a->name);
	if (a->pinned && !q->render && !q->revision.n && !q->dry_run) {
		err_set(e, PL_EDENIED, "application '%s' is pinned to %s (%s)", a->name, a->pinned,
			a->pin_reason ? a->pin_reason : "");
		pl_err_hint(e, "`plumb resume %s` lets it follow its source again", a->name);
		return PL_EDENIED;
	}
	return PL_OK;
}

static pl_status begin(struct app *a, struct request *r, struct look *l, struct pl_err *e)
{
	const struct sync_request *q = r->q;
	struct plan_policy policy = app_policy(a);
	policy.prune |= q->prune;
	policy.prune_confirmed = q->prune;
	policy.only = q->only;
	policy.n_only = q->n_only;
	struct wish w = {.revision = q->revision, .render = q->render, .policy = &policy, .touch_nothing = q->dry_run};
	struct store_history h = {0};
	pl_status st = may_sync(a, q, e);
	if (!st && !q->render && !q->revision.n &&
	    !a->pinned) { /* a person wants the newest, not what was polled minutes ago */
		struct source_revision got;
		remotes_stale(a);
		st = repo_resolve(a->repo, a->c->revision, l->mem, &got, a->item.cancel, e);
		w.revision_id = got.id;
		w.revision_name = got.name;
	}
	if (!st && q->render) {
		st = store_history_get(a->g->store, q->render, l->mem, &h, e);
		if (!st && !h.render)
			st = err_set(e, PL_ENOTFOUND, "history entry %lld has no stored render", (long long)q->render);
		w.render = h.render;
		w.revision_id = h.revision;
		w.revision_name = h.revision_name;
	}
	if (!st)
		st = look_at(a, &w, a->item.cancel, l, e);
	struct run_start s = {.initiator = q->initiator,
			      .policy = policy,
			      .dry_run = q->dry_run,
			      .fixed = q->render || q->revision.n,
			      .request = r};
	return st ? st : run_start(a, l, &s, e);
}

void request_step(struct app *a, struct request *r)
{
	struct pl_err e = ERR_INIT;
	struct look l;
	look_init(&l);
	pl_status st = begin(a, r, &l, &e);
	if (l.mem)
		look_clear(&l);
	if (st == PL_ECANCELLED && !atomic_load(&a->g->stopping) && !cancel_fired(r->cancel)) {
		pthread_mutex_lock(&a->g->mu); /* a reload: again */
		r->next = a->requests;
		a->requests = r;
		pthread_mutex_unlock(&a->g->mu);
	} else if (st) {
		request_end(a, r, st, &e);
		app_wake(a, true, 0);
	}
	err_clear(&e);
}

/* ---- waiting ---- */

static void wait_a_bit(struct engine *g)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 100 * 1000 * 1000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&g->changed, &g->mu, &t);
}

static void withdraw(struct app *a, struct request *r)
{
	for (struct request **p = &a->requests; *p; p = &(*p)->next) {
		if (*p != r)
			continue;
		*p = r->next;
		r->done = true;
		r->status = err_set(r->e, PL_ECANCELLED, "the sync of '%s' was cancelled before it started", a->name);
		return;
	}
}

static void wait_health(struct app *a, struct request *r, int64_t until)
{
	struct engine *g = a->g;
	while (!cancel_fired(r->cancel) && !atomic_load(&g->stopping) && clock_mono_ms() < until &&
	       (a->health == PL_PROGRESSING || a->health == PL_MISSING))
		wait_a_bit(g);
	r->out->health = a->health;
	r->out->in_line = a->sync == STATUS_SYNCED && a->health <= PL_HEALTHY;
}

/* Under mu. */
static void wait_for(struct app *a, struct request *r, int64_t until)
{
	struct engine *g = a->g;
	while (!r->done) {
		if (!r->started && (cancel_fired(r->cancel) || atomic_load(&g->stopping)))
			withdraw(a, r);
		else if (r->started && !a->run && atomic_load(&g->stopping) && !g->n_pool)
			break;
		else
			wait_a_bit(g);
		if (r->done)
			break;
		if (atomic_load(&g->stopping) && r->started && !g->n_pool)
			break;
	}
	if (!r->done) {
		r->status = err_set(r->e, PL_ECANCELLED, "plumb is stopping: the sync goes on at the next start");
		r->done = true;
	}
	if (!r->status && !r->q->dry_run && str_eqz(r->out->phase, "Succeeded"))
		wait_health(a, r, until);
}

pl_status engine_sync(struct engine *g, const struct sync_request *q, int64_t wait_ms, sync_progress_fn progress,
		      void *ctx, struct cancel *cancel, struct arena *a, struct sync_outcome *out, struct pl_err *e)
{
	struct app *x;
	struct request r = {.q = q, .progress = progress, .ctx = ctx, .cancel = cancel, .a = a, .out = out, .e = e};
	*out = (struct sync_outcome){0};
	if (!g->store)
		return err_set(e, PL_EUNSUPPORTED, "nothing can be synced without the state folder");
	engine_pool_start(g);
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	pl_status st = engine_find_or(g, q->app, &x, e);
	if (!st) {
		struct request **end = &x->requests;
		while (*end)
			end = &(*end)->next;
		*end = &r;
		queue_wake(g->queue, &x->item, 0);
	}
	pthread_mutex_unlock(&g->mu);
	pthread_rwlock_unlock(&g->gen);
	if (st)
		return st;
	pthread_mutex_lock(&g->mu);
	wait_for(x, &r, clock_mono_ms() + wait_ms);
	pthread_mutex_unlock(&g->mu);
	return r.status ? pl_err_in(e, "sync %.*s", F(q->app)) : PL_OK;
}

/* ---- looking ---- */

static pl_status look_for(struct engine *g, pl_str app, pl_str revision, struct look *l, struct pl_err *e)
{
	struct app *x;
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	pl_status st = engine_find_or(g, app, &x, e);
	pthread_mutex_unlock(&g->mu);
	if (!st && !x->c && !x->target)
		st = err_set(e, PL_ENOTFOUND, "application '%.*s' has left the configuration, and so has its target",
			     F(app));
	struct wish w = {.revision = revision, .touch_nothing = true, .gone = !st && !x->c};
	if (!st)
		st = look_at(x, &w, NULL, l, e);
	if (!st && x->c)
		st = left_rows(x, l, e);
	pthread_rwlock_unlock(&g->gen);
	return st;
}

pl_status engine_plan(struct engine *g, pl_str app, pl_str revision, struct arena *a, pl_doc **doc, struct plan *out,
		      struct pl_err *e)
{
	struct look l;
	look_init(&l);
	*doc = NULL;
	pl_status st = look_for(g, app, revision, &l, e);
	if (st) {
		look_clear(&l);
		return st;
	}
	*out = l.plan;
	*doc = l.doc;
	arena_defer(a, (void (*)(void *))arena_free, l.mem); /* rows and slices live there */
	return PL_OK;
}

pl_status engine_render(struct engine *g, pl_str app, pl_str revision, pl_doc **doc, pl_node ***out, size_t *n,
			struct arena *a, struct pl_err *e)
{
	struct app *x;
	struct source_revision got;
	struct snapshot *s = NULL;
	struct rendered r = {0};
	*doc = pl_doc_new(NULL);
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	pl_status st = engine_find_or(g, app, &x, e);
	pthread_mutex_unlock(&g->mu);
	if (!st && !x->c)
		st = err_set(e, PL_ENOTFOUND, "application '%.*s' has left the configuration", F(app));
	if (!st)
		st = repo_resolve(x->repo, revision.n ? revision : x->c->revision, a, &got, NULL, e);
	if (!st)
		st = acquire(x->repo, got.id, got.name, NULL, &s, e);
	if (!st)
		st = render_app(x, s, a, *doc, NULL, &r, e);
	if (s)
		snapshot_unref(s);
	pthread_rwlock_unlock(&g->gen);
	*n = st ? 0 : r.n;
	*out = arena_array(a, *n, sizeof(**out));
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = (pl_node *)(uintptr_t)r.desired[i].node;
	if (st) {
		pl_doc_unref(*doc);
		*doc = NULL;
	}
	return st;
}

pl_status engine_history(struct engine *g, pl_str app, size_t limit, struct arena *a, struct store_history **out,
			 size_t *n, struct pl_err *e)
{
	if (!g->store)
		return err_set(e, PL_EUNSUPPORTED, "there is no history without the state folder");
	pl_status st = store_history_list(g->store, app, limit, true, a, out, n, e);
	if (st || *n)
		return st;
	struct app *x;
	pthread_mutex_lock(&g->mu);
	st = engine_find_or(g, app, &x, e);
	pthread_mutex_unlock(&g->mu);
	return st;
}

/* The last successful entry with another revision than the present one. */
static pl_status entry_before(struct engine *g, pl_str app, struct arena *a, struct store_history *out,
			      struct pl_err *e)
{
	struct store_history *h;
	struct store_app row;
	size_t n;
	pl_status st = engine_history(g, app, 0, a, &h, &n, e);
	if (!st)
		st = store_app_get(g->store, app, a, &row, e);
	for (size_t i = 0; !st && i < n; i++) {
		if (str_eqz(h[i].phase, "Succeeded") && h[i].render && !str_eq(h[i].revision, row.revision)) {
			*out = h[i];
			return PL_OK;
		}
	}
	return st ? st
		  : err_set(e, PL_ENOTFOUND, "application '%.*s' has no earlier successful sync to go back to", F(app));
}

pl_status engine_rollback(struct engine *g, pl_str app, int64_t id, pl_str initiator, int64_t wait_ms,
			  sync_progress_fn progress, void *ctx, struct cancel *cancel, struct arena *a,
			  struct sync_outcome *out, struct pl_err *e)
{
	struct store_history h;
	if (!g->store)
		return err_set(e, PL_EUNSUPPORTED, "nothing can be rolled back without the state folder");
	pl_status st = id ? store_history_get(g->store, id, a, &h, e) : entry_before(g, app, a, &h, e);
	if (!st && !str_eq(h.app, app))
		st = err_set(e, PL_ENOTFOUND, "history entry %lld is not of application '%.*s' but of '%.*s'",
			     (long long)id, F(app), F(h.app));
	if (st)
		return pl_err_in(e, "rollback %.*s", F(app));
	pl_str who = initiator; /* "rollback by alice" or "alice" */
	if (str_starts(who, S("rollback by ")))
		who = (pl_str){who.p + 12, who.n - 12};
	struct sync_request q = {.app = app,
				 .render = h.id,
				 .initiator = arena_printf(a, "rollback by %.*s", F(who)),
				 .pin_reason =
					 arena_printf(a, "rolled back to entry %lld by %.*s", (long long)h.id, F(who))};
	return engine_sync(g, &q, wait_ms, progress, ctx, cancel, a, out, e);
}

/* ---- holding and letting go ---- */

static pl_status change_row(struct engine *g, pl_str app, bool suspended, pl_str reason, bool unpin, struct pl_err *e)
{
	struct arena *mem = arena_new();
	struct store_app row;
	struct app *x;
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	pl_status st = engine_find_or(g, app, &x, e);
	pthread_mutex_unlock(&g->mu);
	if (!st && !g->store)
		st = err_set(e, PL_EUNSUPPORTED, "nothing can be changed without the state folder");
	if (!st)
		st = app_row(x, mem, &row, e);
	if (!st) {
		row.suspended = suspended;
		row.suspend_reason = reason;
		if (unpin) {
			row.pinned = row.pin_reason = (pl_str){0};
			row.pin_render = 0;
		}
		st = app_row_put(x, &row, e);
	}
	if (!st)
		app_wake(x, true, 0);
	pthread_rwlock_unlock(&g->gen);
	arena_free(mem);
	return st;
}

pl_status engine_suspend(struct engine *g, pl_str app, pl_str reason, struct pl_err *e)
{
	return change_row(g, app, true, reason, false, e);
}

pl_status engine_resume(struct engine *g, pl_str app, struct pl_err *e)
{
	return change_row(g, app, false, (pl_str){0}, true, e);
}

pl_status engine_refresh(struct engine *g, pl_str app, struct pl_err *e)
{
	struct app *x = NULL;
	pl_status st = PL_OK;
	pthread_rwlock_rdlock(&g->gen);
	pthread_mutex_lock(&g->mu);
	if (app.n)
		st = engine_find_or(g, app, &x, e);
	if (!st && x)
		x->full = true;
	for (size_t i = 0; !st && i < g->n_repos; i++) {
		struct repo *r = g->repos[i];
		if (x && x->repo != r)
			continue;
		r->refresh = !x;
		queue_wake(g->queue, &r->item, 0);
	}
	for (size_t i = 0; !st && !x && i < g->n_remotes; i++)
		queue_wake(g->queue, &g->remotes[i]->item, 0);
	for (size_t i = 0; !st && x && i < x->n_uses; i++)
		queue_wake(g->queue, &x->uses[i].repo->item, 0);
	pthread_mutex_unlock(&g->mu);
	pthread_rwlock_unlock(&g->gen);
	return st;
}
