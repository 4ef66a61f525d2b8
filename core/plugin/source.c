/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/source.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <pthread.h>

/* One handle of the plugin. Remote and local operations have one each, so that a slow server stops no reader. */
struct slot {
	pthread_mutex_t mutex;
	void *self;
};

struct source {
	atomic_int refs;
	struct registry *registry;
	const struct plugin *plugin;
	char *options, *cache;
	struct slot local, remote;
};

pl_status source_open(struct registry *r, const struct plugin *p, pl_str options, const char *cache,
		      struct source **out, struct pl_err *e)
{
	if (plugin_table(p)->kind != PL_KIND_SOURCE)
		return err_set(e, PL_EINVAL, "plugin '%s' is a %s, not a source", plugin_namez(p),
			       kind_name(plugin_table(p)->kind));
	if ((plugin_table(p)->flags & PL_NEEDS_PROCESS) && !registry_worker(r))
		return err_set(e, PL_EUNSUPPORTED,
			       "source plugin '%s' runs in worker processes, and there are none here", plugin_namez(p));
	struct source *s = mem_zalloc(sizeof(*s));
	atomic_init(&s->refs, 1);
	s->registry = r;
	s->plugin = p;
	s->options = str_dup(options);
	s->cache = str_dup(str_of(cache));
	pthread_mutex_init(&s->local.mutex, NULL);
	pthread_mutex_init(&s->remote.mutex, NULL);
	*out = s;
	return PL_OK;
}

static struct source *source_ref(struct source *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

static void slot_close(struct source *s, struct slot *slot)
{
	if (slot->self)
		plugin_table(s->plugin)->source->close(slot->self);
	pthread_mutex_destroy(&slot->mutex);
}

void source_unref(struct source *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	slot_close(s, &s->local);
	slot_close(s, &s->remote);
	free(s->options);
	free(s->cache);
	free(s);
}

/* ---- one operation: a call, the handle, the lock ---- */

struct use {
	struct source *source;
	struct slot *slot;
	struct call *call;
	const pl_source_ops *ops;
	bool locked;
};

static pl_status slot_open(struct use *u, struct pl_err *e)
{
	void *self = NULL;
	pl_status st = u->ops->open(call_host(u->call), str_of(u->source->options), str_of(u->source->cache), &self);
	if (st)
		return call_result(u->call, plugin_namez(u->source->plugin), "open", st, e);
	if (!self)
		return err_set(e, PL_EPLUGIN, "plugin '%s': open gave no handle", plugin_namez(u->source->plugin));
	u->slot->self = self;
	return PL_OK;
}

static void use_end(struct use *u)
{
	if (u->locked)
		pthread_mutex_unlock(&u->slot->mutex);
	u->locked = false;
	call_free(u->call);
}

/* After PL_OK the caller ends it with use_end(). The lock is held unless the plugin takes care of threads itself. */
static pl_status use_begin(struct use *u, struct source *s, struct slot *slot, struct arena *a, struct cancel *cancel,
			   int64_t timeout_ms, struct pl_err *e)
{
	*u = (struct use){.source = s, .slot = slot, .ops = plugin_table(s->plugin)->source};
	u->call = plugin_call(s->plugin, a, registry_log(s->registry), cancel, timeout_ms);
	pthread_mutex_lock(&slot->mutex);
	u->locked = true;
	pl_status st = slot->self ? PL_OK : slot_open(u, e);
	if (st)
		use_end(u);
	else if (plugin_table(s->plugin)->flags & PL_THREAD_SAFE)
		u->locked = pthread_mutex_unlock(&slot->mutex) != 0;
	return st;
}

/* ---- REMOTE ---- */

static bool id_ok(pl_str id)
{
	if (id.n != 40 && id.n != 64)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static pl_status check_revisions(const struct plugin *p, const pl_str *wanted, const pl_revision *v, size_t n,
				 struct pl_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].status == PL_OK && !id_ok(v[i].id))
			return err_set(
				e, PL_EPLUGIN,
				"plugin '%s': resolve gave the id '%.*s' for '%.*s', which is not 40 or 64 hex digits",
				plugin_namez(p), F(v[i].id), F(wanted[i]));
		if (v[i].status < PL_OK || v[i].status > PL_EINTERNAL)
			return err_set(e, PL_EPLUGIN, "plugin '%s': resolve gave the unknown status %d",
				       plugin_namez(p), v[i].status);
	}
	return PL_OK;
}

pl_status source_operate(const struct plugin *p, void *self, struct call *c, enum remote_operation op,
			 const pl_str *wanted, pl_revision *revisions, size_t n, struct pl_err *e)
{
	const pl_source_ops *ops = plugin_table(p)->source;
	if (op == REMOTE_FETCH)
		return call_result(c, plugin_namez(p), "fetch", ops->fetch(call_host(c), self, revisions, n), e);
	for (size_t i = 0; i < n; i++)
		revisions[i] = (pl_revision){.size = sizeof(pl_revision)};
	pl_status st =
		call_result(c, plugin_namez(p), "resolve", ops->resolve(call_host(c), self, wanted, n, revisions), e);
	return st ? st : check_revisions(p, wanted, revisions, n, e);
}

static pl_status remote(struct source *s, enum remote_operation op, const pl_str *wanted, pl_revision *v, size_t n,
			int64_t timeout_ms, struct cancel *cancel, struct arena *a, struct pl_err *e)
{
	pl_status made = file_mkdirs(s->cache, 0700, e); /* only now: opening and checking touch nothing */
	if (made)
		return made;
	if (plugin_table(s->plugin)->flags & PL_NEEDS_PROCESS) {
		struct remote_request q = {
			.plugin = s->plugin,
			.options = str_of(s->options),
			.cache = str_of(s->cache),
			.op = op,
			.wanted = wanted,
			.revisions = v,
			.n = n,
			.timeout_ms = timeout_ms,
			.cancel = cancel,
			.log = registry_log(s->registry),
		};
		return remote_call(registry_worker(s->registry), &q, a, e);
	}
	struct use u;
	pl_status st = use_begin(&u, s, &s->remote, a, cancel, timeout_ms, e);
	if (st)
		return st;
	st = source_operate(s->plugin, s->remote.self, u.call, op, wanted, v, n, e);
	use_end(&u);
	return st;
}

pl_status source_resolve(struct source *s, const pl_str *wanted, size_t n, int64_t timeout_ms, struct cancel *cancel,
			 struct arena *a, struct source_revision *out, struct pl_err *e)
{
	pl_revision *v = arena_array(a, n + 1, sizeof(*v));
	pl_status st = remote(s, REMOTE_RESOLVE, wanted, v, n, timeout_ms, cancel, a, e);
	for (size_t i = 0; i < n && !st; i++)
		out[i] = (struct source_revision){v[i].status, v[i].id, v[i].name, v[i].error};
	return st;
}

pl_status source_fetch(struct source *s, const pl_str *ids, const pl_str *names, size_t n, int64_t timeout_ms,
		       struct cancel *cancel, struct pl_err *e)
{
	struct arena *a = arena_new();
	pl_revision *v = arena_array(a, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = (pl_revision){.size = sizeof(*v), .id = ids[i], .name = names ? names[i] : S("")};
	pl_status st = remote(s, REMOTE_FETCH, NULL, v, n, timeout_ms, cancel, a, e);
	arena_free(a);
	return st;
}

/* ---- LOCAL ---- */

pl_status source_describe(struct source *s, pl_str id, struct arena *a, pl_revision_info *out, struct pl_err *e)
{
	struct use u;
	pl_status st = use_begin(&u, s, &s->local, a, NULL, PLUGIN_OPEN_MS, e);
	if (st)
		return st;
	*out = (pl_revision_info){.size = sizeof(*out)};
	st = u.ops->describe(call_host(u.call), s->local.self, id, out);
	st = call_result(u.call, plugin_namez(s->plugin), "describe", st, e);
	use_end(&u);
	return st;
}

/* What a snapshot of a source holds. */
struct revision_tree {
	struct source *source;
	void *tree;
};

static pl_status open_tree(struct source *s, pl_str id, struct arena *a, void **tree, struct pl_err *e)
{
	struct use u;
	pl_status st = use_begin(&u, s, &s->local, a, NULL, PLUGIN_OPEN_MS, e);
	if (st)
		return st;
	st = u.ops->tree_open(call_host(u.call), s->local.self, id, tree);
	st = call_result(u.call, plugin_namez(s->plugin), "tree_open", st, e);
	use_end(&u);
	return st;
}

static void close_tree(struct source *s, void *tree)
{
	bool safe = plugin_table(s->plugin)->flags & PL_THREAD_SAFE;
	if (!safe)
		pthread_mutex_lock(&s->local.mutex);
	plugin_table(s->plugin)->source->tree_close(s->local.self, tree);
	if (!safe)
		pthread_mutex_unlock(&s->local.mutex);
}

bool source_has(struct source *s, pl_str id)
{
	struct arena *a = arena_new();
	void *tree = NULL;
	bool has = open_tree(s, id, a, &tree, NULL) == PL_OK;
	if (has)
		close_tree(s, tree);
	arena_free(a);
	return has;
}

static pl_status list_tree(struct snapshot *snap, pl_str id, pl_str dir, struct arena *a, const pl_entry **out,
			   size_t *n, struct pl_err *e)
{
	(void)dir;
	struct revision_tree *t = snapshot_ctx(snap);
	struct use u;
	pl_status st = use_begin(&u, t->source, &t->source->local, a, NULL, 0, e);
	if (st)
		return st;
	st = u.ops->tree_list(call_host(u.call), t->source->local.self, t->tree, id, out, n);
	st = call_result(u.call, plugin_namez(t->source->plugin), "tree_list", st, e);
	use_end(&u);
	return st;
}

static pl_status read_tree(struct snapshot *snap, const struct listing *dir, const pl_entry *f, struct arena *a,
			   pl_str *out, struct pl_err *e)
{
	(void)dir;
	struct revision_tree *t = snapshot_ctx(snap);
	struct use u;
	pl_status st = use_begin(&u, t->source, &t->source->local, a, NULL, 0, e);
	if (st)
		return st;
	*out = (pl_str){NULL, 0};
	st = u.ops->tree_read(call_host(u.call), t->source->local.self, t->tree, f->id, TREE_FILE_MAX, out);
	st = call_result(u.call, plugin_namez(t->source->plugin), "tree_read", st, e);
	use_end(&u);
	return st;
}

static void close_revision_tree(struct snapshot *snap)
{
	struct revision_tree *t = snapshot_ctx(snap);
	close_tree(t->source, t->tree);
	source_unref(t->source);
	free(t);
}

static const struct snapshot_ops source_snapshot_ops = {
	.list = list_tree,
	.read = read_tree,
	.close = close_revision_tree,
};

pl_status snapshot_open(struct source *s, pl_str id, struct snapshot **out, struct pl_err *e)
{
	struct arena *a = arena_new();
	void *tree = NULL;
	pl_status st = open_tree(s, id, a, &tree, e);
	arena_free(a);
	if (st)
		return st;
	struct revision_tree *t = mem_zalloc(sizeof(*t));
	*t = (struct revision_tree){source_ref(s), tree};
	*out = snapshot_new(&source_snapshot_ops, t, id);
	return PL_OK;
}
