/* SPDX-License-Identifier: Apache-2.0 */
/* A look at one application: what is desired, what is live, the plan between them, and how well it is. */
#include "core/engine/internal.h"

void look_init(struct look *l)
{
	*l = (struct look){.mem = arena_new(), .doc = pl_doc_new(NULL)};
}

void look_clear(struct look *l)
{
	pl_doc_unref(l->doc);
	arena_free(l->mem);
	*l = (struct look){0};
}

struct plan_policy app_policy(const struct app *a)
{
	if (!a->c)
		return (struct plan_policy){.prune = true, .prune_confirmed = true, .allow_empty = true};
	return (struct plan_policy){.prune = a->c->sync.prune, .allow_empty = a->c->sync.allow_empty};
}

/* ---- desired ---- */

/* A tree that can't be rendered is not rendered again until something that was read changes. */
static void remember_bad(struct app *a, const struct look *l, pl_status st, const struct pl_err *e)
{
	pl_err_free(a->bad);
	a->bad = NULL;
	if (!render_is_final(st) || !l->r.packed.n)
		return;
	a->bad = pl_err_new();
	err_copy(a->bad, e);
	render_save(a, &l->r, l->revision, NULL);
}

static pl_status from_same_tree(struct app *a, struct look *l, bool *done, struct pl_err *e)
{
	pl_status st;
	*done = true;
	if (a->bad) {
		err_copy(e, a->bad);
		return pl_err_code(a->bad);
	}
	*done = a->render && a->g->store;
	if (!*done)
		return PL_OK;
	st = render_load(a->g, a->render, l->mem, l->doc, &l->r, e);
	/* Tidied away, damaged, or sealed with a key that is gone: the tree is there, so it is rendered again. */
	if (st == PL_ENOTFOUND || st == PL_EINVAL || st == PL_EAUTH) {
		l->r = (struct rendered){0};
		*done = false;
		return PL_OK;
	}
	l->r.key = arena_dup(l->mem, str_of(a->key));
	l->render = a->render;
	return st;
}

static pl_status desired_from_tree(struct app *a, const struct wish *w, struct cancel *cancel, struct look *l,
				   struct pl_err *e)
{
	struct snapshot *s;
	bool same = false, done = false, own = w->revision.n == 0 && !w->touch_nothing;
	pl_status st = acquire(a->repo, l->revision, l->revision_name, cancel, &s, e);
	if (st)
		return st;
	if (own) {
		render_remember(a, l->mem);
		st = render_same(a, s, &same, e);
	}
	if (!st && same)
		st = from_same_tree(a, l, &done, e);
	if (!st && !done) {
		st = render_app(a, s, l->mem, l->doc, cancel, &l->r, e);
		if (own && st != PL_ECANCELLED)
			remember_bad(a, l, st, e);
		if (!st && own)
			st = render_save(a, &l->r, l->revision, e);
		if (own)
			l->render = a->render;
	} else if (own) {
		pthread_mutex_lock(&a->g->mu);
		keep(&a->desired_id, l->revision); /* another revision, the same render */
		pthread_mutex_unlock(&a->g->mu);
	}
	snapshot_unref(s);
	return st;
}

static pl_status wanted_revision(struct app *a, const struct wish *w, struct cancel *cancel, struct look *l,
				 struct pl_err *e)
{
	struct source_revision got;
	if (w->revision_id.n) {
		l->revision = arena_dup(l->mem, w->revision_id);
		l->revision_name = arena_dup(l->mem, w->revision_name);
		return PL_OK;
	}
	pthread_mutex_lock(&a->g->mu);
	const struct answer *x = &a->repo->answers[a->want];
	if (!w->revision.n && x->id) {
		l->revision = arena_dup(l->mem, str_of(x->id));
		l->revision_name = arena_dup(l->mem, str_of(x->name));
	}
	pthread_mutex_unlock(&a->g->mu);
	if (l->revision.n)
		return PL_OK;
	pl_status st = repo_resolve(a->repo, w->revision.n ? w->revision : a->c->revision, l->mem, &got, cancel, e);
	l->revision = got.id;
	l->revision_name = got.name;
	return st;
}

static pl_status desired(struct app *a, const struct wish *w, struct cancel *cancel, struct look *l, struct pl_err *e)
{
	int64_t id = w->render;
	if (w->gone)
		return PL_OK;
	if (!id && !w->revision.n && l->row.pinned.n) {
		id = l->row.pin_render;
		l->revision = l->row.pinned;
		l->revision_name = l->row.revision_name;
	}
	if (!id) {
		if (!a->c) /* whoever looks has asked before; no stored render, no source */
			return err_set(e, PL_ENOTFOUND, "application '%s' has left the configuration", a->name);
		pl_status st = wanted_revision(a, w, cancel, l, e);
		return st ? st : desired_from_tree(a, w, cancel, l, e);
	}
	if (w->revision_id.n) {
		l->revision = arena_dup(l->mem, w->revision_id);
		l->revision_name = arena_dup(l->mem, w->revision_name);
	}
	l->render = id;
	pl_status st = render_load(a->g, id, l->mem, l->doc, &l->r, e);
	l->r.key = arena_printf(l->mem, "stored %lld", (long long)id);
	return st;
}

/* ---- live ---- */

static void refs_of(struct look *l)
{
	size_t cap = l->r.n + l->n_inventory;
	l->refs = arena_array(l->mem, cap, sizeof(*l->refs));
	l->n_live = 0;
	for (size_t i = 0; i < l->r.n; i++)
		l->refs[l->n_live++] = l->r.desired[i].ref;
	for (size_t i = 0; i < l->n_inventory; i++)
		l->refs[l->n_live++] = l->inventory[i].ref;
	/* each once */
	if (l->n_live > 1)
		qsort(l->refs, l->n_live, sizeof(*l->refs), (int (*)(const void *, const void *))ref_cmp);
	size_t n = 0;
	for (size_t i = 0; i < l->n_live; i++)
		if (!n || !ref_same(&l->refs[n - 1], &l->refs[i]))
			l->refs[n++] = l->refs[i];
	l->n_live = n;
}

static pl_status observe(struct app *a, struct cancel *cancel, struct look *l, struct pl_err *e)
{
	struct applier *ap;
	refs_of(l);
	l->live = arena_array(l->mem, l->n_live, sizeof(*l->live));
	l->marks = arena_array(l->mem, l->n_live, sizeof(*l->marks));
	FAULT("engine.observe.before");
	pl_status st = target_open(a->target, &ap, e);
	/* the marks first: what changes between the two looks is seen as changed by the next */
	if (!st && l->n_live)
		st = applier_fingerprint(ap, l->refs, l->n_live, l->marks, cancel, TIMEOUT_OBSERVE, e);
	if (!st && l->n_live)
		st = applier_observe(ap, l->refs, l->n_live, l->mem, l->doc, l->live, cancel, TIMEOUT_OBSERVE, e);
	if (!st && !a->g->store) { /* nothing else knows what was applied */
		struct live *more;
		size_t n;
		st = applier_scan(ap, str_of(a->name), l->mem, l->doc, &more, &n, cancel, TIMEOUT_OBSERVE, e);
		struct live *all = arena_array(l->mem, l->n_live + n, sizeof(*all));
		size_t k = 0;
		for (; k < l->n_live; k++)
			all[k] = l->live[k];
		for (size_t i = 0; !st && i < n; i++) {
			bool known = false;
			for (size_t j = 0; j < l->n_live && !known; j++)
				known = ref_same(&l->live[j].ref, &more[i].ref);
			if (!known)
				all[k++] = more[i];
		}
		l->live = all;
		l->marks = arena_array(l->mem, k, sizeof(*l->marks));
		l->n_live = k;
	}
	COUNT(a->g, observed, l->n_live);
	FAULT("engine.observe.after");
	return st ? pl_err_in(e, "observe") : PL_OK;
}

/* What an orphaned application has and a configured one wants is not pruned: it is about to be taken over. */
static void leave_to_others(struct app *a, struct look *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n_inventory; i++)
		if (!app_wanted_by_other(a, &l->inventory[i].ref))
			l->inventory[n++] = l->inventory[i];
	l->n_inventory = n;
}

static pl_status inventory(struct app *a, struct look *l, struct pl_err *e)
{
	pl_str name = str_of(a->name);
	if (!a->g->store)
		return PL_OK;
	/* The target as it is configured: one that only looks must not trust the row, which learns it later. */
	pl_str on = str_of(a->target->id);
	pl_status st = store_inventory_on(a->g->store, name, on, l->mem, &l->inventory, &l->n_inventory, e);
	if (!st)
		st = store_inventory_elsewhere(a->g->store, name, on, l->mem, &l->elsewhere, &l->n_elsewhere, e);
	if (!st && !a->c)
		leave_to_others(a, l);
	return st;
}

/* ---- plan ---- */

static bool may_take(struct app *a, pl_str owner)
{
	struct engine *g = a->g;
	pthread_mutex_lock(&g->mu);
	struct app *o = engine_find(g, owner);
	bool gone = !o || !o->c;
	pthread_mutex_unlock(&g->mu);
	/* an include that can't be read has not left */
	return gone && !config_get(g->config)->n_broken_includes;
}

static pl_status owners(struct app *a, struct look *l, struct plan_owner **out, size_t *n, struct pl_err *e)
{
	*out = arena_array(l->mem, l->r.n, sizeof(**out));
	*n = 0;
	for (size_t i = 0; a->g->store && i < l->r.n; i++) {
		pl_str app;
		pl_status st =
			store_owner(a->g->store, str_of(a->target->id), &l->r.desired[i].ref, l->mem, &app, NULL);
		if (st == PL_ENOTFOUND || (!st && str_eqz(app, a->name)))
			continue;
		if (st)
			return store_owner(a->g->store, str_of(a->target->id), &l->r.desired[i].ref, l->mem, &app, e);
		(*out)[(*n)++] =
			(struct plan_owner){.ref = l->r.desired[i].ref, .app = app, .may_take = may_take(a, app)};
	}
	return PL_OK;
}

pl_status look_plan(struct app *a, const struct plan_policy *policy, struct look *l, struct pl_err *e)
{
	struct plan_policy own = app_policy(a);
	struct plan_owner *o;
	size_t n;
	COUNT(a->g, plans, 1);
	pl_status st = owners(a, l, &o, &n, e);
	if (!st)
		st = plan_make(l->mem, str_of(a->name), l->r.desired, l->r.n, l->live, l->n_live, l->inventory,
			       l->n_inventory, o, n, policy ? policy : &own, &l->plan, e);
	return st ? pl_err_in(e, "plan") : PL_OK;
}

pl_status look_live(struct app *a, struct cancel *cancel, struct look *l, struct pl_err *e)
{
	pl_status st = inventory(a, l, e);
	if (!st)
		st = observe(a, cancel, l, e);
	return st;
}

pl_status look_assess(struct app *a, struct cancel *cancel, struct look *l, struct pl_err *e)
{
	size_t n = 0;
	pl_str *folders = arena_array(l->mem, (a->c ? a->c->n_health : 0) + 1, sizeof(*folders));
	for (size_t i = 0; a->c && i < a->c->n_health; i++)
		folders[n++] = a->c->health[i];
	size_t n_own = n;
	if (a->g->o.scripts)
		folders[n++] = str_of(a->g->o.scripts);
	struct assess_by by = {.scripts = a->g->o.worker ? a->g->scripts : NULL,
			       .worker = a->g->o.worker,
			       .folders = folders,
			       .n_folders = n,
			       .inert = (plugin_table(a->target->plugin)->flags & PL_INERT) != 0,
			       .n_own = n_own,
			       .plugins = a->g->health,
			       .cancel = cancel};
	return assess_plan(&by, str_of(a->name), l->doc, &l->plan, l->mem, &l->health, e);
}

pl_status look_at(struct app *a, const struct wish *w, struct cancel *cancel, struct look *l, struct pl_err *e)
{
	pl_status st = app_row(a, l->mem, &l->row, e);
	if (!st)
		st = target_adopt(a->target, cancel, e);
	if (!st && a->g->store && !a->g->look_only && !w->touch_nothing && a->c &&
	    !str_eqz(l->row.target, a->target->id)) {
		l->row.target = str_of(a->target->id); /* from now on the inventory is counted there */
		st = app_row_put(a, &l->row, e);
	}
	if (!st)
		st = desired(a, w, cancel, l, e);
	if (!st)
		st = look_live(a, cancel, l, e);
	if (!st)
		st = look_plan(a, w->policy, l, e);
	if (!st)
		st = look_assess(a, cancel, l, e);
	return st;
}

/* ---- what is kept of it ---- */

static uint64_t mark_of(const struct look *l, const pl_ref *ref)
{
	size_t lo = 0, hi = l->n_live; /* refs are sorted */
	while (l->refs && lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = ref_cmp(ref, &l->refs[mid]);
		if (!c)
			return l->marks[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

static char *put_text(char *at, pl_str s, pl_str *out)
{
	if (s.n)
		memcpy(at, s.p, s.n);
	*out = (pl_str){at, s.n};
	return at + s.n;
}

static void resource_of(const struct look *l, size_t i, struct resource *r, char **text)
{
	const struct plan_row *row = &l->plan.rows[i];
	const struct verdict *v = &l->health.items[i];
	*text = put_text(*text, row->ref.group, &r->ref.group);
	*text = put_text(*text, row->ref.version, &r->ref.version);
	*text = put_text(*text, row->ref.kind, &r->ref.kind);
	*text = put_text(*text, row->ref.ns, &r->ref.ns);
	*text = put_text(*text, row->ref.name, &r->ref.name);
	r->mark = mark_of(l, &row->ref);
	r->why = row->why;
	r->health = v->health;
	r->out_of_sync = row->out_of_sync;
	r->needs_prune = row->why == PLAN_NOT_DESIRED || row->why == PLAN_PRUNE_OFF || row->why == PLAN_PRUNE_HELD;
	keep(&r->message, row->message.n ? row->message : v->message);
	if (!r->message && row->out_of_sync)
		r->message = str_dup(str_of(plan_why_text(row->why)));
}

static void free_resources(struct app *a)
{
	for (size_t i = 0; i < a->n_resources; i++)
		free(a->resources[i].message);
	free(a->resources);
	free(a->ref_text);
	a->resources = NULL;
	a->ref_text = NULL;
	a->n_resources = 0;
}

static void keep_resources(struct app *a, const struct look *l)
{
	size_t bytes = 1;
	for (size_t i = 0; i < l->plan.n; i++) {
		const pl_ref *r = &l->plan.rows[i].ref;
		bytes += r->group.n + r->version.n + r->kind.n + r->ns.n + r->name.n;
	}
	free_resources(a);
	a->ref_text = mem_alloc(bytes);
	a->resources = mem_zalloc((l->plan.n + 1) * sizeof(*a->resources));
	a->n_resources = l->plan.n;
	char *text = a->ref_text;
	for (size_t i = 0; i < l->plan.n; i++)
		resource_of(l, i, &a->resources[i], &text);
}

void look_publish(struct app *a, const struct look *l)
{
	pthread_mutex_lock(&a->g->mu);
	keep_resources(a, l);
	a->sync = l->plan.n_out_of_sync || l->n_elsewhere ? STATUS_OUT_OF_SYNC : STATUS_SYNCED;
	a->health = l->health.health;
	keep(&a->health_message, l->health.message);
	keep(&a->hold, l->plan.hold);
	keep(&a->target_revision, l->revision_name.n ? l->revision_name : l->revision);
	keep(&a->error, (pl_str){0});
	a->checked_ms = clock_wall_ms();
	pthread_mutex_unlock(&a->g->mu);
	engine_say(a->g);
}

/* ---- has anything changed? ---- */

static void ask(struct target *t, struct app **apps, size_t n, const size_t *of, const pl_ref *refs,
		const uint64_t *old, size_t n_refs, bool *same, struct cancel *cancel)
{
	struct applier *ap;
	uint64_t *now = mem_zalloc(n_refs * sizeof(*now));
	bool ok = !target_open(t, &ap, NULL) &&
		  !applier_fingerprint(ap, refs, n_refs, now, cancel, TIMEOUT_OBSERVE, NULL);
	for (size_t i = 0; !ok && i < n; i++)
		if (apps[i]->target == t)
			same[i] = false;
	for (size_t i = 0; ok && i < n_refs; i++)
		if (!now[i] || now[i] != old[i])
			same[of[i]] = false;
	free(now);
}

void look_unchanged(struct app **apps, size_t n, bool *same, struct cancel *cancel)
{
	size_t cap = 0;
	for (size_t i = 0; i < n; i++) {
		same[i] = true;
		cap += apps[i]->n_resources;
	}
	if (!cap)
		return;
	pl_ref *refs = mem_alloc(cap * sizeof(*refs));
	uint64_t *old = mem_alloc(cap * sizeof(*old));
	size_t *of = mem_alloc(cap * sizeof(*of));
	for (size_t first = 0; first < n; first++) {
		struct target *t = apps[first]->target;
		size_t before = 0, k = 0;
		while (before < first && apps[before]->target != t)
			before++;
		if (before < first)
			continue; /* asked already */
		for (size_t i = first; i < n; i++) {
			for (size_t j = 0; apps[i]->target == t && j < apps[i]->n_resources; j++) {
				refs[k] = apps[i]->resources[j].ref;
				old[k] = apps[i]->resources[j].mark;
				of[k++] = i;
			}
		}
		if (k)
			ask(t, apps, n, of, refs, old, k, same, cancel);
	}
	free(refs);
	free(old);
	free(of);
}
