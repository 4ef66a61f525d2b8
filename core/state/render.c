/* SPDX-License-Identifier: Apache-2.0 */
/* Stored renders: one sealed row for each application and key; and what store_tidy lets go. */
#include "core/state/private.h"

/* The whole identity of a row, so that its sealed text opens nowhere else. */
static void row_name(struct buf *b, int64_t id, pl_str app, pl_str key)
{
	buf_add_u64(b, (uint64_t)id);
	buf_add_str(b, app);
	buf_add_str(b, key);
}

static pl_status seal_into(struct store *s, int64_t id, pl_str app, pl_str key, pl_str resources, struct pl_err *e)
{
	struct buf row = BUF_INIT(SIZE_MAX), sealed = BUF_INIT(SIZE_MAX);
	row_name(&row, id, app, key);
	pl_status st = seal_text(s->seal, "render", buf_str(&row), resources, &sealed, e);
	if (!st) {
		struct q q;
		q_open(&q, s, Q_RENDER_SEAL);
		q_blob(&q, buf_str(&sealed));
		q_int(&q, id);
		st = q_run(&q, e);
	}
	buf_free(&row);
	buf_free(&sealed);
	return st;
}

/* PL_ENOTFOUND without a text: no such row. */
static pl_status unseal_row(struct store *s, int64_t id, struct arena *a, pl_str *resources, struct pl_err *e)
{
	struct buf row = BUF_INIT(SIZE_MAX);
	struct q q;
	q_open(&q, s, Q_RENDER_GET);
	q_int(&q, id);
	pl_status st = q_step(&q, e);
	if (!st) {
		pl_str app = q_peek_str(&q), key = q_peek_str(&q);
		row_name(&row, id, app, key);
		st = seal_unseal(s->seal, "render", buf_str(&row), q_peek_str(&q), a, resources, e);
	}
	q_close(&q);
	buf_free(&row);
	return st;
}

static pl_status find(struct store *s, pl_str app, pl_str key, int64_t *id, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_RENDER_FIND);
	q_str(&q, app);
	q_str(&q, key);
	pl_status st = q_step(&q, e);
	if (!st)
		*id = q_get_int(&q);
	q_close(&q);
	return st;
}

/* A row that was sealed by a lost key, or is damaged, is of no use to anybody: it is sealed again, under its old
 * number. */
static pl_status renew(struct store *s, int64_t id, pl_str app, pl_str key, pl_str resources, struct pl_err *e)
{
	struct arena *a = arena_new();
	pl_str there;
	pl_status st = unseal_row(s, id, a, &there, NULL);
	arena_free(a);
	return st ? seal_into(s, id, app, key, resources, e) : PL_OK;
}

static pl_status add(struct store *s, pl_str app, pl_str key, pl_str resources, int64_t *id, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, Q_RENDER_ADD);
	q_str(&q, app);
	q_str(&q, key);
	pl_status st = q_run(&q, e);
	if (st)
		return st;
	*id = store_last_id(s);
	return seal_into(s, *id, app, key, resources, e);
}

pl_status store_render_put(struct store *s, pl_str app, pl_str key, pl_str resources, int64_t *id, struct pl_err *e)
{
	int64_t row = 0;
	pl_status st = tx_begin(s, e);
	if (!st) {
		st = find(s, app, key, &row, e);
		if (st == PL_ENOTFOUND)
			st = add(s, app, key, resources, &row, e);
		else if (!st)
			st = renew(s, row, app, key, resources, e);
	}
	st = TX_END(s, st, "render", e);
	if (!st)
		*id = row;
	return st ? pl_err_in(e, "store the render of '%.*s'", F(app)) : PL_OK;
}

pl_status store_render_get(struct store *s, int64_t id, struct arena *a, pl_str *resources, struct pl_err *e)
{
	store_lock(s);
	pl_status st = unseal_row(s, id, a, resources, e);
	store_unlock(s);
	if (st == PL_ENOTFOUND)
		return err_set(e, st, "there is no stored render %lld", (long long)id);
	return st ? pl_err_in(e, "stored render %lld", (long long)id) : PL_OK;
}

static pl_status run_one(struct store *s, enum query id, struct pl_err *e)
{
	struct q q;
	q_open(&q, s, id);
	return q_run(&q, e);
}

pl_status store_tidy(struct store *s, size_t keep, struct pl_err *e)
{
	struct q q;
	pl_status st = tx_begin(s, e);
	if (!st && keep) {
		q_open(&q, s, Q_HISTORY_TIDY);
		q_int(&q, keep < INT64_MAX ? (int64_t)keep : INT64_MAX);
		st = q_run(&q, e);
	}
	if (!st)
		st = run_one(s, Q_RENDER_TIDY, e);
	st = TX_END(s, st, "tidy", e);
	if (st)
		return st;
	/* Pages go back to the disk after the commit: that they are free is durable already. */
	store_lock(s);
	st = run_one(s, Q_VACUUM, e);
	store_unlock(s);
	return st;
}
