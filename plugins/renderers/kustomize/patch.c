/* SPDX-License-Identifier: Apache-2.0 */
/* patch.c - the transformers that patch: patches:, patchesStrategicMerge:, patchesJson6902:. */
#include "cfg.h"
#include "patch.h"

/* The text at `inner`, or the file that `path` names. */
static pl_status read_either(struct build *b, struct target *t, const pl_node *inner, const pl_node *path,
			     enum patch_form form, struct patch *out)
{
	pl_str text = pl_text(inner);
	const char *file;
	if (str_trim(text).n)
		return patch_read(b, str_trim(text), patch_inline_name(b, inner), form, out);
	pl_status st = target_load(b, t, path, pl_text(path), &text, &file);
	if (st) {
		pl_err_in(b->err, "failed to get the patch file from path(%.*s)", F(pl_text(path)));
		return st;
	}
	return patch_read(b, text, file, form, out);
}

/* An error in a patch's file says who names the file. Returns the error's code. */
static pl_status in_entry(struct build *b, const pl_node *path)
{
	pl_place at = pl_at(b->doc, path);
	if (at.file)
		return pl_err_in(b->err, "named at %s:%u", at.file, at.line);
	return pl_err_code(b->err);
}

/* ---- PatchTransformer ---- */

struct patch_fields {
	const pl_node *path, *patch, *target, *options;
	pl_str path_text, patch_text;
};

static pl_status read_options(struct build *b, const pl_node *options, struct patch_options *out)
{
	static const struct cfg_key keys[] = {
		{"allowNameChange", CFG_BOOL, offsetof(struct patch_options, name_change)},
		{"allowKindChange", CFG_BOOL, offsetof(struct patch_options, kind_change)},
	};
	*out = (struct patch_options){false, false};
	if (!options || pl_kind(options) == PL_NULL)
		return PL_OK;
	return cfg_read(b, options, "patch's options", keys, 2, CFG_WARN, out);
}

static pl_status read_fields(struct build *b, const pl_node *cfg, struct patch_fields *f)
{
	static const struct cfg_key keys[] = {
		{"path", CFG_NODE, offsetof(struct patch_fields, path)},
		{"patch", CFG_NODE, offsetof(struct patch_fields, patch)},
		{"target", CFG_NODE, offsetof(struct patch_fields, target)},
		{"options", CFG_NODE, offsetof(struct patch_fields, options)},
	};
	*f = (struct patch_fields){0};
	pl_status st = cfg_read_transformer(b, cfg, keys, sizeof(keys) / sizeof(keys[0]), f);
	if (!st && f->path)
		st = cfg_text(b, f->path, "path", &f->path_text);
	if (!st && f->patch)
		st = cfg_text(b, f->patch, "patch", &f->patch_text);
	if (st)
		return st;
	bool has_patch = str_trim(f->patch_text).n > 0;
	if (!has_patch && !f->path_text.n)
		return fail(b, PL_EINVAL, cfg, "must specify one of patch and path");
	if (has_patch && f->path_text.n)
		return fail(b, PL_EINVAL, f->patch, "patch and path can't be set at the same time");
	if (f->target && pl_kind(f->target) == PL_NULL)
		f->target = NULL;
	return PL_OK;
}

/* With the patch's own kind: where the resource's is unknown, that is the kind that lists are merged by. */
static void borrow_version(struct build *b, pl_node *patch, const struct gvk *g)
{
	pl_str text = arena_printf(b->mem, "%.*s%s%.*s", F(g->group), g->group.n ? "/" : "", F(g->version));
	if (text.n)
		(void)pl_sets(b->doc, patch, "apiVersion", pl_new_string(b->doc, text)); /* the doc is ours */
}

static pl_status merge_selected(struct build *b, struct resmap *m, const struct selector *s,
				const struct resource *patch, const struct patch_options *o)
{
	struct resource **found;
	size_t n;
	pl_status st = selector_find(b, s, m, &found, &n);
	if (st || !n)
		return st;
	pl_node *node = patch_for_selected(b, patch->node, false);
	for (size_t i = 0; i < n && !st; i++) {
		borrow_version(b, node, &found[i]->id.gvk);
		st = patch_merge_into(b, m, found[i], node, o);
	}
	return st;
}

static pl_status merge_by_id(struct build *b, struct resmap *m, const struct patch *p, bool texts,
			     const struct patch_options *o)
{
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < p->n && !st; i++) {
		struct resource *r;
		const pl_node *node = p->strategic[i]->node;
		st = patch_target(b, m, p->strategic[i], &r);
		if (!st)
			st = patch_merge_into(b, m, r, texts ? patch_for_selected(b, node, true) : node, o);
	}
	return st;
}

static pl_status operate_selected(struct build *b, struct resmap *m, const struct selector *s,
				  const pl_node *operations, bool remember)
{
	struct resource **found;
	size_t n;
	pl_status st = selector_find(b, s, m, &found, &n);
	for (size_t i = 0; i < n && !st; i++) {
		if (remember)
			resource_remember(b, found[i]);
		st = patch_operate(b, m, found[i], operations);
	}
	return st;
}

pl_status transform_patch(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			  struct resmap *m)
{
	struct patch_fields f;
	struct patch_options o;
	struct patch p;
	struct selector *s = NULL;
	(void)fields;
	pl_status st = read_fields(b, cfg, &f);
	if (!st)
		st = read_options(b, f.options, &o);
	if (!st)
		st = read_either(b, t, f.patch, f.path, PATCH_ANY, &p);
	if (!st && f.target)
		st = selector_read(b, f.target, &s);
	if (st || (!p.n && !p.operations))
		return st;
	if (p.operations && !s) {
		fail(b, PL_EINVAL, p.operations, "must specify a target for a JSON patch");
		pl_err_hint(b->err, "target: {kind: …, name: …} says which resources it is for");
		return PL_EINVAL;
	}
	if (p.n > 1 && s)
		return fail(b, PL_EINVAL, f.target,
			    "several strategic merge patches in one entry can't have a target (here are %u)", p.n);
	if (p.operations)
		st = operate_selected(b, m, s, p.operations, true);
	else
		st = s ? merge_selected(b, m, s, p.strategic[0], &o) : merge_by_id(b, m, &p, false, &o);
	return st ? in_entry(b, f.path) : PL_OK;
}

/* ---- PatchStrategicMergeTransformer ---- */

struct strategic_fields {
	const pl_node *paths, *patches;
};

struct strategic_read {
	struct target *t;
	struct patch all;
};

static void patch_join(struct build *b, struct patch *into, const struct patch *from)
{
	for (uint32_t i = 0; i < from->n; i++) {
		into->strategic = arena_grow(b->mem, into->strategic, into->n, &into->cap, sizeof(struct resource *));
		into->strategic[into->n++] = from->strategic[i];
	}
}

/* An item of paths: is a file's name, or the patch itself. */
static pl_status read_path(struct build *b, const pl_node *item, void *ctx)
{
	struct strategic_read *r = ctx;
	struct patch p;
	pl_str text = S("");
	pl_status st = cfg_text(b, item, "paths", &text);
	if (st)
		return st;
	bool is_text = text.n && (memchr(text.p, '\n', text.n) || str_trim(text).p[0] == '{');
	st = read_either(b, r->t, is_text ? item : NULL, item, PATCH_STRATEGIC, &p);
	if (!st)
		patch_join(b, &r->all, &p);
	return st;
}

pl_status transform_patch_strategic(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
				    struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"paths", CFG_NODE, offsetof(struct strategic_fields, paths)},
		{"patches", CFG_NODE, offsetof(struct strategic_fields, patches)},
	};
	const struct patch_options o = {false, false};
	struct strategic_fields f = {0};
	struct strategic_read r = {.t = t};
	struct patch p;
	(void)fields;
	pl_status st = cfg_read_transformer(b, cfg, keys, 2, &f);
	if (!st && !pl_len(f.paths) && !pl_text(f.patches).n)
		return fail(b, PL_EINVAL, cfg, "empty file path and empty patch content");
	if (!st)
		st = cfg_each(b, f.paths, "paths", read_path, &r);
	if (!st && pl_text(f.patches).n) {
		st = patch_read(b, pl_text(f.patches), patch_inline_name(b, f.patches), PATCH_STRATEGIC, &p);
		if (!st)
			patch_join(b, &r.all, &p);
	}
	if (!st && !r.all.n)
		return fail(b, PL_EINVAL, f.paths ? f.paths : cfg, "patch appears to be empty");
	return st ? st : merge_by_id(b, m, &r.all, true, &o);
}

/* ---- PatchJson6902Transformer ---- */

struct json_fields {
	const pl_node *target, *path, *operations;
};

pl_status transform_patch_json(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			       struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"target", CFG_NODE, offsetof(struct json_fields, target)},
		{"path", CFG_NODE, offsetof(struct json_fields, path)},
		{"jsonOp", CFG_NODE, offsetof(struct json_fields, operations)},
	};
	struct json_fields f = {0};
	struct selector *s;
	struct patch p;
	(void)fields;
	pl_status st = cfg_read_transformer(b, cfg, keys, 3, &f);
	if (st)
		return st;
	if (!pl_text(pl_gets(f.target, "name")).n)
		return fail(b, PL_EINVAL, f.target ? f.target : cfg, "must specify the target name");
	bool has_path = pl_text(f.path).n > 0, has_text = pl_text(f.operations).n > 0;
	if (!has_path && !has_text)
		return fail(b, PL_EINVAL, cfg, "empty file path and empty jsonOp");
	if (has_path && has_text)
		return fail(b, PL_EINVAL, f.operations, "must specify a file path or jsonOp, not both");
	st = read_either(b, t, f.operations, f.path, PATCH_JSON, &p);
	if (!st)
		st = selector_read(b, f.target, &s);
	if (st)
		return st;
	if (!pl_len(p.operations))
		return fail(b, PL_EINVAL, has_path ? f.path : f.operations, "patch appears to be empty");
	return operate_selected(b, m, s, p.operations, false);
}
