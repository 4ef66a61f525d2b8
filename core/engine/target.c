/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: one applier handle for all applications of one, and whose result is whose. */
#include "core/engine/internal.h"

static pl_str identity(struct arena *a, const struct plugin *p, pl_str options)
{
	return arena_printf(a, "%.*s %.*s", F(plugin_table(p)->name), F(options));
}

struct target *target_named(struct engine *g, const char *name, const struct plugin *p, pl_str options)
{
	struct arena *mem = arena_new();
	pl_str id = identity(mem, p, options);
	struct target *t = NULL;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_targets && !t; i++)
		if (str_eqz(id, g->targets[i]->id))
			t = g->targets[i];
	if (!t) {
		t = mem_zalloc(sizeof(*t));
		t->g = g;
		t->id = str_dup(id);
		t->plugin = p;
		t->options = str_dup(options);
		t->stop = cancel_new();
		pthread_mutex_init(&t->mu, NULL);
		pthread_mutex_init(&t->adopting, NULL);
		if (g->n_targets == g->cap_targets)
			g->targets = mem_grow(g->targets, &g->cap_targets, g->n_targets + 1, sizeof(struct target *));
		g->targets[g->n_targets++] = t;
	}
	keep(&t->name, str_of(name));
	pthread_mutex_unlock(&g->mu);
	arena_free(mem);
	return t;
}

pl_status target_by_id(struct engine *g, pl_str id, struct target **out, struct pl_err *e)
{
	pl_str plugin, options;
	const struct plugin *p = NULL;
	*out = NULL;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_targets; i++)
		if (str_eqz(id, g->targets[i]->id))
			*out = g->targets[i];
	pthread_mutex_unlock(&g->mu);
	if (*out)
		return PL_OK;
	if (!str_cut(id, ' ', &plugin, &options))
		return err_set(e, PL_EINTERNAL, "'%.*s' is no target's identity", F(id));
	pl_status st = registry_get(g->registry, PL_KIND_APPLIER, plugin, &p, e);
	if (st)
		return pl_err_in(e, "former target '%.*s'", F(id));
	*out = target_named(g, "(former target)", p, options);
	return PL_OK;
}

pl_status target_open(struct target *t, struct applier **out, struct pl_err *e)
{
	pl_status st = PL_OK;
	pthread_mutex_lock(&t->mu);
	if (!t->applier)
		st = applier_open(t->g->registry, t->plugin, str_of(t->options), t->g->o.log, &t->applier, e);
	*out = t->applier;
	pthread_mutex_unlock(&t->mu);
	return st ? pl_err_in(e, "target '%s'", t->name) : PL_OK;
}

void target_free(struct target *t)
{
	applier_close(t->applier);
	cancel_unref(t->stop);
	pthread_mutex_destroy(&t->mu);
	pthread_mutex_destroy(&t->adopting);
	free(t->id);
	free(t->name);
	free(t->options);
	free(t);
}

/* ---- results ---- */

enum { ROW_BITS = 24, RUN_BITS = 16 };

uint64_t action_id(const struct app *a, size_t row)
{
	return (uint64_t)a->serial << (ROW_BITS + RUN_BITS) | (uint64_t)a->run_no << ROW_BITS | (uint64_t)row;
}

static void deliver(struct engine *g, const pl_result *r)
{
	uint32_t serial = (uint32_t)(r->id >> (ROW_BITS + RUN_BITS));
	uint16_t run_no = (uint16_t)(r->id >> ROW_BITS);
	struct app *a = NULL;
	pthread_mutex_lock(&g->mu);
	for (size_t i = 0; i < g->n_apps && !a; i++)
		if (g->apps[i]->serial == serial)
			a = g->apps[i];
	if (a && a->run_no == run_no) {
		if (a->n_inbox == a->cap_inbox)
			a->inbox = mem_grow(a->inbox, &a->cap_inbox, a->n_inbox + 1, sizeof(*a->inbox));
		a->inbox[a->n_inbox++] = (struct inbox){.row = (size_t)(r->id & ((1u << ROW_BITS) - 1)),
							.status = r->status,
							.change = r->change,
							.message = str_dup(r->message)};
		queue_wake(g->queue, &a->item, 0);
	}
	pthread_mutex_unlock(&g->mu);
}

pl_status target_collect(struct target *t, int64_t wait_ms, size_t *n, struct pl_err *e)
{
	enum { BATCH = 64 };
	struct applier *ap;
	struct arena *mem = arena_new();
	pl_result *results = arena_array(mem, BATCH, sizeof(*results));
	*n = 0;
	for (size_t i = 0; i < BATCH; i++)
		results[i].size = sizeof(*results);
	pl_status st = target_open(t, &ap, e);
	if (!st)
		st = applier_complete(ap, wait_ms, mem, results, BATCH, n, e);
	for (size_t i = 0; !st && i < *n; i++)
		deliver(t->g, &results[i]);
	arena_free(mem);
	return st;
}

/* ---- the inventory from the live side, when the store is younger than what it describes ---- */

static pl_status adopt_one(struct engine *g, struct target *t, pl_str name, const pl_ref *ref, struct arena *mem,
			   struct pl_err *e)
{
	struct store_app row;
	pl_str owner;
	pl_status st = store_owner(g->store, str_of(t->id), ref, mem, &owner, NULL);
	if (st != PL_ENOTFOUND)
		return PL_OK;
	st = store_app_get(g->store, name, mem, &row, NULL);
	if (st == PL_ENOTFOUND) {
		row = (struct store_app){.name = name, .target = str_of(t->id)};
		st = store_app_put(g->store, &row, e);
	} else if (st) {
		st = store_app_get(g->store, name, mem, &row, e);
	}
	struct store_item item = {.ref = *ref, .target = str_of(t->id)};
	return st ? st : store_inventory_change(g->store, name, &item, 1, NULL, 0, e);
}

static pl_status adopt_all(struct target *t, struct cancel *cancel, struct arena *mem, pl_doc *doc, struct pl_err *e)
{
	struct engine *g = t->g;
	struct applier *ap;
	struct live *live;
	size_t n, adopted = 0;
	pl_status st = target_open(t, &ap, e);
	if (!st)
		st = applier_scan(ap, (pl_str){0}, mem, doc, &live, &n, cancel, TIMEOUT_OBSERVE, e);
	for (size_t i = 0; !st && i < n; i++) {
		pl_str name;
		pl_ref ref;
		if (tracking_parse(live[i].tracking, &name, &ref) || !ref_same(&ref, &live[i].ref))
			continue;
		if (!config_app(g->config, name))
			continue; /* another plumb's, perhaps */
		st = adopt_one(g, t, name, &live[i].ref, mem, e);
		adopted++;
	}
	if (!st && adopted)
		log_line(g->o.log, LOG_INFO, (pl_str){0}, "target '%s': %zu objects recognised by their tracking ids",
			 t->name, adopted);
	return st;
}

static pl_status adopt_once(struct target *t, struct cancel *cancel, struct pl_err *e)
{
	struct store *store = t->g->store;
	struct arena *mem = arena_new();
	pl_str key = arena_printf(mem, "adopted %s", t->id), value;
	pl_status st = store_meta_get(store, key.p, mem, &value, NULL);
	if (st == PL_ENOTFOUND) {
		pl_doc *doc = pl_doc_new(NULL);
		st = adopt_all(t, cancel, mem, doc, e);
		if (!st)
			st = store_meta_put(store, key.p, S("1"), e);
		pl_doc_unref(doc);
	} else if (st) {
		st = store_meta_get(store, key.p, mem, &value, e);
	}
	arena_free(mem);
	return st ? pl_err_in(e, "target '%s': looking for what was applied before", t->name) : PL_OK;
}

pl_status target_adopt(struct target *t, struct cancel *cancel, struct pl_err *e)
{
	pl_status st = PL_OK;
	if (!t->g->store || t->g->look_only)
		return PL_OK;
	pthread_mutex_lock(&t->adopting);
	if (!t->adopted)
		st = adopt_once(t, cancel, e);
	t->adopted = st == PL_OK;
	pthread_mutex_unlock(&t->adopting);
	return st;
}
