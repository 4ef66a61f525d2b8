/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REMOTE operations of sources in a worker process. A request carries all a fresh child needs to open the handle; the
 * child keeps it, so that the next call with the same affinity finds it warm.
 */
#include "core/plugin/private.h"

#include <unistd.h>

#define REQUEST_MAX   (64u * 1024 * 1024)
#define FOREVER_MS    (24 * 3600 * 1000)
#define GRACE_MS      500 /* the plugin's own time-out comes first, its text says more than the kill's */
#define DESCRIPTORS   512 /* packs of a large repository */
#define REMOTE_MEMORY ((uint64_t)4 << 30) /* address space: packs are mapped; what claims more is a bomb */

/* The child's own: plugins it has loaded and the handle it has used last. Never touched in the parent. */
static struct kept {
	struct plugin *plugin;
	uint32_t kind;
	char *options, *cache;
	void *self;
} kept;

static pl_str pack_request(const struct remote_request *q, struct buf *b)
{
	const pl_plugin *t = plugin_table(q->plugin);
	buf_add_str(b, str_of(plugin_file(q->plugin)));
	buf_add_u32(b, t->kind);
	buf_add_str(b, plugin_name(q->plugin));
	buf_add_str(b, q->options);
	buf_add_str(b, q->cache);
	buf_add_u32(b, (uint32_t)q->op);
	buf_add_u64(b, (uint64_t)q->timeout_ms);
	buf_add_u32(b, q->log != NULL);
	buf_add_u32(b, q->log ? (uint32_t)q->log->level : 0);
	buf_add_u32(b, q->log && q->log->json);
	buf_add_u32(b, (uint32_t)q->n);
	for (size_t i = 0; i < q->n; i++) {
		buf_add_str(b, q->op == REMOTE_RESOLVE ? q->wanted[i] : q->revisions[i].id);
		buf_add_str(b, q->op == REMOTE_RESOLVE ? S("") : q->revisions[i].name);
	}
	return buf_str(b);
}

static void unpack_revisions(struct reader *r, struct arena *a, pl_revision *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].size = sizeof(v[i]);
		v[i].status = (pl_status)read_u32(r);
		v[i].id = arena_dup(a, read_str(r));
		v[i].name = arena_dup(a, read_str(r));
		v[i].error = arena_dup(a, read_str(r));
	}
}

/*
 * A plugin that was killed could not say what it was asked: then the text gets the plugin, the operation and the option
 * "url", as far as there is one that holds no user.
 */
static void name_repository(const struct remote_request *q, struct pl_err *e)
{
	pl_doc *d = pl_doc_new(NULL);
	pl_node *options = NULL;
	const char *operation = q->op == REMOTE_RESOLVE ? "resolve" : "fetch";
	pl_str url = {NULL, 0};
	if (pl_json_read(d, q->options, "options", 0, &options, NULL) == PL_OK)
		url = pl_text(pl_gets(options, "url"));
	bool shown = url.n && !memchr(url.p, '@', url.n);
	if (e && strstr(pl_err_text(e), "worker '")) {
		if (shown)
			pl_err_in(e, "%s: %s '%.*s'", plugin_namez(q->plugin), operation, F(url));
		else
			pl_err_in(e, "%s: %s", plugin_namez(q->plugin), operation);
	}
	pl_doc_unref(d);
}

pl_status remote_call(struct worker *w, const struct remote_request *q, struct arena *a, struct pl_err *e)
{
	struct buf in = BUF_INIT(REQUEST_MAX), out = BUF_INIT(REQUEST_MAX);
	pl_str request = pack_request(q, &in);
	if (buf_full(&in)) {
		buf_free(&in);
		return err_set(e, PL_ETOOBIG, "a request of more than %u bytes for plugin '%s'", REQUEST_MAX,
			       plugin_namez(q->plugin));
	}
	struct worker_limits limits = {
		.wall_ms = q->timeout_ms > 0 ? q->timeout_ms + GRACE_MS : FOREVER_MS,
		.memory = REMOTE_MEMORY,
		.descriptors = DESCRIPTORS,
		.out_max = REQUEST_MAX,
	};
	pl_status st = worker_call(w, PLUGIN_JOB_REMOTE, q->cache, request, &limits, q->cancel, &out, e);
	if (st && st != PL_ECANCELLED)
		name_repository(q, e);
	if (!st && q->op == REMOTE_RESOLVE) {
		struct reader r = {.p = out.p, .n = out.n};
		unpack_revisions(&r, a, q->revisions, q->n);
		if (r.bad)
			st = err_set(e, PL_EINTERNAL, "the worker's answer for plugin '%s' is cut short",
				     plugin_namez(q->plugin));
	}
	buf_free(&in);
	buf_free(&out);
	return st;
}

/* ---- in the child ---- */

static void drop_kept(void)
{
	if (kept.self)
		plugin_table(kept.plugin)->source->close(kept.self);
	free(kept.options);
	free(kept.cache);
	kept.self = NULL;
	kept.options = NULL;
	kept.cache = NULL;
}

static pl_status keep_plugin(pl_str file, uint32_t kind, pl_str name, struct pl_err *e)
{
	if (kept.plugin && kept.kind == kind && str_eqz(file, plugin_file(kept.plugin)))
		return PL_OK;
	drop_kept();
	plugin_unload(kept.plugin);
	kept.plugin = NULL;
	char *z = str_dup(file);
	pl_status st = plugin_load(kind, name, z, &kept.plugin, e);
	free(z);
	kept.kind = kind;
	if (st)
		kept.plugin = NULL;
	return st;
}

static pl_status keep_handle(struct call *c, pl_str options, pl_str cache, struct pl_err *e)
{
	if (kept.self && str_eqz(options, kept.options) && str_eqz(cache, kept.cache))
		return PL_OK;
	drop_kept();
	void *self = NULL;
	pl_status st = plugin_table(kept.plugin)->source->open(call_host(c), options, cache, &self);
	if (st)
		return call_result(c, plugin_namez(kept.plugin), "open", st, e);
	if (!self)
		return err_set(e, PL_EPLUGIN, "plugin '%s': open gave no handle", plugin_namez(kept.plugin));
	kept.self = self;
	kept.options = str_dup(options);
	kept.cache = str_dup(cache);
	return PL_OK;
}

struct order {
	pl_str file, name, options, cache;
	uint32_t kind;
	enum remote_operation op;
	int64_t timeout_ms;
	struct log log;
	bool has_log;
	size_t n;
	pl_str *wanted;
	pl_revision *revisions;
};

static pl_status unpack_order(pl_str in, struct arena *a, struct order *o, struct pl_err *e)
{
	struct reader r = {.p = in.p, .n = in.n};
	o->file = read_str(&r);
	o->kind = read_u32(&r);
	o->name = read_str(&r);
	o->options = read_str(&r);
	o->cache = read_str(&r);
	o->op = (enum remote_operation)read_u32(&r);
	o->timeout_ms = (int64_t)read_u64(&r);
	o->has_log = read_u32(&r) != 0;
	o->log.fd = STDERR_FILENO; /* the one descriptor of the program's that a child has */
	o->log.level = (enum log_level)read_u32(&r);
	o->log.json = read_u32(&r) != 0;
	o->n = read_u32(&r);
	if (r.bad || o->n > r.n || o->kind != PL_KIND_SOURCE || (o->op != REMOTE_RESOLVE && o->op != REMOTE_FETCH))
		goto bad;
	o->wanted = arena_array(a, o->n + 1, sizeof(*o->wanted));
	o->revisions = arena_array(a, o->n + 1, sizeof(*o->revisions));
	for (size_t i = 0; i < o->n; i++) {
		pl_str what = read_str(&r);
		pl_str name = read_str(&r);
		o->wanted[i] = what;
		o->revisions[i] = (pl_revision){.size = sizeof(pl_revision)};
		if (o->op == REMOTE_FETCH) {
			o->revisions[i].id = what;
			o->revisions[i].name = name;
		}
	}
	if (!r.bad)
		return PL_OK;
bad:
	err_set(e, PL_EINTERNAL, "a request for a source that can't be read");
	return PL_EINTERNAL;
}

static pl_status run_order(const struct order *o, struct arena *a, struct buf *out, struct pl_err *e)
{
	pl_status st = keep_plugin(o->file, o->kind, o->name, e);
	if (st)
		return st;
	struct call *c = plugin_call(kept.plugin, a, o->has_log ? &o->log : NULL, NULL, o->timeout_ms);
	st = keep_handle(c, o->options, o->cache, e);
	if (!st)
		st = source_operate(kept.plugin, kept.self, c, o->op, o->wanted, o->revisions, o->n, e);
	for (size_t i = 0; i < o->n && !st && o->op == REMOTE_RESOLVE; i++) {
		buf_add_u32(out, (uint32_t)o->revisions[i].status);
		buf_add_str(out, o->revisions[i].id);
		buf_add_str(out, o->revisions[i].name);
		buf_add_str(out, o->revisions[i].error);
	}
	call_free(c);
	return st;
}

static pl_status remote_job(pl_str in, struct buf *out, struct pl_err *e)
{
	struct arena *a = arena_new();
	struct order o = {0};
	pl_status st = unpack_order(in, a, &o, e);
	st = st ? st : run_order(&o, a, out, e);
	arena_free(a);
	return st;
}

const struct worker_job *plugin_jobs(size_t *n)
{
	static const struct worker_job jobs[] = {{PLUGIN_JOB_REMOTE, remote_job}};
	*n = sizeof(jobs) / sizeof(jobs[0]);
	return jobs;
}
