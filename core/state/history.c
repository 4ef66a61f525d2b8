/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log and the renders it names. */
#include "core/state/private.h"

#include "core/base/mem.h"

/* ---- writing ---- */

static pl_status write_result(struct store *s, int64_t id, size_t seq, const struct store_result *r, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_RESULT_PUT);
	q_int(&q, id);
	q_int(&q, (int64_t)seq);
	q_str(&q, r->ref.group);
	q_str(&q, r->ref.version);
	q_str(&q, r->ref.kind);
	q_str(&q, r->ref.ns);
	q_str(&q, r->ref.name);
	q_str(&q, r->action);
	q_str(&q, r->status);
	q_str(&q, r->message);
	return q_run(&q, e);
}

static pl_status write_entry(struct store *s, const struct store_history *h, int64_t *id, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_HISTORY_PUT);
	q_int(&q, h->id);
	q_str(&q, h->app);
	q_str(&q, h->revision);
	q_str(&q, h->revision_name);
	q_str(&q, h->author);
	q_str(&q, h->message);
	q_str(&q, h->initiator);
	q_int(&q, h->started_ms);
	q_int(&q, h->finished_ms);
	q_str(&q, h->phase);
	q_str(&q, h->error);
	q_str(&q, h->health);
	q_int(&q, h->render);
	pl_status st = q_run(&q, e);
	*id = store_last_id(s);
	for (size_t i = 0; i < h->n_results && !st; i++)
		st = write_result(s, *id, i, &h->results[i], e);
	return st;
}

pl_status store_sync_end(struct store *s, const struct store_app *app, struct store_history *entry, struct pl_err *e)
{
	int64_t id = 0;
	pl_status st = tx_begin(s, e);
	if (!st)
		st = app_write(s, app, e);
	if (!st)
		st = write_entry(s, entry, &id, e);
	if (!st)
		st = sync_drop(s, app->name, e);
	st = TX_END(s, st, "sync_end", e);
	if (!st)
		entry->id = id;
	return st;
}

static pl_status no_entry(int64_t id, struct pl_err *e)
{
	return err_set(e, PL_ENOTFOUND, "there is no history entry %lld", (long long)id);
}

pl_status store_history_health(struct store *s, int64_t id, pl_str health, struct pl_err *e)
{
	struct q q;
	pl_status st = tx_begin(s, e);
	if (!st) {
		q_open(&q, s, Q_HISTORY_HEALTH);
		q_str(&q, health);
		q_int(&q, id);
		st = q_run(&q, e);
	}
	if (!st && store_changes(s) == 0)
		st = no_entry(id, e);
	return TX_END(s, st, "history_health", e);
}

/* ---- reading ---- */

static void read_entry(struct q *q, struct arena *a, struct store_history *out)
{
	out->id = q_get_int(q);
	out->app = q_get_str(q, a);
	out->revision = q_get_str(q, a);
	out->revision_name = q_get_str(q, a);
	out->author = q_get_str(q, a);
	out->message = q_get_str(q, a);
	out->initiator = q_get_str(q, a);
	out->started_ms = q_get_int(q);
	out->finished_ms = q_get_int(q);
	out->phase = q_get_str(q, a);
	out->error = q_get_str(q, a);
	out->health = q_get_str(q, a);
	out->render = q_get_int(q);
	out->results = NULL;
	out->n_results = 0;
}

static pl_status read_results(struct store *s, struct arena *a, struct store_history *h, struct pl_err *e)
{
	struct store_result *v = NULL, *kept;
	size_t count = 0, cap = 0;
	struct q q;
	pl_status st;
	q_open(&q, s, Q_RESULT_LIST);
	q_int(&q, h->id);
	while (!(st = q_step(&q, e))) {
		v = mem_grow(v, &cap, count + 1, sizeof *v);
		struct store_result *r = &v[count++];
		r->ref.group = q_get_str(&q, a);
		r->ref.version = q_get_str(&q, a);
		r->ref.kind = q_get_str(&q, a);
		r->ref.ns = q_get_str(&q, a);
		r->ref.name = q_get_str(&q, a);
		r->action = q_get_str(&q, a);
		r->status = q_get_str(&q, a);
		r->message = q_get_str(&q, a);
	}
	q_close(&q);
	st = hand_over(a, v, count, sizeof *v, st, &kept, &h->n_results);
	h->results = kept;
	return st;
}

pl_status store_history_list(struct store *s, pl_str app, size_t limit, bool with_results, struct arena *a,
			     struct store_history **out, size_t *n, struct pl_err *e)
{
	struct store_history *v = NULL;
	size_t count = 0, cap = 0;
	struct q q;
	pl_status st;
	store_lock(s);
	q_open(&q, s, Q_HISTORY_LIST);
	q_str(&q, app);
	q_int(&q, limit && limit < INT64_MAX ? (int64_t)limit : -1);
	while (!(st = q_step(&q, e))) {
		v = mem_grow(v, &cap, count + 1, sizeof *v);
		read_entry(&q, a, &v[count++]);
	}
	q_close(&q);
	if (st == PL_ENOTFOUND)
		st = PL_OK;
	for (size_t i = 0; i < count && with_results && !st; i++)
		st = read_results(s, a, &v[i], e);
	store_unlock(s);
	return hand_over(a, v, count, sizeof *v, st, out, n);
}

pl_status store_history_get(struct store *s, int64_t id, struct arena *a, struct store_history *out, struct pl_err *e)
{
	struct q q;
	store_lock(s);
	q_open(&q, s, Q_HISTORY_GET);
	q_int(&q, id);
	pl_status st = q_step(&q, e);
	if (!st)
		read_entry(&q, a, out);
	q_close(&q);
	st = st == PL_ENOTFOUND ? no_entry(id, e) : st ? st : read_results(s, a, out, e);
	store_unlock(s);
	return st;
}
