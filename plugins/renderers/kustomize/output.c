/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a build. */
#include "accumulate.h"

/* What the reference keeps in annotations while it builds, and takes out of every resource at the end. */
static const char *const build_annotations[] = {
	"internal.config.kubernetes.io/previousKinds",
	"internal.config.kubernetes.io/previousNames",
	"internal.config.kubernetes.io/previousNamespaces",
	"internal.config.kubernetes.io/prefixes",
	"internal.config.kubernetes.io/suffixes",
	"internal.config.kubernetes.io/allowNameChange",
	"internal.config.kubernetes.io/allowKindChange",
	"internal.config.kubernetes.io/refBy",
	"internal.config.kubernetes.io/generatorBehavior",
	"internal.config.kubernetes.io/needsHashSuffix",
	"internal.config.kubernetes.io/path",
	"internal.config.kubernetes.io/index",
	"internal.config.kubernetes.io/seqindent",
	"internal.config.kubernetes.io/id",
	"internal.config.kubernetes.io/annotations-migration-resource-id",
	"internal.config.kubernetes.io/helm-generated",
	"config.kubernetes.io/path",
	"config.kubernetes.io/index",
	"config.k8s.io/id",
	"config.kubernetes.io/origin",
	"alpha.config.kubernetes.io/transformations",
};

static bool is_build_annotation(pl_str key)
{
	for (size_t i = 0; i < sizeof(build_annotations) / sizeof(*build_annotations); i++)
		if (str_is(key, build_annotations[i]))
			return true;
	return false;
}

/* Every resource gets its annotations anew, as texts; none at all, and the field is not there. */
static pl_status annotations(struct build *b, const struct target *top, struct resource *r, struct origin_told *told)
{
	pl_node *meta = pl_gets(r->node, "metadata");
	const pl_node *old = pl_gets(meta, "annotations");
	if (pl_kind(meta) == PL_MAP && !old && !r->origin)
		return PL_OK;
	pl_node *new = pl_new_map(b->doc);
	for (size_t i = 0; i < pl_len(old) && pl_kind(old) == PL_MAP; i++) {
		pl_str key = pl_text(pl_key(old, i));
		pl_node *v = pl_value(old, i);
		if (is_build_annotation(key))
			continue;
		if (pl_kind(v) != PL_STRING)
			v = pl_new_string(b->doc, pl_kind(v) == PL_LIST || pl_kind(v) == PL_MAP ? S("") : pl_text(v));
		else
			pl_set_style(v, PL_STYLE_ANY); /* a text it is, also where its style meant more than that */
		(void)pl_add(b->doc, new, key, v);
	}
	pl_status st = origin_annotate(b, top, r, new, told);
	if (st)
		return st;
	if (pl_kind(meta) != PL_MAP) {
		meta = pl_new_map(b->doc);
		(void)pl_sets(b->doc, r->node, "metadata", meta);
	}
	if (pl_len(new))
		(void)pl_sets(b->doc, meta, "annotations", new);
	else if (old)
		(void)pl_remove(b->doc, meta, S("annotations"));
	return PL_OK;
}

static bool is_local(const struct resource *r)
{
	const pl_node *meta = pl_gets(r->node, "metadata");
	const pl_node *v = pl_gets(pl_gets(meta, "annotations"), "config.kubernetes.io/local-config");
	return v && !str_is(pl_text(v), "false");
}

/*
 * What is only for other programs' eyes leaves; what stays still needs a kind, a name and an id of its own. It had one
 * when it came into the map.
 */
static pl_status drop_local(struct build *b, struct resmap *m)
{
	struct resmap *stay = resmap_new(b);
	uint32_t n = 0;
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < m->n && !st; i++) {
		struct resource *r = m->v[i];
		if (!r->node || !pl_len(r->node))
			continue;
		st = resource_check(b, r->node);
		if (!st && is_local(r))
			continue;
		if (!st && b->renamed)
			st = resmap_append(b, stay, r);
		else
			m->v[n++] = r;
	}
	if (!b->renamed)
		*stay = (struct resmap){m->v, n, m->cap, NULL};
	*m = *stay;
	return st;
}

/* The top's sortOptions:, or else the order of kinds that kubectl and kustomize have always had. */
static pl_status sort_resources(struct build *b, struct target *top, struct resmap *m)
{
	pl_node *options = kustomization_field(top, "sortOptions"), *cfg = pl_new_map(b->doc);
	if (!options) {
		options = pl_new_map(b->doc);
		(void)pl_sets(b->doc, options, "order", pl_new_string(b->doc, S("legacy")));
	}
	(void)pl_sets(b->doc, cfg, "sortOptions", options);
	return transform_sort_order(b, top, cfg, NULL, m);
}

static pl_status managed_by(struct build *b, struct target *top, struct resmap *m)
{
	static const struct fieldspec metadata = {.path = {"metadata/labels", 15}, .create = true};
	struct config c = *config_builtin(b);
	if (!build_metadata_has(top, "managedByLabel"))
		return PL_OK;
	c.labels = (struct fieldspecs){NULL, 0, 0};
	pl_status st = fieldspecs_add(b, &c.labels, &metadata, NULL);
	pl_node *cfg = pl_new_map(b->doc), *pairs = pl_new_map(b->doc);
	(void)pl_sets(b->doc, pairs, "app.kubernetes.io/managed-by", pl_new_string(b->doc, S("kustomize-v5.6.0")));
	(void)pl_sets(b->doc, cfg, "labels", pairs);
	return st ? st : transform_labels(b, top, cfg, &c, m);
}

static pl_status emit(struct build *b, const struct target *top, struct resmap *m)
{
	struct origin_told told = {0};
	pl_status st = PL_OK;
	for (uint32_t i = 0; i < m->n && !st; i++) {
		st = annotations(b, top, m->v[i], &told);
		if (!st)
			st = pl_field_form(b->doc, m->v[i]->node, b->err);
		if (st)
			return st;
		st = b->call->emit_node(b->h->ctx, m->v[i]->node);
	}
	return st;
}

pl_status output(struct build *b, struct target *top, struct accumulator *acc)
{
	pl_node *none = pl_new_map(b->doc);
	pl_status st = transform_hash(b, top, none, acc->config, acc->m);
	if (!st)
		st = fix_references(b, acc->config, acc->m);
	if (!st)
		st = vars_resolve(b, acc->config, &acc->vars, acc->m);
	if (!st)
		st = drop_local(b, acc->m);
	if (!st)
		st = sort_resources(b, top, acc->m);
	if (!st)
		st = managed_by(b, top, acc->m);
	return st ? st : emit(b, top, acc->m);
}
