/* SPDX-License-Identifier: Apache-2.0 */
/* Applications that have left the configuration, and objects left on targets that an application has left. */
#include "core/engine/internal.h"

enum others { OTHERS_KNOWN, OTHERS_COMING, OTHERS_FAILED };

/* Is what the configured applications of this target want known? */
static enum others others(struct app *a)
{
	struct engine *g = a->g;
	enum others out = OTHERS_KNOWN;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_apps && out != OTHERS_COMING; i++) {
		const struct app *o = g->apps[i];
		if (!o->c || o->target != a->target)
			continue;
		if (!o->looked)
			out = OTHERS_COMING;
		else if (o->error)
			out = OTHERS_FAILED;
	}
	pthread_mutex_unlock(&g->mu);
	return out;
}

static void forget(struct app *a)
{
	if (store_app_drop(a->g->store, str_of(a->name), NULL))
		return;
	app_looked(a);
	pthread_mutex_lock(&a->g->mu);
	a->gone = true;
	pthread_mutex_unlock(&a->g->mu);
	log_line(a->g->o.log, LOG_INFO, str_of(a->name), "has left the configuration, and nothing of it is left");
	engine_say(a->g);
}

static void show(struct app *a, const struct look *l, const char *why)
{
	look_publish(a, l);
	pthread_mutex_lock(&a->g->mu);
	keep(&a->hold, str_of(why));
	a->sync = STATUS_UNKNOWN;
	a->settled = true;
	a->full = false;
	pthread_mutex_unlock(&a->g->mu);
	app_looked(a);
}

static void orphan_decide(struct app *a, struct look *l)
{
	struct engine *g = a->g;
	struct pl_err e = ERR_INIT;
	struct store_item *left;
	size_t n_left = 1;
	bool broken = config_get(g->config)->n_broken_includes > 0;
	enum others known = others(a);
	if (g->look_only || broken || !l->row.cascade) {
		show(a, l,
		     broken ? "an include can't be read: what it applied stays untouched"
			    : "left the configuration: what it applied stays (deletion: orphan)");
	} else if (known == OTHERS_COMING) {
		app_wake(a, true, 50);
	} else if (known == OTHERS_FAILED) {
		show(a, l,
		     "left the configuration: to be pruned once all other applications of its target can be looked at");
		app_wake(a, true, RETRY_BASE);
	} else if (l->plan.n_delete) {
		struct run_start s = {.initiator = S("deletion"), .policy = app_policy(a)};
		if (run_start(a, l, &s, &e)) {
			app_error(a, &e);
			app_wake(a, true, RETRY_MAX);
		}
	} else {
		left_behind(a, l);
		pl_status st = store_inventory_elsewhere(g->store, str_of(a->name), S(""), l->mem, &left, &n_left, &e);
		show(a, l, "left the configuration: the rest is kept or waits to be taken over");
		if (!st && !n_left)
			forget(a);
		else
			app_wake(a, true, config_get(g->config)->poll_ms);
	}
	err_clear(&e);
}

void orphan_step(struct app *a)
{
	struct pl_err e = ERR_INIT;
	struct look l;
	struct plan_policy policy = app_policy(a);
	struct wish w = {.gone = true, .policy = &policy, .touch_nothing = true};
	if (!a->target || !a->g->store) {
		app_looked(a);
		return;
	}
	look_init(&l);
	if (look_at(a, &w, a->item.cancel, &l, &e)) {
		app_error(a, &e);
		app_looked(a);
		app_wake(a, true, RETRY_MAX);
	} else {
		orphan_decide(a, &l);
	}
	if (l.mem)
		look_clear(&l);
	err_clear(&e);
}

/* ---- former targets ---- */

static pl_status wait_all(struct app *a, struct target *t, size_t n, struct pl_err *e)
{
	int64_t deadline = clock_mono_ms() + TIMEOUT_APPLY;
	pl_status st = PL_OK;
	for (size_t got; !st;) {
		pthread_mutex_lock(&a->g->mu);
		bool all = a->n_inbox >= n;
		pthread_mutex_unlock(&a->g->mu);
		if (all)
			break;
		st = clock_mono_ms() > deadline ? err_set(e, PL_ETIMEOUT, "the target did not answer in time")
						: target_collect(t, 50, &got, e);
	}
	pthread_mutex_lock(&a->g->mu);
	for (size_t i = 0; i < a->n_inbox; i++) {
		if (!st && a->inbox[i].status)
			st = err_set(e, a->inbox[i].status, "%s", a->inbox[i].message);
		free(a->inbox[i].message);
	}
	a->n_inbox = 0;
	pthread_mutex_unlock(&a->g->mu);
	return st;
}

/* The objects left on one former target, elsewhere[from] to elsewhere[to - 1], against what is live there. */
static pl_status left_plan(struct app *a, struct look *l, size_t from, size_t to, struct target **t, struct plan *out,
			   struct pl_err *e)
{
	const struct store_item *items = &l->elsewhere[from];
	struct plan_policy policy = {.prune = true, .prune_confirmed = true, .allow_empty = true};
	size_t n = to - from;
	struct live *live = arena_array(l->mem, n, sizeof(*live));
	pl_ref *refs = arena_array(l->mem, n, sizeof(*refs));
	struct applier *ap;
	for (size_t i = 0; i < n; i++)
		refs[i] = items[i].ref;
	pl_status st = target_by_id(a->g, items[0].target, t, e);
	if (!st)
		st = target_open(*t, &ap, e);
	if (!st)
		st = applier_observe(ap, refs, n, l->mem, l->doc, live, a->item.cancel, TIMEOUT_OBSERVE, e);
	if (!st)
		st = plan_make(l->mem, str_of(a->name), NULL, 0, live, n, items, n, NULL, 0, &policy, out, e);
	return st ? pl_err_in(e, "former target") : PL_OK;
}

static size_t same_target(const struct look *l, size_t from)
{
	size_t to = from + 1;
	while (to < l->n_elsewhere && str_eq(l->elsewhere[to].target, l->elsewhere[from].target))
		to++;
	return to;
}

/* The audit log names what was taken away on former targets, too. */
static pl_status note_cleared(struct app *a, struct look *l, const struct plan *p, int64_t started_ms, pl_str id,
			      struct pl_err *e)
{
	struct store_app row;
	struct store_result *results = arena_array(l->mem, p->n, sizeof(*results));
	size_t n = 0;
	pl_str where = arena_printf(l->mem, "pruned on the former target '%.*s'", F(id));
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i].op == PLAN_DELETE)
			results[n++] = (struct store_result){p->rows[i].ref, str_of(plan_op_name(PLAN_DELETE)),
							     S("Pruned"), where};
	pl_status st = app_row(a, l->mem, &row, e);
	struct store_history entry = {.app = str_of(a->name),
				      .revision = row.revision,
				      .revision_name = row.revision_name,
				      .initiator = S("target change"),
				      .started_ms = started_ms,
				      .finished_ms = clock_wall_ms(),
				      .phase = S("Succeeded"),
				      .message = where,
				      .results = results,
				      .n_results = n};
	return st || !n ? st : store_sync_end(a->g->store, &row, &entry, e);
}

static pl_status clear_target(struct app *a, struct look *l, size_t from, size_t to, struct pl_err *e)
{
	struct target *t;
	struct applier *ap;
	struct plan p;
	size_t n = 0, n_gone = 0;
	int64_t started_ms = clock_wall_ms();
	pl_str id = l->elsewhere[from].target, name = str_of(a->name);
	pl_status st = left_plan(a, l, from, to, &t, &p, e);
	if (st)
		return st;
	pl_action *actions = arena_array(l->mem, p.n, sizeof(*actions));
	pl_ref *gone = arena_array(l->mem, p.n, sizeof(*gone));
	for (size_t i = 0; i < p.n; i++) {
		const struct plan_row *r = &p.rows[i];
		struct buf mark = BUF_INIT(4096);
		if (r->op == PLAN_DELETE || r->forget)
			gone[n_gone++] = r->ref;
		if (r->op != PLAN_DELETE)
			continue;
		tracking_print(name, &r->ref, &mark);
		actions[n++] = (pl_action){.size = sizeof(pl_action),
					   .op = PL_DELETE,
					   .id = action_id(a, i),
					   .ref = r->ref,
					   .tracking = arena_dup(l->mem, buf_str(&mark))};
		buf_free(&mark);
	}
	FAULT("engine.leave.before");
	st = target_open(t, &ap, e);
	if (!st && n)
		st = applier_submit(ap, actions, n, a->item.cancel, TIMEOUT_APPLY, e);
	if (!st)
		st = wait_all(a, t, n, e);
	COUNT(a->g, prunes, st ? 0 : n);
	if (!st && n_gone)
		st = store_inventory_drop(a->g->store, name, id, gone, n_gone, e);
	FAULT("engine.leave.after");
	return st ? st : note_cleared(a, l, &p, started_ms, id, e);
}

pl_status left_rows(struct app *a, struct look *l, struct pl_err *e)
{
	pl_status st = PL_OK;
	for (size_t from = 0, to; from < l->n_elsewhere && !st; from = to) {
		struct target *t;
		struct plan p = {0};
		to = same_target(l, from);
		st = left_plan(a, l, from, to, &t, &p, e);
		if (st)
			break;
		struct plan_row *rows = arena_array(l->mem, l->plan.n + p.n, sizeof(*rows));
		for (size_t i = 0; i < l->plan.n; i++)
			rows[i] = l->plan.rows[i];
		for (size_t i = 0; i < p.n; i++) {
			struct plan_row *r = &rows[l->plan.n + i];
			*r = p.rows[i];
			r->target = l->elsewhere[from].target;
			if (r->op == PLAN_DELETE && a->c && !a->c->sync.prune) {
				r->op = PLAN_NONE;
				r->why = PLAN_PRUNE_OFF;
			}
			r->out_of_sync = !r->forget;
			l->plan.n_delete += r->op == PLAN_DELETE;
			l->plan.n_out_of_sync += r->out_of_sync;
		}
		l->plan.rows = rows;
		l->plan.n += p.n;
	}
	return st;
}

/* The configuration asks for it, or somebody has just asked for a sync that prunes. An orphan's caller has looked. */
static bool may_clear(struct app *a)
{
	pthread_mutex_lock(&a->g->mu);
	bool suspended = a->suspended;
	pthread_mutex_unlock(&a->g->mu);
	if (!a->c)
		return true;
	bool asked = a->clear_former;
	a->clear_former = false;
	return asked || (a->c->sync.prune && a->c->sync.automated && !suspended);
}

void left_behind(struct app *a, struct look *l)
{
	struct pl_err e = ERR_INIT;
	bool all = true;
	/* only once the new target is in line: nothing is taken away before it stands elsewhere */
	if (!l->n_elsewhere || a->g->look_only || !a->g->store || l->plan.n_create || l->plan.n_update ||
	    l->plan.n_blocked || !may_clear(a))
		return;
	for (size_t from = 0, to; from < l->n_elsewhere; from = to) {
		to = same_target(l, from);
		if (clear_target(a, l, from, to, &e)) {
			pl_err_in(&e, "prune on the former target");
			app_error(a, &e);
			app_wake(a, true, RETRY_MAX);
			all = false;
		}
		err_clear(&e);
	}
	struct store_item *left;
	size_t n = 1;
	if (all &&
	    !store_inventory_elsewhere(a->g->store, str_of(a->name), str_of(a->target->id), l->mem, &left, &n, NULL) &&
	    !n && !l->plan.n_out_of_sync) {
		pthread_mutex_lock(&a->g->mu);
		a->sync = STATUS_SYNCED;
		pthread_mutex_unlock(&a->g->mu);
		engine_say(a->g);
	}
}
