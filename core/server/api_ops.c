/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that change something: sync, rollback, suspend, resume; and history, their record. */
#include "core/server/api_internal.h"

#include "core/doc/private.h"

enum { WAIT_DEFAULT_MS = 15 * 60 * 1000, EVENT_MAX = 64 * 1024 };

struct progress {
	struct api *a;
	pl_str app;
};

/* A document of its own: the reply's is the asking thread's. */
static void on_result(void *ctx, const struct store_result *r, size_t done, size_t total)
{
	struct progress *p = ctx;
	const struct api_context *c = p->a->context;
	if (!c->progress)
		return;
	pl_doc *d = pl_doc_new(NULL);
	pl_node *m = pl_new_map(d);
	struct buf b = BUF_INIT(EVENT_MAX);
	put_text(d, m, "app", p->app);
	put_ref(d, m, &r->ref);
	put_text(d, m, "action", r->action);
	put_text(d, m, "status", r->status);
	add_text(d, m, "message", r->message);
	put_int(d, m, "done", (int64_t)done);
	put_int(d, m, "total", (int64_t)total);
	if (json_print(m, 0, &b, NULL) == PL_OK && !buf_full(&b))
		c->progress(c->ctx, buf_str(&b));
	buf_free(&b);
	pl_doc_unref(d);
}

static void put_outcome(struct api *a, pl_node *list, pl_str app, const struct sync_outcome *o)
{
	pl_node *m = pl_new_map(a->d);
	put_text(a->d, m, "app", app);
	put_int(a->d, m, "history", o->history);
	put_text(a->d, m, "phase", o->phase);
	add_text(a->d, m, "message", o->message);
	add_text(a->d, m, "revisionName", o->revision_name);
	put_text(a->d, m, "health", str_of(health_name(o->health)));
	put_bool(a->d, m, "inLine", o->in_line);
	put_results(a->d, m, o->results, o->n_results);
	pl_append(a->d, list, m);
}

/* One application's failure does not stop the next: it becomes its outcome. */
static void put_failure(struct api *a, pl_node *list, pl_str app, struct pl_err *e)
{
	pl_node *m = pl_new_map(a->d);
	put_text(a->d, m, "app", app);
	put_text(a->d, m, "phase", S("Error"));
	put_text(a->d, m, "message", str_of(pl_err_text(e)));
	put_int(a->d, m, "code", pl_err_code(e));
	put_bool(a->d, m, "inLine", false);
	pl_append(a->d, list, m);
}

/* KIND/NAME or KIND.GROUP/NAME, as `--resource` takes them. */
static pl_status parse_resource(pl_str text, pl_ref *out, struct pl_err *e)
{
	pl_str kind, name;
	*out = (pl_ref){0};
	if (!str_cut(text, '/', &kind, &name) || !kind.n || !name.n) {
		err_set(e, PL_EINVAL, "'%.*s' does not name a resource", F(text));
		pl_err_hint(e, "write KIND/NAME, as in Deployment/web or Deployment.apps/web");
		return PL_EINVAL;
	}
	str_cut(kind, '.', &out->kind, &out->group);
	out->name = name;
	return PL_OK;
}

static pl_status resources_of(struct api *a, const pl_ref **out, size_t *n)
{
	const pl_node *list = pl_gets(a->request, "resources");
	*n = pl_len(list);
	pl_ref *v = arena_array(a->arena, *n, sizeof *v);
	*out = v;
	for (size_t i = 0; i < *n; i++) {
		pl_status st = parse_resource(pl_text(pl_item(list, i)), &v[i], a->e);
		if (st)
			return st;
	}
	return PL_OK;
}

pl_status api_sync(struct api *a)
{
	pl_str *apps;
	size_t n;
	struct sync_request q = {.prune = api_flag(a, "prune"),
				 .dry_run = api_flag(a, "dryRun"),
				 .revision = api_text(a, "revision"),
				 .initiator = arena_printf(a->arena, "user %.*s", F(a->context->user))};
	pl_status st = api_apps(a, &apps, &n);
	if (!st)
		st = resources_of(a, &q.only, &q.n_only);
	if (st)
		return st;
	pl_node *list = put_list(a->d, a->reply, "outcomes");
	for (size_t i = 0; i < n; i++) {
		struct sync_outcome o = {0};
		struct pl_err e = ERR_INIT;
		struct progress p = {a, apps[i]};
		q.app = apps[i];
		st = engine_sync(a->engine, &q, api_number(a, "waitMs", WAIT_DEFAULT_MS), on_result, &p,
				 a->context->cancel, a->arena, &o, &e);
		if (st)
			put_failure(a, list, apps[i], &e);
		else
			put_outcome(a, list, apps[i], &o);
		err_clear(&e);
	}
	return PL_OK;
}

pl_status api_rollback(struct api *a)
{
	struct sync_outcome o = {0};
	struct progress p = {a, {0}};
	pl_status st = api_need_text(a, "app", &p.app);
	if (!st)
		st = engine_rollback(a->engine, p.app, api_number(a, "id", 0),
				     arena_printf(a->arena, "rollback by %.*s", F(a->context->user)),
				     api_number(a, "waitMs", WAIT_DEFAULT_MS), on_result, &p, a->context->cancel,
				     a->arena, &o, a->e);
	if (!st)
		put_outcome(a, put_list(a->d, a->reply, "outcomes"), p.app, &o);
	return st;
}

static pl_node *history_node(pl_doc *d, const struct store_history *h)
{
	pl_node *m = pl_new_map(d);
	put_int(d, m, "id", h->id);
	put_text(d, m, "app", h->app);
	put_text(d, m, "revision", h->revision);
	add_text(d, m, "revisionName", h->revision_name);
	add_text(d, m, "author", h->author);
	add_text(d, m, "message", h->message);
	put_text(d, m, "initiator", h->initiator);
	put_time(d, m, "startedAt", h->started_ms);
	put_time(d, m, "finishedAt", h->finished_ms);
	put_int(d, m, "startedMs", h->started_ms);
	put_int(d, m, "durationMs", h->finished_ms ? h->finished_ms - h->started_ms : 0);
	put_text(d, m, "phase", h->phase);
	add_text(d, m, "error", h->error);
	add_text(d, m, "health", h->health);
	put_results(d, m, h->results, h->n_results);
	return m;
}

pl_status api_history(struct api *a)
{
	pl_str app;
	struct store_history *v;
	size_t n;
	pl_status st = api_need_text(a, "app", &app);
	int64_t limit = api_number(a, "limit", 0), id = api_number(a, "id", 0);
	if (!st)
		st = engine_history(a->engine, app, limit > 0 ? (size_t)limit : 0, a->arena, &v, &n, a->e);
	if (st)
		return st;
	pl_node *list = put_list(a->d, a->reply, "history");
	for (size_t i = 0; i < n; i++)
		if (!id || v[i].id == id)
			pl_append(a->d, list, history_node(a->d, &v[i]));
	if (id && !pl_len(list))
		return err_set(a->e, PL_ENOTFOUND, "application '%.*s' has no history entry %lld", F(app),
			       (long long)id);
	return PL_OK;
}

pl_status api_suspend(struct api *a)
{
	pl_str *apps, reason = api_text(a, "reason");
	size_t n;
	pl_status st = api_apps(a, &apps, &n);
	pl_str text = reason.n ? arena_printf(a->arena, "%.*s (by %.*s)", F(reason), F(a->context->user))
			       : arena_printf(a->arena, "by %.*s", F(a->context->user));
	for (size_t i = 0; i < n && !st; i++)
		st = engine_suspend(a->engine, apps[i], text, a->e);
	return st;
}

pl_status api_resume(struct api *a)
{
	pl_str *apps;
	size_t n;
	pl_status st = api_apps(a, &apps, &n);
	for (size_t i = 0; i < n && !st; i++)
		st = engine_resume(a->engine, apps[i], a->e);
	return st;
}

pl_status api_refresh(struct api *a)
{
	const pl_node *list = pl_gets(a->request, "apps");
	if (!pl_len(list))
		return engine_refresh(a->engine, (pl_str){NULL, 0}, a->e);
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(list) && !st; i++)
		st = engine_refresh(a->engine, pl_text(pl_item(list, i)), a->e);
	return st;
}
