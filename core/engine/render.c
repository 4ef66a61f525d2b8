/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render: the pipeline over a snapshot, and the decision whether it has to run at all. What a render has read is kept;
 * while everything it has read is the same in a newer revision, its result is the same, too.
 */
#include "core/engine/internal.h"

bool render_is_final(pl_status st)
{
	return st == PL_EINVAL || st == PL_ENOTFOUND || st == PL_EDENIED || st == PL_EUNSUPPORTED || st == PL_ECONFLICT;
}

/* ---- keys ---- */

static pl_str hex_of(struct hash *h, struct arena *mem)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_TEXT];
	hash_end(h, digest);
	hash_hex(digest, hex);
	return arena_dup(mem, str_of(hex));
}

static void hash_step(struct hash *h, const struct plugin *p, const char *options)
{
	hash_add_field(h, plugin_table(p)->name);
	hash_add_field(h, str_of(plugin_digest(p)));
	hash_add_field(h, str_of(options));
}

pl_str render_conf(struct app *a, pl_str chosen, struct arena *mem)
{
	struct hash *h = hash_new();
	const struct plugin *p;
	hash_add_field(h, str_of(a->name));
	hash_add_field(h, a->c->path);
	hash_add_field(h, a->c->ns);
	hash_add_field(h, str_of(a->target->id)); /* it tells the kinds' scopes */
	remotes_conf(a->g, h);
	for (size_t i = 0; i < a->n_steps; i++)
		hash_step(h, a->steps[i].plugin, a->steps[i].options);
	if (!a->n_steps && chosen.n && !registry_get(a->g->registry, PL_KIND_RENDERER, chosen, &p, NULL))
		hash_step(h, p, "{}");
	return hex_of(h, mem);
}

static pl_str key_of(struct app *a, const struct trace *t, pl_str chosen, struct arena *mem)
{
	struct hash *h = hash_new();
	hash_add_field(h, render_conf(a, chosen, mem));
	trace_digest(t, h);
	return hex_of(h, mem);
}

pl_status render_same(struct app *a, struct snapshot *s, bool *same, struct pl_err *e)
{
	struct arena *mem = arena_new();
	struct trace *t = NULL;
	pl_status st = PL_OK;
	*same = false;
	if (a->trace && str_eq(str_of(a->conf), render_conf(a, str_of(a->chosen), mem))) {
		st = trace_unpack((pl_str){a->trace, a->n_trace}, &t, e);
		if (!st)
			st = trace_matches(t, s, same, e);
		if (!st && *same)
			st = remotes_same(a, t, same, e);
		trace_free(t);
	}
	arena_free(mem);
	return st;
}

/* ---- the pipeline ---- */

/* kustomize when the path holds a kustomization file, else plain manifests. The look is noted like a plugin's. */
static pl_status choose(pl_tree *tree, pl_str path, struct arena *mem, pl_str *out, struct pl_err *e)
{
	static const char *const files[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
	*out = S("yaml");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		pl_entry entry = {.size = sizeof(entry)};
		struct pl_err ignored = ERR_INIT;
		pl_str file = arena_printf(mem, "%.*s%s%s", F(path), path.n ? "/" : "", files[i]);
		pl_status st = tree_stat(tree, file, &entry, &ignored);
		if (st && st != PL_ENOTFOUND) {
			if (e)
				err_copy(e, &ignored);
			err_clear(&ignored);
			return st;
		}
		err_clear(&ignored);
		if (!st && entry.type == PL_FILE) {
			*out = S("kustomize");
			return PL_OK;
		}
	}
	return PL_OK;
}

static pl_status one_step(struct app *a, const struct plugin *p, const char *options, struct render_step *step,
			  struct nodes *l, struct cancel *cancel, struct pl_err *e)
{
	struct nodes out = {0};
	step->plugin = p;
	step->options = str_of(options);
	pl_status st = render_run(a->g->registry, step, l, &out, a->g->o.log, cancel, TIMEOUT_RENDER, e);
	nodes_free(l);
	*l = out;
	return st;
}

static pl_status pipeline(struct app *a, struct render_step *step, struct arena *mem, struct nodes *l,
			  struct cancel *cancel, pl_str *chosen, struct pl_err *e)
{
	const struct plugin *p;
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < a->n_steps; i++)
		st = one_step(a, a->steps[i].plugin, a->steps[i].options, step, l, cancel, e);
	if (a->n_steps || st)
		return st;
	st = choose(step->tree, step->path, mem, chosen, e);
	if (!st)
		st = registry_get(a->g->registry, PL_KIND_RENDERER, *chosen, &p, e);
	if (st)
		return st;
	struct err_list errors = {0};
	pl_str options;
	st = plugin_options(p, NULL, NULL, ".", NULL, mem, &options, &errors);
	if (st && errors.n && e)
		err_copy(e, &errors.v[0]);
	err_list_free(&errors);
	return st ? st : one_step(a, p, options.p, step, l, cancel, e);
}

static void keep_remotes(const struct trace *t, struct arena *mem, struct rendered *out)
{
	size_t n;
	const struct trace_remote *v = trace_remotes(t, &n);
	struct trace_remote *to = arena_array(mem, n + 1, sizeof(*to));
	for (size_t i = 0; i < n; i++)
		to[i] = (struct trace_remote){arena_dup(mem, v[i].plugin), arena_dup(mem, v[i].options),
					      arena_dup(mem, v[i].revision), arena_dup(mem, v[i].id)};
	out->remotes = to;
	out->n_remotes = n;
}

pl_status render_app(struct app *a, struct snapshot *s, struct arena *mem, pl_doc *doc, struct cancel *cancel,
		     struct rendered *out, struct pl_err *e)
{
	struct trace *t = trace_new();
	pl_tree *tree = tree_new(s, t, mem);
	struct nodes l = {0};
	struct buf packed = BUF_INIT(SIZE_MAX);
	struct render_step step = {.tree = tree,
				   .path = a->c->path,
				   .app = str_of(a->name),
				   .ns = a->c->ns,
				   .revision = snapshot_id(s),
				   .doc = doc,
				   .remotes = remotes_of(a, mem)};
	*out = (struct rendered){0};
	FAULT("engine.render.before");
	COUNT(a->g, renders, 1);
	pl_status st = pipeline(a, &step, mem, &l, cancel, &out->chosen, e);
	trace_pack(t, &packed);
	out->packed = arena_dup(mem, buf_str(&packed));
	out->key = key_of(a, t, out->chosen, mem);
	keep_remotes(t, mem, out);
	buf_free(&packed);
	if (!st)
		st = settle(a, &l, mem, doc, out, e);
	FAULT("engine.render.after");
	nodes_free(&l);
	trace_free(t);
	return st ? pl_err_in(e, "render") : PL_OK;
}

/* ---- what outlives a render ---- */

static void pack_state(struct app *a, struct buf *b)
{
	buf_add_u32(b, 1);
	buf_add_str(b, str_of(a->conf));
	buf_add_str(b, str_of(a->chosen));
	buf_add_str(b, str_of(a->key));
	buf_add_str(b, str_of(a->desired_id));
	buf_add_u64(b, (uint64_t)a->render);
	buf_add_str(b, (pl_str){a->trace, a->n_trace});
}

pl_status render_store(struct app *a, const struct rendered *r, int64_t *id, struct pl_err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < r->n; i++) {
		st = json_print(r->desired[i].node, 0, &b, e);
		buf_addc(&b, '\n');
	}
	if (!st)
		st = store_render_put(a->g->store, str_of(a->name), r->key, buf_str(&b), id, e);
	buf_free(&b);
	return st;
}

/* In memory always; in the store when there is one and it may be written. A failed render has no desired objects: only
 * its trace is kept. */
pl_status render_save(struct app *a, const struct rendered *r, pl_str revision, struct pl_err *e)
{
	struct arena *mem = arena_new();
	keep(&a->conf, render_conf(a, r->chosen, mem));
	keep(&a->chosen, r->chosen);
	keep(&a->key, r->key);
	free(a->trace);
	a->trace = mem_alloc(r->packed.n);
	memcpy(a->trace, r->packed.p, r->packed.n);
	a->n_trace = r->packed.n;
	a->render = 0;
	if (r->n_remotes || a->n_uses)
		remotes_use(a, r->remotes, r->n_remotes);
	a->uses_known = true;
	pthread_mutex_lock(&a->g->mu);
	keep(&a->desired_id, revision);
	pthread_mutex_unlock(&a->g->mu);
	pl_status st = PL_OK;
	if (a->g->store && !a->g->look_only && !a->bad) {
		struct buf b = BUF_INIT(SIZE_MAX);
		st = store_batch_begin(a->g->store, e);
		if (!st)
			st = render_store(a, r, &a->render, e);
		pack_state(a, &b);
		if (!st)
			st = store_trace_put(a->g->store, str_of(a->name), buf_str(&b), e);
		st = store_batch_end(a->g->store, st, e);
		if (st)
			a->render = 0;
		buf_free(&b);
	}
	arena_free(mem);
	return st;
}

void render_remember(struct app *a, struct arena *mem)
{
	pl_str blob;
	if (a->loaded || !a->g->store)
		return;
	a->loaded = true;
	if (a->trace || store_trace_get(a->g->store, str_of(a->name), mem, &blob, NULL))
		return;
	struct reader r = {.p = blob.p, .n = blob.n};
	if (read_u32(&r) != 1)
		return;
	pl_str conf = read_str(&r), chosen = read_str(&r), key = read_str(&r), id = read_str(&r);
	int64_t render = (int64_t)read_u64(&r);
	pl_str trace = read_str(&r);
	if (r.bad)
		return;
	keep(&a->conf, conf);
	keep(&a->chosen, chosen);
	keep(&a->key, key);
	a->render = render;
	a->trace = mem_alloc(trace.n);
	memcpy(a->trace, trace.p, trace.n);
	a->n_trace = trace.n;
	pthread_mutex_lock(&a->g->mu);
	keep(&a->desired_id, id);
	pthread_mutex_unlock(&a->g->mu);
}

static pl_status load_line(struct arena *mem, pl_doc *doc, pl_str line, struct plan_desired *d, struct pl_err *e)
{
	char hex[HASH_TEXT];
	pl_node *n = NULL;
	pl_status st = pl_json_read(doc, line, "stored render", 0, &n, e);
	if (!st)
		st = ref_of(doc, n, &d->ref, e);
	if (!st)
		st = node_digest(n, hex, e);
	if (st)
		return st;
	d->ref = ref_dup(mem, &d->ref);
	d->node = n;
	d->hash = arena_dup(mem, str_of(hex));
	return PL_OK;
}

pl_status render_load(struct engine *g, int64_t id, struct arena *mem, pl_doc *doc, struct rendered *out,
		      struct pl_err *e)
{
	pl_str text, line;
	*out = (struct rendered){0};
	pl_status st = store_render_get(g->store, id, mem, &text, e);
	if (st)
		return st;
	size_t lines = 0;
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	out->desired = arena_array(mem, lines, sizeof(*out->desired));
	while (!st && str_cut(text, '\n', &line, &text) && out->n < lines)
		st = load_line(mem, doc, line, &out->desired[out->n++], e);
	return st ? pl_err_in(e, "stored render %lld", (long long)id) : PL_OK;
}
