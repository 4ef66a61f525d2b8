/* SPDX-License-Identifier: Apache-2.0 */
/* replacement_read.c - reads replacements: from a kustomization, a transformer's file, or a file of their own. */
#include "cfg.h"
#include "fieldspec.h"
#include "replacement.h"

struct reader {
	struct build *b;
	struct target *t;
	struct replacements *out;
	bool in_file;
};

static enum cfg_unknown unknown_of(const struct reader *r)
{
	return r->in_file ? CFG_WARN : CFG_REFUSE;
}

static pl_status need_map(struct build *b, const pl_node *n, const char *what)
{
	return pl_kind(n) == PL_MAP
		       ? PL_OK
		       : fail(b, PL_EINVAL, n, "%s must be a map, but there is %s", what, node_kind_name(n));
}

/* ---- options ---- */

static pl_status read_options(struct reader *r, const pl_node *n, struct repl_options *o)
{
	static const struct cfg_key keys[] = {
		{"delimiter", CFG_TEXT, offsetof(struct repl_options, delimiter)},
		{"index", CFG_INT, offsetof(struct repl_options, index)},
		{"encoding", CFG_TEXT, offsetof(struct repl_options, encoding)},
		{"create", CFG_BOOL, offsetof(struct repl_options, create)},
	};
	if (!n)
		return PL_OK;
	pl_status st = need_map(r->b, n, "options");
	if (!st)
		st = cfg_read(r->b, n, "options", keys, sizeof(keys) / sizeof(*keys), unknown_of(r), o);
	o->at = n;
	if (!st && o->encoding.n)
		r->b->h->log(
			r->b->h->ctx, PL_LOG_WARN,
			arena_printf(r->b->mem, "replacements: options.encoding '%.*s' has no effect", F(o->encoding)));
	return st;
}

/* ---- source ---- */

struct source_keys {
	pl_str group, version, kind, name, ns, field_path;
	const pl_node *options;
};

static pl_status read_source(struct reader *r, const pl_node *n, struct repl_source *s)
{
	static const struct cfg_key keys[] = {
		{"group", CFG_TEXT, offsetof(struct source_keys, group)},
		{"version", CFG_TEXT, offsetof(struct source_keys, version)},
		{"kind", CFG_TEXT, offsetof(struct source_keys, kind)},
		{"name", CFG_TEXT, offsetof(struct source_keys, name)},
		{"namespace", CFG_TEXT, offsetof(struct source_keys, ns)},
		{"fieldPath", CFG_TEXT, offsetof(struct source_keys, field_path)},
		{"options", CFG_NODE, offsetof(struct source_keys, options)},
	};
	struct source_keys k = {.field_path = S("")};
	pl_status st = need_map(r->b, n, "source");
	if (!st)
		st = cfg_read(r->b, n, "source", keys, sizeof(keys) / sizeof(*keys), unknown_of(r), &k);
	if (!st)
		st = read_options(r, k.options, &s->options);
	if (st)
		return st;
	const pl_node *at = pl_gets(n, "fieldPath");
	s->at = n;
	s->id = (struct id){.gvk = {k.group, k.version, k.kind}, .name = k.name, .ns = k.ns};
	path_read(r->b, k.field_path.n ? k.field_path : S("metadata.name"), at ? at : n, &s->path);
	return PL_OK;
}

/* ---- targets ---- */

static pl_status read_rejects(struct reader *r, const pl_node *list, struct repl_target *t)
{
	if (!list)
		return PL_OK;
	if (pl_kind(list) != PL_LIST)
		return fail(r->b, PL_EINVAL, list, "reject must be a list, but there is %s", node_kind_name(list));
	t->rejects = arena_alloc(r->b->mem, (pl_len(list) + 1) * sizeof(*t->rejects));
	for (size_t i = 0; i < pl_len(list); i++) {
		const pl_node *n = pl_item(list, i);
		pl_status st = need_map(r->b, n, "reject");
		if (!st)
			st = repl_select_read(r->b, n, !r->in_file, "reject", &t->rejects[t->n_rejects++]);
		if (st)
			return st;
	}
	return PL_OK;
}

static pl_status read_paths(struct reader *r, const pl_node *list, struct repl_target *t)
{
	size_t n = pl_len(list);
	if (list && pl_kind(list) != PL_LIST)
		return fail(r->b, PL_EINVAL, list, "fieldPaths must be a list, but there is %s", node_kind_name(list));
	t->paths = arena_alloc(r->b->mem, (n + 1) * sizeof(*t->paths));
	for (size_t i = 0; i < n; i++) {
		pl_str text = S("");
		pl_status st = cfg_text(r->b, pl_item(list, i), "fieldPaths", &text);
		if (st)
			return st;
		path_read(r->b, text, pl_item(list, i), &t->paths[t->n_paths++]);
	}
	if (!n)
		path_read(r->b, S("metadata.name"), t->at, &t->paths[t->n_paths++]);
	return PL_OK;
}

struct target_keys {
	const pl_node *select, *reject, *paths, *options;
};

static pl_status read_target(struct reader *r, const pl_node *n, struct repl_target *t)
{
	static const struct cfg_key keys[] = {
		{"select", CFG_NODE, offsetof(struct target_keys, select)},
		{"reject", CFG_NODE, offsetof(struct target_keys, reject)},
		{"fieldPaths", CFG_NODE, offsetof(struct target_keys, paths)},
		{"options", CFG_NODE, offsetof(struct target_keys, options)},
	};
	struct target_keys k = {0};
	t->at = n;
	pl_status st = need_map(r->b, n, "a target");
	if (!st)
		st = cfg_read(r->b, n, "target", keys, sizeof(keys) / sizeof(*keys), unknown_of(r), &k);
	if (st)
		return st;
	if (!k.select) {
		fail(r->b, PL_EINVAL, n, "a target must say which resources to select");
		pl_err_hint(r->b->err, "add 'select:' with a kind or a name");
		return PL_EINVAL;
	}
	st = need_map(r->b, k.select, "select");
	if (!st)
		st = repl_select_read(r->b, k.select, !r->in_file, "select", &t->select);
	if (!st)
		st = read_rejects(r, k.reject, t);
	if (!st)
		st = read_paths(r, k.paths, t);
	return st ? st : read_options(r, k.options, &t->options);
}

static pl_status read_targets(struct reader *r, const pl_node *list, struct replacement *x)
{
	if (pl_kind(list) != PL_LIST)
		return fail(r->b, PL_EINVAL, list, "targets must be a list, but there is %s", node_kind_name(list));
	x->targets = arena_alloc(r->b->mem, (pl_len(list) + 1) * sizeof(*x->targets));
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_status st = read_target(r, pl_item(list, i), &x->targets[x->n_targets++]);
		if (st)
			return st;
	}
	return PL_OK;
}

/* ---- one replacement ---- */

struct repl_keys {
	const pl_node *source, *targets, *value;
	pl_str path;
};

static pl_status check_parts(struct reader *r, const pl_node *n, const struct repl_keys *k)
{
	if (k->source && k->value)
		return fail(r->b, PL_EINVAL, k->value, "source and sourceValue can't both be given");
	/* An empty list counts as none in a kustomization, but not in a file of its own. */
	if ((k->source || k->value) && k->targets && (r->in_file || pl_len(k->targets)))
		return PL_OK;
	fail(r->b, PL_EINVAL, n, "replacements must specify a source and at least one target");
	pl_err_hint(r->b->err, "'%s' is missing", k->source || k->value ? "targets" : "source");
	return PL_EINVAL;
}

static pl_status read_value(struct reader *r, const pl_node *n, struct replacement *x)
{
	pl_str text = S("");
	if (!n)
		return PL_OK;
	pl_status st = cfg_text(r->b, n, "sourceValue", &text);
	x->value = n;
	return st;
}

static pl_status read_one(struct reader *r, const pl_node *n, const struct repl_keys *k)
{
	struct replacements *l = r->out;
	l->v = arena_grow(r->b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	struct replacement *x = &l->v[l->n++];
	*x = (struct replacement){.at = n};
	pl_status st = check_parts(r, n, k);
	if (!st)
		st = read_value(r, k->value, x);
	if (!st && k->source)
		st = read_source(r, k->source, &x->source);
	return st ? st : read_targets(r, k->targets, x);
}

static pl_status read_keys(struct reader *r, const pl_node *n, struct repl_keys *k)
{
	static const struct cfg_key keys[] = {
		{"source", CFG_NODE, offsetof(struct repl_keys, source)},
		{"targets", CFG_NODE, offsetof(struct repl_keys, targets)},
		{"sourceValue", CFG_NODE, offsetof(struct repl_keys, value)},
		{"path", CFG_TEXT, offsetof(struct repl_keys, path)},
	};
	pl_status st = need_map(r->b, n, "a replacement");
	return st ? st : cfg_read(r->b, n, "replacement", keys, sizeof(keys) / sizeof(*keys), unknown_of(r), k);
}

static pl_status read_plain(struct build *b, const pl_node *n, void *ctx)
{
	struct reader *r = ctx;
	struct repl_keys k = {0};
	(void)b;
	pl_status st = read_keys(r, n, &k);
	return st ? st : read_one(r, n, &k);
}

/* ---- files ---- */

static pl_status read_file(struct reader *r, const pl_node *at, pl_str path)
{
	pl_str text;
	const char *file;
	pl_node **roots;
	size_t n;
	pl_status st = target_load(r->b, r->t, at, path, &text, &file);
	if (st)
		return st;
	if (pl_yaml_read(r->b->doc, text, file, PL_SCHEMA_YAML11, 0, &roots, &n, r->b->err))
		return pl_err_code(r->b->err);
	const pl_node *root = n ? roots[0] : NULL;
	struct reader in = *r;
	in.in_file = true;
	if (pl_kind(root) == PL_MAP)
		return read_plain(r->b, root, &in);
	if (pl_kind(root) == PL_LIST)
		return cfg_each(r->b, root, "replacements", read_plain, &in);
	return fail(r->b, PL_EINVAL, root ? root : at, "'%.*s' must hold a replacement or a list of them", F(path));
}

static pl_status read_entry(struct build *b, const pl_node *n, void *ctx)
{
	struct reader *r = ctx;
	struct repl_keys k = {0};
	pl_status st = read_keys(r, n, &k);
	if (st || !k.path.n)
		return st ? st : read_one(r, n, &k);
	if (k.source || pl_len(k.targets)) {
		fail(b, PL_EINVAL, n, "cannot specify both path and inline replacement");
		pl_err_hint(b->err, "move what stands beside 'path' into '%.*s'", F(k.path));
		return PL_EINVAL;
	}
	const pl_node *at = pl_gets(n, "path");
	return read_file(r, at ? at : n, k.path);
}

pl_status replacements_read(struct build *b, struct target *t, const pl_node *cfg, bool strict,
			    struct replacements *out)
{
	struct reader r = {.b = b, .t = t, .out = out, .in_file = !strict};
	*out = (struct replacements){0};
	return cfg_each(b, pl_gets(cfg, "replacements"), "replacements", read_entry, &r);
}
