/* SPDX-License-Identifier: Apache-2.0 */
/* What applications have applied, and whose an object is. */
#include "core/state/private.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

static void read_item(struct q *q, struct arena *a, struct store_item *out)
{
	out->ref.group = q_get_str(q, a);
	out->ref.version = q_get_str(q, a);
	out->ref.kind = q_get_str(q, a);
	out->ref.ns = q_get_str(q, a);
	out->ref.name = q_get_str(q, a);
	out->hash = q_get_str(q, a);
	out->since = q_get_int(q);
	out->target = q_get_str(q, a);
	out->previous = (pl_str){"", 0};
}

static pl_status list(struct store *s, enum query id, pl_str app, const pl_str *target, struct arena *a,
		      struct store_item **out, size_t *n, struct pl_err *e)
{
	struct store_item *v = NULL;
	size_t count = 0, cap = 0;
	struct q q;
	pl_status st;
	store_lock(s);
	q_open(&q, s, id);
	q_str(&q, app);
	if (target)
		q_str(&q, *target);
	while (!(st = q_step(&q, e))) {
		v = mem_grow(v, &cap, count + 1, sizeof *v);
		read_item(&q, a, &v[count++]);
	}
	q_close(&q);
	store_unlock(s);
	return hand_over(a, v, count, sizeof *v, st, out, n);
}

pl_status store_inventory(struct store *s, pl_str app, struct arena *a, struct store_item **out, size_t *n,
			  struct pl_err *e)
{
	return list(s, Q_ITEM_LIST, app, NULL, a, out, n, e);
}

pl_status store_inventory_on(struct store *s, pl_str app, pl_str target, struct arena *a, struct store_item **out,
			     size_t *n, struct pl_err *e)
{
	return list(s, Q_ITEM_ON, app, &target, a, out, n, e);
}

pl_status store_inventory_elsewhere(struct store *s, pl_str app, pl_str target, struct arena *a,
				    struct store_item **out, size_t *n, struct pl_err *e)
{
	return list(s, Q_ITEM_ELSEWHERE, app, &target, a, out, n, e);
}

pl_status store_owner(struct store *s, pl_str target, const pl_ref *ref, struct arena *a, pl_str *app, struct pl_err *e)
{
	struct q q;
	store_lock(s);
	q_open(&q, s, Q_ITEM_OWNER);
	q_ref(&q, ref);
	q_str(&q, target);
	pl_status st = q_step(&q, e);
	if (!st)
		*app = q_get_str(&q, a);
	q_close(&q);
	store_unlock(s);
	if (st == PL_ENOTFOUND)
		err_set(e, st, "no application has %.*s '%.*s'", F(ref->kind), F(ref->name));
	return st;
}

/* Another application's object is taken over only when that was asked for, or when that one has left the config. */
static pl_status check_holder(struct store *s, pl_str app, pl_str target, const struct store_item *it, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_ITEM_HOLDER);
	q_ref(&q, &it->ref);
	q_str(&q, target);
	pl_status st = q_step(&q, e);
	if (!st) {
		pl_str holder = q_peek_str(&q);
		bool orphaned = q_get_bool(&q);
		if (!str_eq(holder, app) && !orphaned && !str_eq(holder, it->previous))
			st = err_set(e, PL_ECONFLICT, "%.*s '%.*s' belongs to application '%.*s'", F(it->ref.kind),
				     F(it->ref.name), F(holder));
	}
	q_close(&q);
	return st == PL_ENOTFOUND ? PL_OK : st;
}

static pl_status put_item(struct store *s, pl_str app, pl_str target, const struct store_item *it, struct pl_err *e)
{
	struct q q;
	pl_str at = it->target.n ? it->target : target;
	pl_status st = check_holder(s, app, at, it, e);
	if (st)
		return st;
	q_open(&q, s, Q_ITEM_PUT);
	q_ref(&q, &it->ref);
	q_str(&q, it->ref.version);
	q_str(&q, at);
	q_str(&q, app);
	q_str(&q, it->hash);
	q_int(&q, it->since ? it->since : clock_wall_ms());
	return q_run(&q, e);
}

static pl_status drop_item(struct store *s, pl_str app, pl_str target, const pl_ref *ref, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_ITEM_DROP);
	q_ref(&q, ref);
	q_str(&q, target);
	q_str(&q, app);
	return q_run(&q, e);
}

/* The target of the application's row, copied: the row's own text goes with the statement. */
static pl_status target_of(struct store *s, pl_str app, struct buf *target, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_APP_TARGET);
	q_str(&q, app);
	pl_status st = q_step(&q, e);
	if (!st)
		buf_add(target, q_peek_str(&q));
	q_close(&q);
	return st == PL_ENOTFOUND ? err_set(e, st, "the store does not know the application '%.*s'", F(app)) : st;
}

pl_status store_inventory_change(struct store *s, pl_str app, const struct store_item *put, size_t n_put,
				 const pl_ref *drop, size_t n_drop, struct pl_err *e)
{
	struct buf target = BUF_INIT(SIZE_MAX);
	pl_status st = tx_begin(s, e);
	if (!st)
		st = target_of(s, app, &target, e);
	for (size_t i = 0; i < n_drop && !st; i++)
		st = drop_item(s, app, buf_str(&target), &drop[i], e);
	for (size_t i = 0; i < n_put && !st; i++)
		st = put_item(s, app, buf_str(&target), &put[i], e);
	st = TX_END(s, st, "inventory", e);
	buf_free(&target);
	return st;
}

pl_status store_inventory_drop(struct store *s, pl_str app, pl_str target, const pl_ref *refs, size_t n,
			       struct pl_err *e)
{
	pl_status st = tx_begin(s, e);
	if (!st && !refs) {
		struct q q;
		q_open(&q, s, Q_ITEM_DROP_TARGET);
		q_str(&q, app);
		q_str(&q, target);
		st = q_run(&q, e);
	}
	for (size_t i = 0; i < n && !st; i++)
		st = drop_item(s, app, target, &refs[i], e);
	return TX_END(s, st, "inventory_drop", e);
}
