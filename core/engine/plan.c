/* SPDX-License-Identifier: Apache-2.0 */
/* plan: one row for each object, then what holds prunes back, then the order. */
#include "core/engine/plan.h"

#include "core/engine/plan_parts.h"

#include <strings.h>

struct planner {
	struct arena *a;
	pl_str app;
	const struct plan_policy *policy;
	const pl_str *takers; /* applications that may lose their objects, sorted */
	size_t n_takers;
	size_t n_desired;   /* local-only ones aside */
	size_t n_inventory; /* what the application has, live or to be live again */
};

/* ---- whose is it? ---- */

enum whose { OURS, OURS_COPIED, UNMANAGED, UNREADABLE_MARK, OTHERS };

/* A tracking id that does not describe its object was copied with it from elsewhere. */
static enum whose whose(const struct planner *pl, const struct live *live, pl_str *other)
{
	pl_ref marked;

	*other = (pl_str){NULL, 0};
	if (live->tracking.n == 0)
		return UNMANAGED;
	if (tracking_parse(live->tracking, other, &marked))
		return UNREADABLE_MARK;
	if (!str_eq(*other, pl->app))
		return OTHERS;
	return ref_same(&marked, &live->ref) ? OURS : OURS_COPIED;
}

static bool is_ours(const struct planner *pl, const struct plan_cell *c)
{
	pl_str other;

	return c->live && c->live->status == PL_OK && whose(pl, c->live, &other) == OURS;
}

static int name_cmp(const void *a, const void *b)
{
	return str_cmp(*(const pl_str *)a, *(const pl_str *)b);
}

static void collect_takers(struct planner *pl, const struct plan_owner *owners, size_t n)
{
	pl_str *v = arena_array(pl->a, n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		if (owners[i].may_take)
			v[pl->n_takers++] = owners[i].app;
	qsort(v, pl->n_takers, sizeof(*v), name_cmp);
	pl->takers = v;
}

static bool was_taking(const struct plan_cell *c, pl_str owner)
{
	pl_str hash = c->item ? c->item->hash : (pl_str){NULL, 0};
	size_t n = sizeof(PLAN_TAKING) - 1;

	return str_starts(hash, S(PLAN_TAKING)) && str_eq((pl_str){hash.p + n, hash.n - n}, owner);
}

/* What this very object's owner says counts first, then what is known of that application. */
static bool may_take(const struct planner *pl, const struct plan_cell *c, pl_str owner)
{
	if (was_taking(c, owner))
		return true;
	if (c->owner && str_eq(c->owner->app, owner))
		return c->owner->may_take;
	return pl->n_takers && bsearch(&owner, pl->takers, pl->n_takers, sizeof(owner), name_cmp);
}

/* ---- desired objects ---- */

static bool same_hash(const struct plan_cell *c)
{
	return c->item && c->item->hash.n && str_eq(c->item->hash, c->desired->hash);
}

static void row_act(struct plan_row *r, enum plan_op op, enum plan_why why)
{
	r->op = op;
	r->why = why;
	r->out_of_sync = true;
}

static void row_foreign(struct planner *pl, struct plan_row *r, enum whose w, pl_str other)
{
	struct buf id = BUF_INIT(64 << 10);

	row_act(r, PLAN_NONE, PLAN_FOREIGN);
	if (w == OTHERS) {
		r->message = arena_printf(pl->a, "belongs to application '%.*s'", F(other));
		return;
	}
	tracking_print(pl->app, &r->ref, &id);
	r->message =
		arena_printf(pl->a, "%s: not managed by plumb; remove it, or hand it over by the annotation %s: '%.*s'",
			     w == UNMANAGED ? "exists already" : "exists with a tracking id that can't be read",
			     TRACKING_ANNOTATION, F(buf_str(&id)));
	buf_free(&id);
}

static void row_absent(struct planner *pl, const struct plan_cell *c, struct plan_row *r)
{
	if (c->owner && !c->owner->may_take) { /* its owner will create it again */
		row_foreign(pl, r, OTHERS, c->owner->app);
		return;
	}
	row_act(r, PLAN_CREATE, PLAN_ABSENT);
	r->drift = same_hash(c);
	if (c->owner)
		r->previous = c->owner->app;
}

static void row_ours(const struct plan_cell *c, struct plan_row *r)
{
	if (c->owner) /* taken over before; the inventories have still to learn it */
		r->previous = c->owner->app;
	if (pl_equal(c->desired->node, c->live->node)) {
		r->why = PLAN_SAME;
		r->adopt = !same_hash(c);
		return;
	}
	r->drift = same_hash(c);
	row_act(r, PLAN_UPDATE, r->drift ? PLAN_DRIFTED : PLAN_CHANGED);
}

static void row_unreadable(struct planner *pl, const struct plan_cell *c, struct plan_row *r)
{
	row_act(r, PLAN_NONE, PLAN_UNREADABLE);
	if (!c->live)
		r->message = S("the live side was not asked");
	else if (c->live->error.n)
		r->message = arena_dup(pl->a, c->live->error);
	else
		r->message = str_of(pl_status_name(c->live->status));
}

static void row_desired(struct planner *pl, const struct plan_cell *c, struct plan_row *r)
{
	pl_str other;
	enum whose w;

	if (!c->live || (c->live->status && c->live->status != PL_ENOTFOUND)) {
		row_unreadable(pl, c, r);
		return;
	}
	if (c->live->status == PL_ENOTFOUND) {
		row_absent(pl, c, r);
		return;
	}
	w = whose(pl, c->live, &other);
	if (w == OURS || w == OURS_COPIED) {
		row_ours(c, r);
	} else if (w == OTHERS && may_take(pl, c, other)) {
		row_act(r, PLAN_UPDATE, PLAN_TAKEN_OVER);
		r->previous = arena_dup(pl->a, other);
	} else {
		row_foreign(pl, r, w, other);
	}
}

/* ---- what is no longer desired ---- */

/* False: nothing of ours, no row. */
static bool row_undesired(struct planner *pl, const struct plan_cell *c, struct plan_row *r)
{
	bool ours = is_ours(pl, c);

	if (!ours && !c->item)
		return false;
	r->live = c->live ? c->live->node : NULL;
	if (ours) {
		bool extraneous = plan_list_has(plan_annotation(r->live, "argocd.argoproj.io/compare-options"),
						S("IgnoreExtraneous"));

		row_act(r, PLAN_DELETE, PLAN_NOT_DESIRED);
		r->out_of_sync = !extraneous;
		return true;
	}
	if (!c->live || (c->live->status && c->live->status != PL_ENOTFOUND)) {
		row_unreadable(pl, c, r);
		return true;
	}
	r->forget = true;
	r->why = c->live->status ? PLAN_NOT_DESIRED : PLAN_FOREIGN;
	if (r->why == PLAN_FOREIGN)
		r->message = S("no longer carries this application's tracking id: left alone");
	return true;
}

static bool row_make(struct planner *pl, const struct plan_cell *c, struct plan_row *r)
{
	bool local =
		c->desired && str_eqz(plan_annotation(c->desired->node, "config.kubernetes.io/local-config"), "true");

	*r = (struct plan_row){.ref = *c->ref, .stage = UINT32_MAX, .in_inventory = c->item != NULL};
	if (c->desired)
		r->at = c->desired->at;
	if (c->desired && !local) {
		pl->n_desired++;
		r->desired = c->desired->node;
		r->live = c->live ? c->live->node : NULL;
		r->hash = c->desired->hash;
		row_desired(pl, c, r);
	} else if (!row_undesired(pl, c, r)) {
		if (!local)
			return false;
		r->why = PLAN_IGNORED;
		r->desired = c->desired->node;
	}
	/* What the ceiling is measured against: all that is the application's, but not what is known to be gone for
	 * good. */
	pl->n_inventory += !r->forget && (c->item || is_ours(pl, c));
	return true;
}

/* ---- selection, order, counts ---- */

bool plan_selected(const struct plan_policy *policy, const pl_ref *ref)
{
	for (size_t i = 0; i < policy->n_only; i++) {
		const pl_ref *o = &policy->only[i];

		if (o->kind.n == ref->kind.n && strncasecmp(o->kind.p, ref->kind.p, o->kind.n) == 0 &&
		    str_eq(o->name, ref->name) && (!o->group.n || str_eq(o->group, ref->group)) &&
		    (!o->ns.n || str_eq(o->ns, ref->ns)))
			return true;
	}
	return policy->n_only == 0;
}

static void select_rows(struct plan *p, const struct plan_policy *policy)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_row *r = &p->rows[i];
		bool blocked = r->why == PLAN_FOREIGN || r->why == PLAN_UNREADABLE;

		if ((r->op != PLAN_NONE || (blocked && !r->forget)) && !plan_selected(policy, &r->ref)) {
			r->op = PLAN_NONE;
			r->why = PLAN_UNSELECTED;
		}
	}
}

/* Applies by rank, then deletes by rank backwards, then the rest. */
static uint32_t row_order(const struct plan_row *r)
{
	uint32_t rank = plan_kind_rank(r->ref.group, r->ref.kind);

	if (r->op == PLAN_NONE)
		return UINT32_MAX;
	return r->op == PLAN_DELETE ? UINT32_MAX / 2 - rank : rank;
}

static int row_cmp(const void *pa, const void *pb)
{
	const struct plan_row *a = pa, *b = pb;

	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	return ref_cmp(&a->ref, &b->ref);
}

static void order_rows(struct plan *p)
{
	uint32_t last = UINT32_MAX, stage = UINT32_MAX;

	for (size_t i = 0; i < p->n; i++)
		p->rows[i].stage = row_order(&p->rows[i]);
	qsort(p->rows, p->n, sizeof(*p->rows), row_cmp);
	for (size_t i = 0; i < p->n && p->rows[i].op != PLAN_NONE; i++) {
		if (p->rows[i].stage != last)
			stage++; /* from UINT32_MAX to 0 at the first */
		last = p->rows[i].stage;
		p->rows[i].stage = stage;
	}
	p->n_stages = (uint32_t)(stage + 1);
}

static void count_rows(struct plan *p)
{
	size_t n_waiting = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct plan_row *r = &p->rows[i];

		p->n_create += r->op == PLAN_CREATE;
		p->n_update += r->op == PLAN_UPDATE;
		p->n_delete += r->op == PLAN_DELETE;
		p->n_out_of_sync += r->out_of_sync;
		p->n_drift += r->drift;
		p->n_adopt += r->adopt;
		p->n_forget += r->forget;
		p->n_blocked += r->desired && (r->why == PLAN_FOREIGN || r->why == PLAN_UNREADABLE);
		n_waiting += r->out_of_sync &&
			     (r->why == PLAN_PRUNE_OFF || r->why == PLAN_PRUNE_HELD || r->why == PLAN_PRUNE_FALSE);
	}
	p->only_prunes_missing = p->n_out_of_sync && p->n_out_of_sync == n_waiting;
}

static pl_status check_names(const struct plan_desired *desired, size_t n, struct pl_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (pl_text(pl_gets(pl_gets(desired[i].node, "metadata"), "name")).n)
			continue;
		pl_err_set(e, PL_EINVAL, desired[i].at, "'%.*s' has no metadata.name", F(desired[i].ref.kind));
		pl_err_hint(e, "plumb can't find an object again that only has a generateName");
		return PL_EINVAL;
	}
	return PL_OK;
}

pl_status plan_make(struct arena *a, pl_str app, const struct plan_desired *desired, size_t n_desired,
		    const struct live *live, size_t n_live, const struct store_item *inventory, size_t n_inventory,
		    const struct plan_owner *owners, size_t n_owners, const struct plan_policy *policy,
		    struct plan *out, struct pl_err *e)
{
	struct planner pl = {.a = a, .app = app, .policy = policy};
	struct plan_cell *cells;
	size_t n;

	*out = (struct plan){0};
	if (check_names(desired, n_desired, e))
		return PL_EINVAL;
	collect_takers(&pl, owners, n_owners);
	cells = plan_pair(a, desired, n_desired, live, n_live, inventory, n_inventory, owners, n_owners, &n, out);
	out->rows = arena_array(a, n + 1, sizeof(*out->rows));
	for (size_t i = 0; i < n; i++)
		out->n += row_make(&pl, &cells[i], &out->rows[out->n]);
	plan_prune(a, app, out, policy, pl.n_inventory, pl.n_desired);
	select_rows(out, policy);
	order_rows(out);
	count_rows(out);
	return PL_OK;
}

static void hint_nearest(const struct plan *p, const pl_ref *wanted, struct pl_err *e)
{
	struct arena *a = arena_new();
	const char **names = arena_array(a, p->n + 1, sizeof(*names));
	pl_str name = arena_printf(a, "%.*s/%.*s", F(wanted->kind), F(wanted->name));
	const char *near;

	for (size_t i = 0; i < p->n; i++)
		names[i] = arena_printf(a, "%.*s/%.*s", F(p->rows[i].ref.kind), F(p->rows[i].ref.name)).p;
	near = str_nearest(name, names, p->n);
	if (near)
		pl_err_hint(e, "did you mean '%s'?", near);
	arena_free(a);
}

pl_status plan_check_only(const struct plan *p, const struct plan_policy *policy, struct pl_err *e)
{
	for (size_t i = 0; i < policy->n_only; i++) {
		struct plan_policy one = {.only = &policy->only[i], .n_only = 1};
		const pl_ref *o = &policy->only[i];
		size_t j = 0;

		while (j < p->n && !plan_selected(&one, &p->rows[j].ref))
			j++;
		if (j < p->n)
			continue;
		err_set(e, PL_ENOTFOUND, "no resource '%.*s/%.*s'", F(o->kind), F(o->name));
		hint_nearest(p, o, e);
		return PL_ENOTFOUND;
	}
	return PL_OK;
}

const char *plan_why_text(enum plan_why w)
{
	static const char *const texts[] = {
		[PLAN_SAME] = "as desired",
		[PLAN_ABSENT] = "missing on the live side",
		[PLAN_CHANGED] = "changed in Git",
		[PLAN_DRIFTED] = "changed on the live side",
		[PLAN_NOT_DESIRED] = "no longer in Git",
		[PLAN_PRUNE_OFF] = "no longer in Git, but prune is off",
		[PLAN_PRUNE_HELD] = "no longer in Git, but pruning is held back",
		[PLAN_PRUNE_FALSE] = "no longer in Git, but annotated never to be pruned",
		[PLAN_FOREIGN] = "belongs to somebody else",
		[PLAN_TAKEN_OVER] = "taken over from another application",
		[PLAN_UNSELECTED] = "not selected",
		[PLAN_UNREADABLE] = "could not be read from the live side",
		[PLAN_IGNORED] = "for local use only",
	};

	return w < sizeof(texts) / sizeof(texts[0]) ? texts[w] : "";
}

const char *plan_op_name(enum plan_op op)
{
	static const char *const names[] = {"none", "create", "update", "delete"};

	return op < sizeof(names) / sizeof(names[0]) ? names[op] : "";
}
