/* SPDX-License-Identifier: Apache-2.0 */
/* generators:, transformers: and validators:, of the built-in kinds. */
#include "accumulate.h"

static pl_status transform_prefix_suffix(struct build *b, struct target *t, const pl_node *cfg,
					 const struct config *fields, struct resmap *m)
{
	static const char *const of[] = {"suffix", "prefix"};
	for (size_t i = 0; i < 2; i++) {
		pl_node *part = pl_copy(b->doc, b->doc, cfg);
		(void)pl_remove(b->doc, part, str_of(of[i])); /* the other one's; may be absent */
		pl_status st = (i ? transform_suffix : transform_prefix)(b, t, part, fields, m);
		if (st)
			return st;
	}
	return PL_OK;
}

static const struct builtin {
	const char *kind;
	transform_fn transform;
	generate_fn generate;
} builtins[] = {
	{"AnnotationsTransformer", transform_annotations, NULL},
	{"ConfigMapGenerator", NULL, generate_config_map},
	{"HashTransformer", transform_hash, NULL},
	{"IAMPolicyGenerator", NULL, generate_iam_policy},
	{"ImageTagTransformer", transform_images, NULL},
	{"LabelTransformer", transform_labels, NULL},
	{"NamespaceTransformer", transform_namespace, NULL},
	{"PatchJson6902Transformer", transform_patch_json, NULL},
	{"PatchStrategicMergeTransformer", transform_patch_strategic, NULL},
	{"PatchTransformer", transform_patch, NULL},
	{"PrefixSuffixTransformer", transform_prefix_suffix, NULL},
	{"PrefixTransformer", transform_prefix, NULL},
	{"ReplacementTransformer", transform_replacement, NULL},
	{"ReplicaCountTransformer", transform_replicas, NULL},
	{"SecretGenerator", NULL, generate_secret},
	{"SuffixTransformer", transform_suffix, NULL},
	{"ValueAddTransformer", transform_value_add, NULL},
};
enum { BUILTINS = sizeof(builtins) / sizeof(*builtins) };

/* ---- one of them ---- */

pl_status run_generator(struct build *b, struct target *t, generate_fn generate, const pl_node *cfg,
			const struct place *by, struct accumulator *acc)
{
	struct resmap *made = resmap_new(b);
	pl_status st = generate(b, t, cfg, made);
	if (!st)
		origin_generated(b, made, by);
	for (uint32_t i = 0; i < made->n && !st; i++) {
		struct resource *r = made->v[i];
		st = resmap_absorb(b, acc->m, r);
		if (r->behavior == BEHAVIOR_UNSPECIFIED)
			r->behavior = BEHAVIOR_CREATE; /* generated ones are told apart by it */
	}
	return st;
}

pl_status run_transformer(struct build *b, struct target *t, transform_fn transform, const pl_node *cfg,
			  const struct config *fields, const struct place *by, struct resmap *m)
{
	uint64_t deleted = b->deleted;
	pl_status st = transform(b, t, cfg, fields, m);
	if (st)
		return st;
	if (b->deleted != deleted)
		resmap_compact(m);
	origin_transformed(b, m, by);
	return PL_OK;
}

/* ---- their configurations ---- */

static pl_status not_builtin(struct build *b, const struct resource *r, const char *field)
{
	fail(b, PL_EUNSUPPORTED, r->node,
	     "'%.*s' under '%s' is no built-in kind (apiVersion: builtin): programs and containers are "
	     "not run within a kustomization",
	     F(r->id.gvk.kind), field);
	pl_err_hint(b->err, "use a render step of its own, render: [kustomize, {exec: …}]; see docs/render.md");
	return PL_EUNSUPPORTED;
}

static pl_status unknown_builtin(struct build *b, const struct resource *r, const char *field)
{
	const char *names[BUILTINS];
	pl_str kind = r->id.gvk.kind;
	if (str_is(kind, "HelmChartInflationGenerator"))
		return not_builtin(b, r, field);
	for (size_t i = 0; i < BUILTINS; i++)
		names[i] = builtins[i].kind;
	const pl_node *at = pl_gets(r->node, "kind");
	fail(b, PL_ENOTFOUND, at, "there is no built-in kind '%.*s'", F(kind));
	const char *near = str_nearest(kind, names, BUILTINS);
	if (str_is(kind, "SortOrderTransformer"))
		pl_err_hint(b->err, "the field 'sortOptions' of the kustomization that is built sorts");
	else if (near)
		pl_err_hint(b->err, "did you mean '%s'?", near);
	return PL_ENOTFOUND;
}

static pl_status find_builtin(struct build *b, const struct resource *r, const char *field, const struct builtin **out)
{
	*out = NULL;
	if (r->id.gvk.group.n || !str_is(r->id.gvk.version, "builtin"))
		return not_builtin(b, r, field);
	for (size_t i = 0; i < BUILTINS && !*out; i++)
		if (str_is(r->id.gvk.kind, builtins[i].kind))
			*out = &builtins[i];
	return *out ? PL_OK : unknown_builtin(b, r, field);
}

static pl_status read_inline(struct build *b, struct target *t, const pl_node *at, struct accumulator *acc)
{
	uint32_t before = acc->m->n;
	pl_status st = resources_read(b, pl_text(at), t->k->file, acc->m);
	if (st)
		return fail(b, st, at, "in this text: %s", pl_err_text(b->err));
	const struct place *p = place_below(b, t->origin, t->k->name);
	for (uint32_t i = before; i < acc->m->n; i++)
		origin_set(b, acc->m->v[i], p);
	return PL_OK;
}

/* Configurations come through JSON to the built-in ones. */
static pl_status as_json_has_them(struct build *b, const struct resmap *configs)
{
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < configs->n && !st; i++)
		st = pl_field_form(b->doc, configs->v[i]->node, b->err);
	return st;
}

/* The field names files and folders (kustomizations, whose resources are the configurations), or holds them itself:
 * then they come first. */
static pl_status read_configs(struct build *b, struct target *t, const char *field, struct resmap **out)
{
	const pl_node *list = kustomization_field(t, field);
	struct accumulator acc = {.m = resmap_new(b)};
	pl_node *paths = pl_new_list(b->doc);
	pl_status st = PL_OK;
	*out = acc.m;
	for (size_t i = 0; i < pl_len(list) && !st; i++) {
		pl_node *at = pl_item(list, i);
		if (is_inline(pl_text(at)))
			st = read_inline(b, t, at, &acc);
		else
			(void)pl_append(b->doc, paths, at);
	}
	if (!st)
		st = accumulate_paths(b, t, paths, &acc);
	return st ? st : as_json_has_them(b, acc.m);
}

pl_status builtins_generate(struct build *b, struct target *t, struct accumulator *acc)
{
	struct resmap *configs;
	if (!kustomization_field(t, "generators"))
		return PL_OK;
	pl_status st = read_configs(b, t, "generators", &configs);
	for (uint32_t i = 0; i < configs->n && !st; i++) {
		const struct resource *r = configs->v[i];
		const struct builtin *f;
		st = find_builtin(b, r, "generators", &f);
		if (!st && !f->generate)
			st = fail(b, PL_EINVAL, pl_gets(r->node, "kind"), "a %s is no generator", f->kind);
		if (!st)
			st = run_generator(b, t, f->generate, r->node, place_config(b, r), acc);
	}
	return st ? pl_err_in(b->err, "generators") : PL_OK;
}

static pl_status transform_by(struct build *b, struct target *t, const struct resource *r, const char *field,
			      struct resmap *m, const struct place *by)
{
	const struct builtin *f;
	pl_status st = find_builtin(b, r, field, &f);
	if (!st && !f->transform)
		st = fail(b, PL_EINVAL, pl_gets(r->node, "kind"), "a %s is no transformer", f->kind);
	return st ? st : run_transformer(b, t, f->transform, r->node, NULL, by, m);
}

pl_status builtins_transform(struct build *b, struct target *t, struct accumulator *acc)
{
	struct resmap *configs;
	if (!kustomization_field(t, "transformers"))
		return PL_OK;
	pl_status st = read_configs(b, t, "transformers", &configs);
	for (uint32_t i = 0; i < configs->n && !st; i++)
		st = transform_by(b, t, configs->v[i], "transformers", acc->m, place_config(b, configs->v[i]));
	return st ? pl_err_in(b->err, "transformers") : PL_OK;
}

/* ---- validators: ---- */

/* A validator may leave its mark, a label, which does not count. */
static pl_node *without_mark(struct build *b, pl_node *node)
{
	if (!pl_gets(pl_gets(pl_gets(node, "metadata"), "labels"), "validated-by"))
		return node;
	pl_node *copy = pl_copy(b->doc, b->doc, node), *meta = pl_gets(copy, "metadata");
	pl_node *labels = pl_gets(meta, "labels");
	(void)pl_remove(b->doc, labels, S("validated-by"));
	if (!pl_len(labels))
		(void)pl_remove(b->doc, meta, S("labels"));
	return copy;
}

static pl_status validate_by(struct build *b, struct target *t, const struct resource *r, struct resmap *m)
{
	uint32_t n = m->n;
	pl_node **before = arena_alloc(b->mem, ((size_t)n + 1) * sizeof(*before));
	for (uint32_t i = 0; i < n; i++)
		before[i] = pl_copy(b->doc, b->doc, m->v[i]->node);
	pl_status st = transform_by(b, t, r, "validators", m, NULL);
	for (uint32_t i = 0; i < n && !st; i++) {
		if (i >= m->n || m->n != n || !pl_equal(before[i], without_mark(b, m->v[i]->node)))
			return fail(b, PL_EINVAL, r->node, "the validator '%.*s' changes resources (the first: %.*s)",
				    F(r->id.name), F(i < m->n ? id_text(b, &m->v[i]->id) : S("one is taken out")));
	}
	return st;
}

pl_status builtins_validate(struct build *b, struct target *t, struct accumulator *acc)
{
	struct resmap *configs;
	if (!kustomization_field(t, "validators"))
		return PL_OK;
	pl_status st = read_configs(b, t, "validators", &configs);
	for (uint32_t i = 0; i < configs->n && !st; i++)
		st = validate_by(b, t, configs->v[i], acc->m);
	return st ? pl_err_in(b->err, "validators") : PL_OK;
}
