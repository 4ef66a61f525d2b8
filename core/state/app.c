/* SPDX-License-Identifier: Apache-2.0 */
/* Applications' rows, their running syncs, traces and small facts. */
#include "core/state/private.h"

#include "core/base/mem.h"

static void read_app(struct q *q, struct arena *a, struct store_app *out)
{
	out->name = q_get_str(q, a);
	out->target = q_get_str(q, a);
	out->revision = q_get_str(q, a);
	out->revision_name = q_get_str(q, a);
	out->render_key = q_get_str(q, a);
	out->suspended = q_get_bool(q);
	out->suspend_reason = q_get_str(q, a);
	out->pinned = q_get_str(q, a);
	out->pin_reason = q_get_str(q, a);
	out->pin_render = q_get_int(q);
	out->orphaned = q_get_bool(q);
	out->cascade = q_get_bool(q);
	out->failures = (uint32_t)q_get_int(q);
	out->next_try_ms = q_get_int(q);
	out->last_error = q_get_str(q, a);
	out->tried_revision = q_get_str(q, a);
}

pl_status store_apps(struct store *s, struct arena *a, struct store_app **out, size_t *n, struct pl_err *e)
{
	struct store_app *v = NULL;
	size_t count = 0, cap = 0;
	struct q q;
	pl_status st;
	store_lock(s);
	q_open(&q, s, Q_APP_ALL);
	while (!(st = q_step(&q, e))) {
		v = mem_grow(v, &cap, count + 1, sizeof *v);
		read_app(&q, a, &v[count++]);
	}
	q_close(&q);
	store_unlock(s);
	return hand_over(a, v, count, sizeof *v, st, out, n);
}

pl_status store_app_get(struct store *s, pl_str name, struct arena *a, struct store_app *out, struct pl_err *e)
{
	struct q q;
	store_lock(s);
	q_open(&q, s, Q_APP_GET);
	q_str(&q, name);
	pl_status st = q_step(&q, e);
	if (!st)
		read_app(&q, a, out);
	q_close(&q);
	store_unlock(s);
	return st == PL_ENOTFOUND ? err_set(e, st, "the store does not know the application '%.*s'", F(name)) : st;
}

pl_status app_write(struct store *s, const struct store_app *app, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_APP_PUT);
	q_str(&q, app->name);
	q_str(&q, app->target);
	q_str(&q, app->revision);
	q_str(&q, app->revision_name);
	q_str(&q, app->render_key);
	q_int(&q, app->suspended);
	q_str(&q, app->suspend_reason);
	q_str(&q, app->pinned);
	q_str(&q, app->pin_reason);
	q_int(&q, app->pin_render);
	q_int(&q, app->orphaned);
	q_int(&q, app->cascade);
	q_int(&q, app->failures);
	q_int(&q, app->next_try_ms);
	q_str(&q, app->last_error);
	q_str(&q, app->tried_revision);
	return q_run(&q, e);
}

pl_status store_app_put(struct store *s, const struct store_app *app, struct pl_err *e)
{
	pl_status st = tx_begin(s, e);
	if (!st)
		st = app_write(s, app, e);
	return TX_END(s, st, "app", e);
}

static pl_status run_with(struct store *s, enum query id, pl_str app, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, id);
	q_str(&q, app);
	return q_run(&q, e);
}

pl_status store_app_drop(struct store *s, pl_str name, struct pl_err *e)
{
	/* The row goes last: items refer to it. */
	static const enum query steps[] = {Q_ITEM_DROP_APP, Q_SYNC_DROP, Q_TRACE_DROP, Q_RENDER_DROP_APP, Q_APP_DROP};
	pl_status st = tx_begin(s, e);
	for (size_t i = 0; i < sizeof steps / sizeof *steps && !st; i++)
		st = run_with(s, steps[i], name, e);
	return TX_END(s, st, "app_drop", e);
}

/* ---- running syncs ---- */

pl_status store_sync_get(struct store *s, pl_str app, struct arena *a, pl_str *blob, struct pl_err *e)
{
	struct q q;
	store_lock(s);
	q_open(&q, s, Q_SYNC_GET);
	q_str(&q, app);
	pl_status st = q_step(&q, e);
	if (st == PL_ENOTFOUND)
		err_set(e, st, "no sync of '%.*s' is running", F(app));
	if (!st) {
		st = seal_unseal(s->seal, "sync", app, q_peek_str(&q), a, blob, e);
		if (st)
			pl_err_in(e, "running sync of '%.*s'", F(app));
	}
	q_close(&q);
	store_unlock(s);
	return st;
}

pl_status store_sync_put(struct store *s, pl_str app, pl_str blob, struct pl_err *e)
{
	struct buf sealed = BUF_INIT(SIZE_MAX);
	struct q q;
	pl_status st = tx_begin(s, e);
	if (!st && blob.n == 0)
		st = sync_drop(s, app, e);
	else if (!st)
		st = seal_text(s->seal, "sync", app, blob, &sealed, e);
	if (!st && blob.n) {
		q_open(&q, s, Q_SYNC_PUT);
		q_str(&q, app);
		q_blob(&q, buf_str(&sealed));
		st = q_run(&q, e);
	}
	buf_free(&sealed);
	return TX_END(s, st, "sync", e);
}

pl_status sync_drop(struct store *s, pl_str app, struct pl_err *e)
{
	return run_with(s, Q_SYNC_DROP, app, e);
}

pl_status store_syncs(struct store *s, struct arena *a, pl_str **apps, size_t *n, struct pl_err *e)
{
	pl_str *v = NULL;
	size_t count = 0, cap = 0;
	struct q q;
	pl_status st;
	store_lock(s);
	q_open(&q, s, Q_SYNC_APPS);
	while (!(st = q_step(&q, e))) {
		v = mem_grow(v, &cap, count + 1, sizeof *v);
		v[count++] = q_get_str(&q, a);
	}
	q_close(&q);
	store_unlock(s);
	return hand_over(a, v, count, sizeof *v, st, apps, n);
}

/* ---- traces and small facts: one value by one key ---- */

static pl_status get_value(struct store *s, enum query id, pl_str key, struct arena *a, pl_str *value, struct pl_err *e)
{
	struct q q;
	store_lock(s);
	q_open(&q, s, id);
	q_str(&q, key);
	pl_status st = q_step(&q, e);
	if (!st)
		*value = q_get_str(&q, a);
	q_close(&q);
	store_unlock(s);
	return st;
}

static pl_status put_value(struct store *s, enum query id, pl_str key, pl_str value, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, id);
	q_str(&q, key);
	q_blob(&q, value);
	return q_run(&q, e);
}

pl_status store_trace_get(struct store *s, pl_str app, struct arena *a, pl_str *trace, struct pl_err *e)
{
	pl_status st = get_value(s, Q_TRACE_GET, app, a, trace, e);
	return st == PL_ENOTFOUND ? err_set(e, st, "no trace of '%.*s' is stored", F(app)) : st;
}

pl_status store_trace_put(struct store *s, pl_str app, pl_str trace, struct pl_err *e)
{
	pl_status st = tx_begin(s, e);
	if (!st)
		st = put_value(s, Q_TRACE_PUT, app, trace, e);
	return TX_END(s, st, "trace", e);
}

pl_status store_meta_get(struct store *s, const char *key, struct arena *a, pl_str *value, struct pl_err *e)
{
	pl_status st = get_value(s, Q_META_GET, str_of(key), a, value, e);
	return st == PL_ENOTFOUND ? err_set(e, st, "the store holds no '%s'", key) : st;
}

pl_status store_meta_put(struct store *s, const char *key, pl_str value, struct pl_err *e)
{
	pl_status st = tx_begin(s, e);
	if (!st)
		st = put_value(s, Q_META_PUT, str_of(key), value, e);
	return TX_END(s, st, "meta", e);
}
