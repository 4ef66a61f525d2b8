/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/applier.h"

#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <pthread.h>

struct applier {
	struct registry *registry;
	const struct plugin *plugin;
	const pl_applier_ops *ops;
	const struct log *log;
	void *self;
	bool safe; /* the plugin takes care of threads itself */
	pthread_mutex_t mutex;
};

static const char *name_of(const struct applier *a)
{
	return plugin_namez(a->plugin);
}

static void lock(struct applier *a)
{
	if (!a->safe)
		pthread_mutex_lock(&a->mutex);
}

static void unlock(struct applier *a)
{
	if (!a->safe)
		pthread_mutex_unlock(&a->mutex);
}

pl_status applier_open(struct registry *r, const struct plugin *p, pl_str options, const struct log *log,
		       struct applier **out, struct pl_err *e)
{
	const pl_plugin *t = plugin_table(p);
	if (t->kind != PL_KIND_APPLIER)
		return err_set(e, PL_EINVAL, "plugin '%s' is a %s, not an applier", plugin_namez(p),
			       kind_name(t->kind));
	struct arena *mem = arena_new();
	struct call *c = plugin_call(p, mem, log, NULL, PLUGIN_OPEN_MS);
	void *self = NULL;
	pl_status st = call_result(c, plugin_namez(p), "open", t->applier->open(call_host(c), options, &self), e);
	if (!st && !self)
		st = err_set(e, PL_EPLUGIN, "plugin '%s': open gave no handle", plugin_namez(p));
	call_free(c);
	arena_free(mem);
	if (st)
		return st;
	struct applier *a = mem_zalloc(sizeof(*a));
	a->registry = r;
	a->plugin = p;
	a->ops = t->applier;
	a->log = log;
	a->self = self;
	a->safe = (t->flags & PL_THREAD_SAFE) != 0;
	pthread_mutex_init(&a->mutex, NULL);
	*out = a;
	return PL_OK;
}

void applier_close(struct applier *a)
{
	if (!a)
		return;
	a->ops->close(a->self);
	pthread_mutex_destroy(&a->mutex);
	free(a);
}

pl_status applier_describe(struct applier *a, const pl_ref *ref, pl_kind_info *out, struct pl_err *e)
{
	struct arena *mem = arena_new();
	struct call *c = plugin_call(a->plugin, mem, a->log, NULL, PLUGIN_OPEN_MS);
	*out = (pl_kind_info){.size = sizeof(*out)};
	lock(a);
	pl_status st = call_result(c, name_of(a), "describe", a->ops->describe(call_host(c), a->self, ref, out), e);
	unlock(a);
	call_free(c);
	arena_free(mem);
	return st;
}

/* ---- live objects ---- */

/* Takes one answer over: texts into mem, the object into doc. One that can't be read is that object's failure alone. */
static void take_live(const pl_live *from, const pl_ref *ref, struct arena *mem, pl_doc *doc, struct live *out)
{
	*out = (struct live){.status = from->status, .ref = ref_dup(mem, ref)};
	out->tracking = arena_dup(mem, from->tracking);
	if (from->status == PL_ENOTFOUND)
		return;
	if (from->status) {
		out->error = arena_dup(mem, from->error.n ? from->error : str_of(pl_status_name(from->status)));
		return;
	}
	struct buf where = BUF_INIT(4096);
	struct pl_err e = ERR_INIT;
	pl_node **roots = NULL;
	size_t n = 0;
	buf_addz(&where, "live ");
	ref_print(ref, &where);
	pl_status st = manifests_read(doc, from->text, where.p, &roots, &n, &e);
	if (!st && (n != 1 || pl_kind(roots[0]) != PL_MAP))
		st = err_set(&e, PL_EINVAL, "%s: not one object", where.p);
	if (st) {
		out->status = st;
		out->error = arena_dup(mem, str_of(pl_err_text(&e)));
	} else {
		out->node = roots[0];
	}
	err_clear(&e);
	buf_free(&where);
}

pl_status applier_observe(struct applier *a, const pl_ref *refs, size_t n, struct arena *mem, pl_doc *doc,
			  struct live *out, struct cancel *cancel, int64_t timeout_ms, struct pl_err *e)
{
	/* The texts live only as long as it takes to read them. */
	struct arena *texts = arena_new();
	struct call *c = plugin_call(a->plugin, texts, a->log, cancel, timeout_ms);
	pl_live *v = arena_array(texts, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = (pl_live){.size = sizeof(v[i]), .status = PL_EINTERNAL};
	lock(a);
	pl_status st = call_result(c, name_of(a), "observe", a->ops->observe(call_host(c), a->self, refs, n, v), e);
	unlock(a);
	for (size_t i = 0; i < n && !st; i++)
		take_live(&v[i], &refs[i], mem, doc, &out[i]);
	call_free(c);
	arena_free(texts);
	return st;
}

struct scan {
	struct arena *mem;
	pl_doc *doc;
	struct live *v;
	size_t n, cap;
};

static int32_t scan_each(void *ctx, const pl_live *live)
{
	struct call *c = ctx;
	struct scan *s = c->sink;
	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
	take_live(live, &live->ref, s->mem, s->doc, &s->v[s->n++]);
	return c->host.cancelled(ctx);
}

pl_status applier_scan(struct applier *a, pl_str app, struct arena *mem, pl_doc *doc, struct live **out, size_t *n,
		       struct cancel *cancel, int64_t timeout_ms, struct pl_err *e)
{
	struct arena *texts = arena_new();
	struct scan s = {.mem = mem, .doc = doc};
	struct call *c = plugin_call(a->plugin, texts, a->log, cancel, timeout_ms);
	c->sink = &s;
	lock(a);
	pl_status st = a->ops->scan(call_host(c), a->self, app, scan_each);
	unlock(a);
	if (!st && c->host.cancelled(c))
		st = cancel_fired(cancel) ? PL_ECANCELLED : PL_ETIMEOUT;
	st = call_result(c, name_of(a), "scan", st, e);
	if (!st) {
		*out = arena_array(mem, s.n + 1, sizeof(**out));
		*n = s.n;
		if (s.n)
			memcpy(*out, s.v, s.n * sizeof(**out));
	}
	free(s.v);
	call_free(c);
	arena_free(texts);
	return st;
}

/* ---- changes ---- */

pl_status applier_submit(struct applier *a, const pl_action *actions, size_t n, struct cancel *cancel,
			 int64_t timeout_ms, struct pl_err *e)
{
	struct arena *mem = arena_new();
	struct call *c = plugin_call(a->plugin, mem, a->log, cancel, timeout_ms);
	pl_action *v = arena_array(mem, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		v[i] = actions[i];
		v[i].size = sizeof(v[i]);
	}
	lock(a);
	pl_status st = call_result(c, name_of(a), "submit", a->ops->submit(call_host(c), a->self, v, n), e);
	unlock(a);
	call_free(c);
	arena_free(mem);
	return st;
}

static pl_status too_many(const struct applier *a, const char *operation, size_t n, size_t max, struct pl_err *e)
{
	return err_set(e, PL_EPLUGIN, "plugin '%s': %s gave %zu results where there is room for %zu", name_of(a),
		       operation, n, max);
}

pl_status applier_complete(struct applier *a, int64_t wait_ms, struct arena *mem, pl_result *out, size_t max, size_t *n,
			   struct pl_err *e)
{
	struct call *c = plugin_call(a->plugin, mem, a->log, NULL, 0);
	for (size_t i = 0; i < max; i++)
		out[i] = (pl_result){.size = sizeof(out[i])};
	*n = 0;
	lock(a);
	pl_status st = call_result(c, name_of(a), "complete",
				   a->ops->complete(call_host(c), a->self, wait_ms, out, max, n), e);
	unlock(a);
	call_free(c);
	return !st && *n > max ? too_many(a, "complete", *n, max, e) : st;
}

pl_status applier_watch_next(struct applier *a, int64_t wait_ms, struct arena *mem, pl_event *out, size_t max,
			     size_t *n, struct cancel *cancel, struct pl_err *e)
{
	struct call *c = plugin_call(a->plugin, mem, a->log, cancel, 0);
	for (size_t i = 0; i < max; i++)
		out[i] = (pl_event){.size = sizeof(out[i])};
	*n = 0;
	lock(a);
	pl_status st = call_result(c, name_of(a), "watch_next",
				   a->ops->watch_next(call_host(c), a->self, wait_ms, out, max, n), e);
	unlock(a);
	call_free(c);
	return !st && *n > max ? too_many(a, "watch_next", *n, max, e) : st;
}

pl_status applier_fingerprint(struct applier *a, const pl_ref *refs, size_t n, uint64_t *out, struct cancel *cancel,
			      int64_t timeout_ms, struct pl_err *e)
{
	memset(out, 0, n * sizeof(*out));
	if (!PL_HAS(a->ops, pl_applier_ops, fingerprint) || !a->ops->fingerprint)
		return PL_OK;
	struct arena *mem = arena_new();
	struct call *c = plugin_call(a->plugin, mem, a->log, cancel, timeout_ms);
	lock(a);
	pl_status st =
		call_result(c, name_of(a), "fingerprint", a->ops->fingerprint(call_host(c), a->self, refs, n, out), e);
	unlock(a);
	call_free(c);
	arena_free(mem);
	return st;
}
