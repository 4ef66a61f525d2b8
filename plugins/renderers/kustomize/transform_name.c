/* SPDX-License-Identifier: Apache-2.0 */
/* transform_name.c - PrefixTransformer and SuffixTransformer. */
#include "cfg.h"
#include "fieldspec.h"

enum affix_kind { PREFIX, SUFFIX };

struct affix_cfg {
	pl_str text;
	const pl_node *specs;
};

struct affix {
	enum affix_kind kind;
	pl_str text;
	struct field_index *index;
};

/* Kinds whose names mean something. */
static bool keeps_its_name(const struct gvk *g)
{
	return str_is(g->kind, "Namespace") || str_is(g->kind, "CustomResourceDefinition") ||
	       (str_is(g->kind, "APIService") && str_is(g->group, "apiregistration.k8s.io"));
}

static pl_status set_affix(struct build *b, void *ctx, pl_node *parent, pl_str key, size_t item, pl_node **slot)
{
	const struct affix *a = ctx;
	(void)parent;
	(void)key;
	(void)item;
	pl_str old = pl_text(*slot);
	pl_str text = a->kind == PREFIX ? arena_printf(b->mem, "%.*s%.*s", F(a->text), F(old))
					: arena_printf(b->mem, "%.*s%.*s", F(old), F(a->text));
	return field_set_plain(b, slot, text);
}

static void remember(struct build *b, const struct affix *a, struct resource *r)
{
	struct strings *l = a->kind == PREFIX ? &r->prefixes : &r->suffixes;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = a->text;
	resource_remember(b, r);
}

static pl_status rename_one(struct build *b, struct affix *a, struct resmap *m, struct resource *r)
{
	struct gvk original = resource_original(r)->gvk;
	const struct field_path *const *paths;
	pl_status st = PL_OK;
	if (keeps_its_name(&original))
		return PL_OK;
	size_t n = field_index_find(b, a->index, &original, &paths);
	for (size_t i = 0; !st && i < n; i++) {
		if (!gvk_selects(&paths[i]->spec->gvk, &r->id.gvk))
			continue;
		bool name = str_is(paths[i]->text, "metadata/name");
		if (name && a->text.n)
			remember(b, a, r);
		st = field_path_each(b, r->node, paths[i], paths[i]->spec->create, PL_STRING, set_affix, a);
		if (!st && name)
			resource_refresh(b, m, r);
	}
	return st;
}

static pl_status transform(struct build *b, struct affix *a, const pl_node *cfg, const struct fieldspecs *table,
			   struct resmap *m)
{
	const struct cfg_key keys[] = {
		{a->kind == PREFIX ? "prefix" : "suffix", CFG_TEXT, offsetof(struct affix_cfg, text)},
		{"fieldSpecs", CFG_NODE, offsetof(struct affix_cfg, specs)},
	};
	struct affix_cfg c = {0};
	struct fieldspecs own = {0};
	pl_status st = cfg_read_transformer(b, cfg, keys, 2, &c);
	if (!st)
		st = cfg_fieldspecs(b, c.specs, &own);
	if (st)
		return st;
	if (!c.specs && !table)
		return fail(b, PL_EINVAL, cfg, "a %s needs 'fieldSpecs', for example [{path: metadata/name}]",
			    a->kind == PREFIX ? "PrefixTransformer" : "SuffixTransformer");
	if (!c.text.n && !c.specs)
		return PL_OK;
	a->text = c.text;
	a->index = field_index_new(b, c.specs ? &own : table);
	for (uint32_t i = 0; !st && i < m->n; i++) {
		if (m->v[i]->node)
			st = rename_one(b, a, m, m->v[i]);
	}
	return st;
}

pl_status transform_prefix(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			   struct resmap *m)
{
	(void)t;
	return transform(b, &(struct affix){.kind = PREFIX}, cfg, fields ? &fields->name_prefix : NULL, m);
}

pl_status transform_suffix(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			   struct resmap *m)
{
	(void)t;
	return transform(b, &(struct affix){.kind = SUFFIX}, cfg, fields ? &fields->name_suffix : NULL, m);
}
