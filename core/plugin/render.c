/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/render.h"

#include "core/base/mem.h"
#include "core/plugin/private.h"

void nodes_add(struct nodes *l, pl_node *n)
{
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = n;
}

void nodes_free(struct nodes *l)
{
	free(l->v);
	*l = (struct nodes){0};
}

/* What a running renderer hands over. */
struct sink {
	pl_doc *doc;
	struct nodes *out;
	pl_status status; /* of the first hand-over that failed: a renderer can't go on as if nothing were */
	struct pl_err err;
};

static pl_status read_json(pl_doc *d, pl_str text, const char *file, pl_node ***out, size_t *n, struct pl_err *e)
{
	pl_node *root = NULL;
	pl_status st = pl_json_read(d, text, file, 0, &root, e);
	if (st)
		return st;
	/* A list of one, made by the toolkit so that it lives in d as a YAML stream's does. */
	pl_node **v = NULL;
	st = pl_yaml_read(d, S("~"), file, PL_SCHEMA_YAML11, 0, &v, n, e);
	if (st)
		return st;
	v[0] = root;
	*out = v;
	return PL_OK;
}

pl_status manifests_read(pl_doc *d, pl_str text, const char *file, pl_node ***out, size_t *n, struct pl_err *e)
{
	pl_str start = str_trim(text);
	/* Not all JSON is YAML (surrogate pairs, "\/"), and some YAML begins like JSON: JSON first, then YAML. */
	if (!start.n || (start.p[0] != '{' && start.p[0] != '['))
		return pl_yaml_read(d, text, file, PL_SCHEMA_YAML11, 0, out, n, e);
	if (str_ends(str_of(file ? file : ""), S(".json")))
		return read_json(d, text, file, out, n, e);
	if (read_json(d, text, file, out, n, NULL) == PL_OK)
		return PL_OK;
	return pl_yaml_read(d, text, file, PL_SCHEMA_YAML11, 0, out, n, e);
}

/* A list object as `kubectl get -o yaml` writes them: items stand for themselves. */
static bool is_list(const pl_node *n)
{
	const pl_node *kind = pl_gets(n, "kind"), *items = pl_gets(n, "items");
	if (pl_kind(kind) != PL_STRING || !str_ends(pl_text(kind), S("List")) ||
	    pl_kind(pl_gets(n, "apiVersion")) != PL_STRING)
		return false;
	return pl_kind(items) == PL_LIST || (str_eq(pl_text(kind), S("List")) && pl_kind(items) <= PL_NULL);
}

static pl_status add(struct sink *k, pl_node *n, struct pl_err *e)
{
	static const char *const kinds[] = {"null",   "a boolean", "a number",	    "a string",
					    "a list", "a map",	   "a plain scalar"};
	if (pl_kind(n) == PL_NULL)
		return PL_OK;
	if (pl_kind(n) != PL_MAP)
		return pl_err_set(e, PL_EINVAL, pl_at(k->doc, n), "a manifest must be a map, not %s",
				  kinds[pl_kind(n)]);
	if (!is_list(n)) {
		if (pl_len(n))
			nodes_add(k->out, n);
		return PL_OK;
	}
	const pl_node *items = pl_gets(n, "items");
	pl_status st = PL_OK;
	for (size_t i = 0; i < pl_len(items) && !st; i++) {
		st = add(k, pl_item(items, i), e);
		if (st)
			pl_err_in(e, "items[%zu]", i);
	}
	return st;
}

static pl_status keep_first(struct sink *k, struct call *c, pl_status st, struct pl_err *e)
{
	if (st && !k->status) {
		k->status = st;
		err_copy(&k->err, e);
	}
	if (st && c->err.code == PL_OK)
		err_copy(&c->err, e);
	err_clear(e);
	return st;
}

pl_status render_emit_node(void *ctx, pl_node *n)
{
	struct call *c = ctx;
	struct sink *k = c->sink;
	struct pl_err e = ERR_INIT;
	pl_status st = n ? add(k, n, &e) : err_set(&e, PL_EPLUGIN, "an empty pointer was handed over as a resource");
	return keep_first(k, c, st, &e);
}

pl_status render_emit_text(void *ctx, pl_str text, pl_str file)
{
	struct call *c = ctx;
	struct sink *k = c->sink;
	struct pl_err e = ERR_INIT;
	pl_node **roots = NULL;
	size_t n = 0;
	char *name = file.n ? str_dup(file) : NULL;
	pl_status st = manifests_read(k->doc, text, name, &roots, &n, &e);
	for (size_t i = 0; i < n && !st; i++)
		st = add(k, roots[i], &e);
	free(name);
	return keep_first(k, c, st, &e);
}

static pl_status run(const struct render_step *step, const struct nodes *in, struct call *c, struct sink *k,
		     struct pl_err *e)
{
	const pl_renderer_ops *ops = plugin_table(step->plugin)->renderer;
	const char *name = plugin_namez(step->plugin);
	void *self = NULL;
	pl_status st = call_result(c, name, "open", ops->open(call_host(c), step->options, &self), e);
	if (st)
		return st;
	pl_render_call call = {
		.size = sizeof(call),
		.n_resources = (uint32_t)(in ? in->n : 0),
		.tree = step->tree,
		.path = step->path,
		.app = step->app,
		.app_namespace = step->ns,
		.revision = step->revision,
		.doc = step->doc,
		.resources = in ? in->v : NULL,
		.emit_node = render_emit_node,
		.emit_text = render_emit_text,
	};
	st = ops->render(call_host(c), self, &call);
	if (!st && k->status) {
		err_copy(e, &k->err);
		pl_err_in(e, "%s", name);
		st = k->status;
	} else {
		st = call_result(c, name, "render", st, e);
	}
	ops->close(self);
	return st;
}

pl_status render_run(struct registry *r, const struct render_step *step, const struct nodes *in, struct nodes *out,
		     const struct log *log, struct cancel *cancel, int64_t timeout_ms, struct pl_err *e)
{
	if (plugin_table(step->plugin)->kind != PL_KIND_RENDERER)
		return err_set(e, PL_EINVAL, "plugin '%s' is a %s, not a renderer", plugin_namez(step->plugin),
			       kind_name(plugin_table(step->plugin)->kind));
	struct arena *a = arena_new();
	struct sink k = {.doc = step->doc, .out = out, .err = ERR_INIT};
	struct call *c = call_new(a, step->doc, step->app, log, cancel, timeout_ms);
	c->plugin = plugin_namez(step->plugin);
	c->sink = &k;
	c->registry = r;
	c->remotes = step->remotes;
	c->trace = step->tree ? step->tree->trace : NULL;
	*out = (struct nodes){0};
	pl_status st = run(step, in, c, &k, e);
	if (st)
		nodes_free(out);
	err_clear(&k.err);
	call_free(c);
	arena_free(a);
	return st;
}
