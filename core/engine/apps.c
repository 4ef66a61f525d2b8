/* SPDX-License-Identifier: Apache-2.0 */
/* Applications: those of the configuration reconciled with those of the store, and one turn of one of them. */
#include "core/engine/internal.h"

/* ---- rows of the store ---- */

pl_status app_row(struct app *a, struct arena *mem, struct store_app *out, struct pl_err *e)
{
	*out = (struct store_app){.name = str_of(a->name), .cascade = a->c && a->c->deletion == DELETION_CASCADE};
	if (!a->g->store)
		return PL_OK;
	pl_status st = store_app_get(a->g->store, str_of(a->name), mem, out, NULL);
	if (st == PL_ENOTFOUND)
		return PL_OK;
	return st ? store_app_get(a->g->store, str_of(a->name), mem, out, e) : PL_OK;
}

void app_show_row(struct app *a, const struct store_app *row)
{
	pthread_mutex_lock(&a->g->mu);
	a->suspended = row->suspended || (a->c && a->c->suspend);
	a->orphaned = !a->c;
	keep(&a->suspend_reason, row->suspend_reason);
	keep(&a->pinned, row->pinned);
	keep(&a->pin_reason, row->pin_reason);
	keep(&a->revision, row->revision);
	keep(&a->revision_name, row->revision_name);
	pthread_mutex_unlock(&a->g->mu);
}

pl_status app_row_put(struct app *a, const struct store_app *row, struct pl_err *e)
{
	pl_status st = a->g->store ? store_app_put(a->g->store, row, e) : PL_OK;
	if (!st)
		app_show_row(a, row);
	return st;
}

/* ---- making and freeing ---- */

static void unbind(struct app *a)
{
	for (size_t i = 0; i < a->n_steps; i++)
		free(a->steps[i].options);
	free(a->steps);
	a->steps = NULL;
	a->n_steps = 0;
	a->c = NULL;
	a->repo = NULL;
}

void app_free(struct app *a)
{
	char **texts[] = {&a->name,
			  &a->conf,
			  &a->chosen,
			  &a->trace,
			  &a->key,
			  &a->desired_id,
			  &a->health_message,
			  &a->operation,
			  &a->revision,
			  &a->revision_name,
			  &a->target_revision,
			  &a->error,
			  &a->hold,
			  &a->suspend_reason,
			  &a->pinned,
			  &a->pin_reason,
			  &a->ref_text,
			  &a->operation_message};
	run_drop(a);
	unbind(a);
	for (size_t i = 0; i < a->n_resources; i++)
		free(a->resources[i].message);
	for (size_t i = 0; i < a->n_inbox; i++)
		free(a->inbox[i].message);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		free(*texts[i]);
	pl_err_free(a->bad);
	free(a->uses);
	free(a->resources);
	free(a->inbox);
	free(a);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct app *const *)a)->name, (*(struct app *const *)b)->name);
}

static struct app *add_app(struct engine *g, pl_str name)
{
	struct app *a = mem_zalloc(sizeof(*a));
	a->item.run = app_step;
	a->g = g;
	a->serial = ++g->serial;
	a->name = str_dup(name);
	a->health = PL_UNKNOWN;
	pthread_mutex_lock(&g->mu);
	if (g->n_apps == g->cap_apps)
		g->apps = mem_grow(g->apps, &g->cap_apps, g->n_apps + 1, sizeof(struct app *));
	g->apps[g->n_apps++] = a;
	pthread_mutex_unlock(&g->mu);
	return a;
}

/* Linear look-up while the list isn't sorted would make loading quadratic: the sorted part is asked by bisection. */
static struct app *find_sorted(struct engine *g, size_t n, pl_str name)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = str_cmp(name, str_of(g->apps[mid]->name));
		if (!c)
			return g->apps[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

struct app *engine_find(struct engine *g, pl_str name)
{
	return find_sorted(g, g->n_apps, name);
}

static void sort_apps(struct engine *g)
{
	pthread_mutex_lock(&g->mu);
	if (g->n_apps)
		qsort(g->apps, g->n_apps, sizeof(*g->apps), by_name);
	pthread_mutex_unlock(&g->mu);
}

/* ---- loading ---- */

struct running {
	struct app *app;
	pl_str binding;
};

static pl_status load_one(struct engine *g, struct config *c, const struct config_app *ca, size_t n_sorted,
			  struct pl_err *e)
{
	struct bound b;
	pl_status st = bind_app(g, c, ca, &b, e);
	if (st)
		return st;
	struct app *a = find_sorted(g, n_sorted, ca->name);
	if (!a)
		a = add_app(g, ca->name);
	a->c = ca;
	a->repo = b.repo;
	a->target = b.target;
	a->steps = b.steps;
	a->n_steps = b.n_steps;
	a->want = repo_want(b.repo, ca->revision);
	a->gone = a->orphaned = false;
	if (b.repo->n_apps == b.repo->cap_apps)
		b.repo->apps = mem_grow(b.repo->apps, &b.repo->cap_apps, b.repo->n_apps + 1, sizeof(struct app *));
	b.repo->apps[b.repo->n_apps++] = a;
	return PL_OK;
}

/* What the last sync came to, for those who ask before the next one. */
static void show_last(struct app *a)
{
	struct arena *mem = arena_new();
	struct store_history *h;
	size_t n = 0;
	if (!a->operation && !store_history_list(a->g->store, str_of(a->name), 1, false, mem, &h, &n, NULL) && n) {
		keep(&a->operation, h[0].phase);
		keep(&a->operation_message, h[0].error);
		a->synced_ms = str_eqz(h[0].phase, "Succeeded") ? h[0].finished_ms : 0;
	}
	arena_free(mem);
}

static pl_status load_rows(struct engine *g, struct arena *mem, struct pl_err *e)
{
	struct store_app *rows;
	size_t n, n_sorted = g->n_apps;
	if (!g->store)
		return PL_OK;
	pl_status st = store_apps(g->store, mem, &rows, &n, e);
	for (size_t i = 0; !st && i < n; i++) {
		struct app *a = find_sorted(g, n_sorted, rows[i].name);
		if (!a)
			a = add_app(g, rows[i].name);
		bool orphaned = !a->c, cascade = a->c ? a->c->deletion == DELETION_CASCADE : rows[i].cascade;
		if (orphaned && rows[i].target.n && target_by_id(g, rows[i].target, &a->target, NULL))
			a->target = NULL;
		if (orphaned != rows[i].orphaned || cascade != rows[i].cascade) {
			rows[i].orphaned = orphaned;
			rows[i].cascade = cascade;
			st = store_app_put(g->store, &rows[i], e);
		}
		show_last(a);
		app_show_row(a, &rows[i]);
	}
	return st;
}

/* All that a running sync relies on. A sync of what is no longer so ends at its next step. */
static pl_str binding(const struct app *a, struct arena *mem)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	if (!a->c)
		return S("orphaned");
	buf_addf(&b, "%p %zu %p %d%d%d ", (const void *)a->repo, a->want, (const void *)a->target, a->c->sync.prune,
		 a->c->sync.allow_empty, a->c->suspend);
	buf_add_str(&b, a->c->path);
	buf_add_str(&b, a->c->ns);
	for (size_t i = 0; i < a->n_steps; i++) {
		buf_addf(&b, "%p", (const void *)a->steps[i].plugin);
		buf_add_str(&b, str_of(a->steps[i].options));
	}
	pl_str text = arena_dup(mem, buf_str(&b));
	buf_free(&b);
	return text;
}

static void cancel_stale(const struct running *v, size_t n, struct arena *mem)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(v[i].binding, binding(v[i].app, mem)))
			run_cancel(v[i].app, "the configuration has changed");
}

pl_status apps_load(struct engine *g, struct config *c, struct pl_err *e)
{
	const struct config_root *root = config_get(c);
	struct arena *mem = arena_new();
	pl_status st = PL_OK;
	for (size_t i = 0; i < g->n_repos; i++) {
		g->repos[i]->n_apps = 0;
		for (size_t k = 0; k < g->repos[i]->n_answers; k++)
			g->repos[i]->answers[k].users = 0;
	}
	for (size_t i = 0; i < g->n_remotes; i++)
		for (size_t k = 0; k < g->remotes[i]->n_answers; k++)
			g->remotes[i]->answers[k].users = 0;
	struct running *running = arena_array(mem, g->n_apps + 1, sizeof(*running));
	size_t n_running = 0;
	for (size_t i = 0; i < g->n_apps; i++) {
		if (g->apps[i]->run)
			running[n_running++] = (struct running){g->apps[i], binding(g->apps[i], mem)};
		unbind(g->apps[i]);
	}
	size_t n_sorted = g->n_apps;
	for (size_t i = 0; !st && i < root->n_apps; i++)
		st = load_one(g, c, &root->apps[i], n_sorted, e);
	sort_apps(g);
	if (!st)
		st = load_rows(g, mem, e);
	sort_apps(g);
	remotes_count_again(g);
	cancel_stale(running, n_running, mem);
	pthread_mutex_lock(&g->mu);
	g->n_unlooked = 0;
	for (size_t i = 0; i < g->n_apps; i++) {
		g->apps[i]->looked = g->apps[i]->settled = false;
		g->n_unlooked += !g->apps[i]->gone;
		g->apps[i]->full = true;
	}
	g->ready = false;
	pthread_mutex_unlock(&g->mu);
	arena_free(mem);
	return st;
}

/* ---- small changes of what is published ---- */

void app_wake(struct app *a, bool full, int64_t delay_ms)
{
	if (full) {
		pthread_mutex_lock(&a->g->mu);
		a->full = true;
		pthread_mutex_unlock(&a->g->mu);
	}
	queue_wake(a->g->queue, &a->item, delay_ms);
}

void app_error(struct app *a, const struct pl_err *e)
{
	const char *text = pl_err_text(e);
	pthread_mutex_lock(&a->g->mu);
	bool news = !a->error || strcmp(a->error, text) != 0;
	keep(&a->error, str_of(text));
	a->sync = STATUS_UNKNOWN;
	pthread_mutex_unlock(&a->g->mu);
	if (news)
		log_line(a->g->o.log, LOG_ERROR, str_of(a->name), "%s", text);
}

void app_looked(struct app *a)
{
	struct engine *g = a->g;
	pthread_mutex_lock(&g->mu);
	if (!a->looked) {
		a->looked = true;
		g->n_unlooked--;
	}
	if (!g->n_unlooked)
		g->ready = true;
	pthread_mutex_unlock(&g->mu);
	engine_say(g);
}

bool app_wanted_by_other(struct app *a, const pl_ref *ref)
{
	struct engine *g = a->g;
	bool wanted = false;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_apps && !wanted; i++) {
		const struct app *o = g->apps[i];
		for (size_t k = 0; o != a && o->c && o->target == a->target && k < o->n_resources && !wanted; k++)
			wanted = !o->resources[k].needs_prune && ref_same(&o->resources[k].ref, ref);
	}
	pthread_mutex_unlock(&g->mu);
	return wanted;
}

/* ---- one turn ---- */

static void settle_app(struct app *a)
{
	pthread_mutex_lock(&a->g->mu);
	a->settled = true;
	pthread_mutex_unlock(&a->g->mu);
}

/* Health that wasn't known when the sync ended is written to its history entry once it is, or at its time-out. */
static void follow_health(struct app *a, const struct look *l)
{
	bool open = l->health.health == PL_PROGRESSING;
	if (a->history && (!open || clock_mono_ms() >= a->health_until_ms)) {
		store_history_health(a->g->store, a->history, str_of(health_name(l->health.health)), NULL);
		a->history = 0;
	}
	if (!open) {
		a->health_waits = 0;
		return;
	}
	int64_t wait = 500;
	for (uint32_t i = 0; i < a->health_waits && wait < 30000; i++)
		wait *= 2;
	a->health_waits++;
	app_wake(a, true, wait);
}

void app_after(struct app *a, struct look *l, bool may_start)
{
	struct pl_err e = ERR_INIT;
	int64_t wait = 0;
	enum decision d = a->c ? decide(a, l, &wait) : DECIDE_NOTHING;
	follow_health(a, l);
	if (d == DECIDE_LATER)
		app_wake(a, true, wait);
	else if (d != DECIDE_NOTHING && !may_start)
		app_wake(a, true, 0);
	else if (d != DECIDE_NOTHING) {
		struct run_start s = {.initiator = d == DECIDE_HEAL ? S("self-heal") : S("automated"),
				      .policy = app_policy(a),
				      .heal = d == DECIDE_HEAL};
		if (run_start(a, l, &s, &e)) {
			app_error(a, &e);
			app_wake(a, true, RETRY_BASE);
		}
	} else {
		left_behind(a, l);
		settle_app(a);
	}
	err_clear(&e);
	if (l->mem)
		look_clear(l);
}

static void look_failed(struct app *a, pl_status st, const struct pl_err *e)
{
	if (st == PL_ECANCELLED) {
		app_wake(a, true, 0);
		return;
	}
	app_error(a, e);
	a->look_failures++;
	if (!a->bad)
		app_wake(a, true, record_backoff(str_of(a->name), a->look_failures, RETRY_BASE, RETRY_MAX));
	app_looked(a);
}

static void full_look(struct app *a)
{
	struct pl_err e = ERR_INIT;
	struct look l;
	struct wish w = {0};
	look_init(&l);
	pl_status st = look_at(a, &w, a->item.cancel, &l, &e);
	if (!st && a->g->store && !a->g->look_only && (l.plan.n_adopt || l.plan.n_forget))
		st = record_learned(a->g->store, str_of(a->name), str_of(a->target->id), &l.plan, &e);
	if (st) {
		look_failed(a, st, &e);
		look_clear(&l);
	} else {
		a->look_failures = 0;
		look_publish(a, &l);
		app_after(a, &l, true);
		app_looked(a);
	}
	err_clear(&e);
}

/* A newer revision in which nothing has changed that this application has read. */
static bool just_noted(struct app *a, pl_str id, pl_str name)
{
	struct snapshot *s;
	bool same = false;
	if (a->bad || acquire(a->repo, id, name, a->item.cancel, &s, NULL))
		return false;
	if (render_same(a, s, &same, NULL))
		same = false;
	snapshot_unref(s);
	if (!same)
		return false;
	pthread_mutex_lock(&a->g->mu);
	keep(&a->desired_id, id);
	keep(&a->target_revision, name.n ? name : id);
	pthread_mutex_unlock(&a->g->mu);
	return true;
}

static bool nothing_new(struct app *a, bool settled, pl_str id, pl_str name)
{
	bool same = settled;
	if (same && !(a->pinned && a->pinned[0]) && !str_eq(str_of(a->desired_id), id))
		same = just_noted(a, id, name);
	if (same)
		look_unchanged(&a, 1, &same, a->item.cancel);
	if (!same)
		return false;
	pthread_mutex_lock(&a->g->mu);
	a->checked_ms = clock_wall_ms();
	pthread_mutex_unlock(&a->g->mu);
	return true;
}

static void app_pass(struct app *a)
{
	struct engine *g = a->g;
	struct pl_err e = ERR_INIT;
	struct arena *mem = arena_new();
	pthread_mutex_lock(&g->mu);
	const struct answer *x = &a->repo->answers[a->want];
	pl_str id = arena_dup(mem, str_of(x->id)), name = arena_dup(mem, str_of(x->name));
	pl_status status = x->status;
	if (status)
		err_set(&e, status, "source '%.*s': %s", F(a->c->source->name),
			x->error ? x->error : pl_status_name(status));
	bool asked = a->repo->asked, pinned = a->pinned && a->pinned[0], settled = a->settled && !a->full && !a->error;
	bool has = id.n || pinned;
	if (asked && has)
		a->settled = a->full = false;
	pthread_mutex_unlock(&g->mu);
	if (asked && !has) {
		app_error(a, &e);
		app_looked(a);
	} else if (asked && nothing_new(a, settled, id, name)) {
		settle_app(a);
		app_looked(a);
	} else if (asked) {
		full_look(a);
	}
	if (asked && has && status && !pinned) /* what is known goes on, but a person must know */
		app_error(a, &e);
	arena_free(mem);
	err_clear(&e);
}

void app_step(struct queue_item *i)
{
	struct app *a = (struct app *)i;
	struct request *r;
	struct pl_err e = ERR_INIT;
	if (a->gone || atomic_load(&a->g->stopping))
		return;
	if (!a->run && !a->resumed && a->g->store && !a->g->look_only && a->target) {
		bool found;
		a->resumed = true;
		if (run_resume(a, &found, &e)) {
			app_error(a, &e);
			a->resumed = false;
			app_looked(a);
			app_wake(a, true, RETRY_BASE);
			err_clear(&e);
			return;
		}
	}
	if (!a->run && request_take(a, &r))
		request_step(a, r);
	else if (!a->run && a->c)
		app_pass(a);
	else if (!a->run)
		orphan_step(a);
	if (a->run)
		run_drive(a);
	pthread_mutex_lock(&a->g->mu);
	bool more = !a->run && a->requests;
	pthread_mutex_unlock(&a->g->mu);
	if (more)
		app_wake(a, false, 0);
	err_clear(&e);
}
