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
		pl_status st = store_inventory(g->store, str_of(a->name), l->mem, &left, &n_left, &e);
		show(a, l, "left the configuration: the rest is kept or waits to be taken over");
		if (!st && !n_left && !l->n_elsewhere)
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

static bool is_ours(const struct app *a, const struct live *v)
{
	pl_str name;
	pl_ref ref;
	return !v->status && !tracking_parse(v->tracking, &name, &ref) && str_eqz(name, a->name) &&
	       ref_same(&ref, &v->ref);
}

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

static pl_status clear_target(struct app *a, struct look *l, pl_str id, const pl_ref *refs, size_t n, struct pl_err *e)
{
	struct target *t;
	struct applier *ap;
	struct live *live = arena_array(l->mem, n, sizeof(*live));
	pl_action *actions = arena_array(l->mem, n, sizeof(*actions));
	size_t n_actions = 0;
	pl_status st = target_by_id(a->g, id, &t, e);
	if (!st)
		st = target_open(t, &ap, e);
	if (!st)
		st = applier_observe(ap, refs, n, l->mem, l->doc, live, a->item.cancel, TIMEOUT_OBSERVE, e);
	for (size_t i = 0; !st && i < n; i++) {
		if (live[i].status && live[i].status != PL_ENOTFOUND)
			st = err_set(e, live[i].status, "%.*s", F(live[i].error));
		else if (is_ours(a, &live[i]))
			actions[n_actions++] = (pl_action){.size = sizeof(pl_action),
							   .op = PL_DELETE,
							   .id = action_id(a, i),
							   .ref = refs[i],
							   .tracking = live[i].tracking};
	}
	if (!st && n_actions)
		st = applier_submit(ap, actions, n_actions, a->item.cancel, TIMEOUT_APPLY, e);
	if (!st)
		st = wait_all(a, t, n_actions, e);
	COUNT(a->g, prunes, st ? 0 : n_actions);
	return st ? st : store_inventory_drop(a->g->store, str_of(a->name), id, refs, n, e);
}

void left_behind(struct app *a, struct look *l)
{
	struct pl_err e = ERR_INIT;
	bool all = true;
	/* only once the new target is in line: nothing is taken away before it stands elsewhere */
	if (!l->n_elsewhere || !a->c || !a->c->sync.prune || !a->c->sync.automated || a->suspended || a->g->look_only ||
	    l->plan.n_create || l->plan.n_update || l->plan.n_blocked)
		return;
	pl_ref *refs = arena_array(l->mem, l->n_elsewhere, sizeof(*refs));
	for (size_t from = 0, to; from < l->n_elsewhere; from = to) {
		size_t n = 0;
		for (to = from; to < l->n_elsewhere && str_eq(l->elsewhere[to].target, l->elsewhere[from].target); to++)
			refs[n++] = l->elsewhere[to].ref;
		if (clear_target(a, l, l->elsewhere[from].target, refs, n, &e)) {
			pl_err_in(&e, "prune on the former target");
			app_error(a, &e);
			app_wake(a, true, RETRY_MAX);
			all = false;
		}
		err_clear(&e);
	}
	if (all && !l->plan.n_out_of_sync) {
		pthread_mutex_lock(&a->g->mu);
		a->sync = STATUS_SYNCED;
		pthread_mutex_unlock(&a->g->mu);
	}
}
