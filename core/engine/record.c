/* SPDX-License-Identifier: Apache-2.0 */
#include "core/engine/record.h"

#include "core/base/fault.h"

/* ---- the inventory around each batch ---- */

static pl_status put(struct store *st, pl_str app, const struct store_item *items, size_t n, struct pl_err *e)
{
	return n ? store_inventory_change(st, app, items, n, NULL, 0, e) : PL_OK;
}

/* Drops name their target: an application that changes it prunes where it no longer is. */
static pl_status drop(struct store *st, pl_str app, pl_str target, const pl_ref *refs, size_t n, struct pl_err *e)
{
	return n ? store_inventory_drop(st, app, target, refs, n, e) : PL_OK;
}

static struct store_item item_of(const struct plan_row *r, pl_str target, pl_str hash)
{
	return (struct store_item){.ref = r->ref, .hash = hash, .target = target, .previous = r->previous};
}

static pl_str intent_hash(struct arena *a, const struct plan_row *r)
{
	return r->why == PLAN_TAKEN_OVER ? arena_printf(a, PLAN_TAKING "%.*s", F(r->previous)) : (pl_str){NULL, 0};
}

pl_status record_intent(struct store *st, pl_str app, pl_str target, const struct plan *p, const size_t *rows, size_t n,
			struct pl_err *e)
{
	struct arena *a = arena_new();
	struct store_item *items = arena_array(a, n + 1, sizeof(*items));
	size_t n_items = 0;
	pl_status status;

	for (size_t i = 0; i < n; i++) {
		const struct plan_row *r = &p->rows[rows[i]];

		if (r->op != PLAN_DELETE && !r->in_inventory)
			items[n_items++] = item_of(r, target, intent_hash(a, r));
	}
	FAULT("record.intent.before");
	status = put(st, app, items, n_items, e);
	FAULT("record.intent.after");
	arena_free(a);
	return status ? pl_err_in(e, "record what is about to be applied") : PL_OK;
}

pl_status record_done(struct store *st, pl_str app, pl_str target, const struct plan *p, const struct sync *s,
		      const size_t *rows, size_t n, struct pl_err *e)
{
	struct arena *a = arena_new();
	struct store_item *items = arena_array(a, n + 1, sizeof(*items));
	pl_ref *gone = arena_array(a, n + 1, sizeof(*gone));
	size_t n_items = 0, n_gone = 0;
	pl_status status;

	for (size_t i = 0; i < n; i++) {
		const struct plan_row *r = &p->rows[rows[i]];
		struct store_result res;

		if (!sync_row_result(s, rows[i], &res))
			continue;
		if (str_eqz(res.status, "Pruned"))
			gone[n_gone++] = r->ref;
		else if (str_eqz(res.status, "Synced") || str_eqz(res.status, "Unchanged"))
			items[n_items++] = item_of(r, target, r->hash);
	}
	FAULT("record.done.before");
	status = put(st, app, items, n_items, e);
	if (status == PL_OK)
		status = drop(st, app, target, gone, n_gone, e);
	FAULT("record.done.after");
	arena_free(a);
	return status ? pl_err_in(e, "record what was applied") : PL_OK;
}

pl_status record_learned(struct store *st, pl_str app, pl_str target, const struct plan *p, struct pl_err *e)
{
	struct arena *a;
	struct store_item *items;
	pl_ref *gone;
	size_t n_items = 0, n_gone = 0;
	pl_status status;

	if (p->n_adopt == 0 && p->n_forget == 0)
		return PL_OK;
	a = arena_new();
	items = arena_array(a, p->n + 1, sizeof(*items));
	gone = arena_array(a, p->n + 1, sizeof(*gone));
	for (size_t i = 0; i < p->n; i++) {
		if (p->rows[i].adopt)
			items[n_items++] = item_of(&p->rows[i], target, p->rows[i].hash);
		if (p->rows[i].forget)
			gone[n_gone++] = p->rows[i].ref;
	}
	status = put(st, app, items, n_items, e);
	if (status == PL_OK)
		status = drop(st, app, target, gone, n_gone, e);
	arena_free(a);
	return status ? pl_err_in(e, "bring the inventory in line with the live side") : PL_OK;
}

/* ---- the end ---- */

int64_t record_backoff(pl_str app, uint32_t failures, int64_t base_ms, int64_t max_ms)
{
	int64_t wait = base_ms;
	uint64_t spread;

	for (uint32_t i = 1; i < failures && wait < max_ms; i++)
		wait = wait > max_ms / 2 ? max_ms : wait * 2;
	if (wait > max_ms)
		wait = max_ms;
	spread = (uint64_t)wait / 5;
	return wait - (spread ? (int64_t)((str_hash(app) ^ failures * 0x9e3779b97f4a7c15u) % spread) : 0);
}

static void app_succeeded(struct store_app *app, const struct sync_start *i, const struct record_end *r)
{
	app->failures = 0;
	app->next_try_ms = 0;
	app->last_error = (pl_str){NULL, 0};
	if (i->policy.n_only) /* part of a revision is not that revision */
		return;
	app->target = r->target;
	app->revision = i->revision;
	app->revision_name = i->revision_name;
	app->render_key = r->render_key;
	app->tried_revision = i->revision;
}

static void app_failed(struct store_app *app, const struct sync_start *i, const struct record_end *r)
{
	/* another revision has its own chances */
	if (!str_eq(app->tried_revision, i->revision))
		app->failures = 0;
	if (app->failures < UINT32_MAX)
		app->failures++;
	app->next_try_ms = r->now_ms + r->retry_ms;
	app->last_error = r->message;
	if (i->policy.n_only == 0)
		app->tried_revision = i->revision;
}

pl_status record_sync_end(struct store *st, const struct sync *s, const struct record_end *r, struct store_app *app,
			  int64_t *history, struct pl_err *e)
{
	const struct sync_start *i = sync_info(s);
	bool failed = !str_eqz(r->phase, "Succeeded");
	struct store_history entry = {.app = i->app,
				      .revision = i->revision,
				      .revision_name = i->revision_name,
				      .author = r->author,
				      .message = r->description,
				      .initiator = i->initiator,
				      .started_ms = i->started_ms,
				      .finished_ms = r->now_ms,
				      .phase = r->phase,
				      .error = failed ? r->message : (pl_str){NULL, 0},
				      .health = r->health,
				      .render = i->render};
	struct store_result *results;
	struct arena *a;
	pl_status status;

	*history = 0;
	if (i->dry_run)
		return PL_OK;
	a = arena_new();
	entry.n_results = sync_results(s, a, &results);
	entry.results = results;
	if (failed)
		app_failed(app, i, r);
	else
		app_succeeded(app, i, r);
	FAULT("record.before");
	status = store_sync_end(st, app, &entry, e);
	FAULT("record.after");
	arena_free(a);
	if (status)
		return pl_err_in(e, "record the end of the sync");
	*history = entry.id;
	return PL_OK;
}
