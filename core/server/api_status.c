/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server/api_internal.h"

static pl_node *app_node(pl_doc *d, const struct app_status *s)
{
	pl_node *m = pl_new_map(d), *health = pl_new_map(d);
	put_text(d, m, "name", s->name);
	put_text(d, m, "status", s->word);
	put_text(d, m, "sync", str_of(sync_status_name(s->sync)));
	put_text(d, health, "status", str_of(health_name(s->health)));
	add_text(d, health, "message", s->health_message);
	pl_sets(d, m, "health", health);
	if (s->operation.n) {
		pl_node *op = pl_new_map(d);
		put_text(d, op, "phase", s->operation);
		add_text(d, op, "message", s->operation_message);
		pl_sets(d, m, "operation", op);
	}
	add_text(d, m, "revision", s->revision);
	add_text(d, m, "revisionName", s->revision_name);
	add_text(d, m, "targetRevision", s->target_revision);
	put_time(d, m, "syncedAt", s->synced_ms);
	put_time(d, m, "checkedAt", s->checked_ms);
	put_int(d, m, "syncedMs", s->synced_ms);
	add_text(d, m, "message", s->message);
	put_bool(d, m, "suspended", s->suspended);
	put_bool(d, m, "orphaned", s->orphaned);
	put_bool(d, m, "automated", s->automated);
	add_text(d, m, "pinned", s->pinned);
	add_text(d, m, "source", s->source);
	put_text(d, m, "path", s->path);
	add_text(d, m, "target", s->target);
	add_text(d, m, "namespace", s->ns);
	put_int(d, m, "resourceCount", (int64_t)s->n_resources);
	return m;
}

static pl_node *resource_node(pl_doc *d, const struct resource_status *r)
{
	pl_node *m = pl_new_map(d);
	put_ref(d, m, &r->ref);
	put_text(d, m, "sync", str_of(sync_status_name(r->sync)));
	put_text(d, m, "health", str_of(health_name(r->health)));
	put_text(d, m, "reason", str_of(plan_why_text(r->why)));
	put_bool(d, m, "needsPrune", r->needs_prune);
	add_text(d, m, "message", r->message);
	return m;
}

static pl_status one(struct api *a, pl_str app)
{
	struct app_status s;
	struct resource_status *v;
	size_t n;
	pl_status st = engine_resources(a->engine, app, a->arena, &s, &v, &n, a->e);
	if (st)
		return st;
	pl_sets(a->d, a->reply, "application", app_node(a->d, &s));
	pl_node *list = put_list(a->d, a->reply, "resources");
	for (size_t i = 0; i < n; i++)
		pl_append(a->d, list, resource_node(a->d, &v[i]));
	return PL_OK;
}

pl_status api_status(struct api *a)
{
	pl_str app = api_text(a, "app");
	pl_status st = PL_OK;
	if (a->context->compare_first)
		st = engine_compare(a->engine, app, a->e);
	else if (api_flag(a, "refresh"))
		st = engine_refresh(a->engine, app, a->e);
	if (st)
		return st;
	if (app.n)
		return one(a, app);
	struct app_status *v;
	size_t n;
	st = engine_status(a->engine, a->arena, &v, &n, a->e);
	if (st)
		return st;
	pl_node *list = put_list(a->d, a->reply, "applications");
	for (size_t i = 0; i < n; i++)
		pl_append(a->d, list, app_node(a->d, &v[i]));
	return PL_OK;
}
