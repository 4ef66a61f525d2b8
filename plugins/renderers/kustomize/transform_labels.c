/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_labels.c - LabelTransformer: labels, with or without selectors and templates.
 *
 * A kustomization's own labels: come with their flags; the tables are put together here. In a `transformers:` file
 * there are only fieldSpecs, as in the reference.
 */
#include "cfg.h"
#include "fieldspec.h"
#include "pairs.h"

struct label_cfg {
	const pl_node *labels, *specs, *claims;
	bool selectors, templates;
};

static pl_status add_all(struct build *b, struct fieldspecs *into, const struct fieldspecs *from, const pl_node *at)
{
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < from->n; i++)
		st = fieldspecs_add(b, into, &from->v[i], at);
	return st ? pl_err_in(b->err, "putting together where labels go") : PL_OK;
}

static bool is_claim(const struct config *fields, const struct fieldspec *f)
{
	for (uint32_t i = 0; i < fields->claim_labels.n; i++) {
		const struct fieldspec *c = &fields->claim_labels.v[i];
		if (str_eq(c->path, f->path) && gvk_equal(&c->gvk, &f->gvk))
			return true;
	}
	return false;
}

/* includeTemplates reaches claim templates too, unless includeVolumeClaimTemplates says false. */
static pl_status add_templates(struct build *b, const struct label_cfg *c, const struct config *fields,
			       struct fieldspecs *into, const pl_node *at)
{
	bool without_claims = c->claims && !pl_bool(c->claims);
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < fields->template_labels.n; i++) {
		const struct fieldspec *f = &fields->template_labels.v[i];
		if (!without_claims || !is_claim(fields, f))
			st = fieldspecs_add(b, into, f, at);
	}
	return st ? pl_err_in(b->err, "putting together where labels go") : PL_OK;
}

static pl_status put_together(struct build *b, const struct label_cfg *c, const struct config *fields,
			      struct fieldspecs *into, const pl_node *at)
{
	static const struct fieldspec metadata = {.path = {"metadata/labels", 15}, .create = true};
	pl_status st = add_all(b, into, &fields->plain_labels, at);
	if (!st && c->selectors)
		return add_all(b, into, &fields->labels, at);
	if (!st && c->templates)
		st = add_templates(b, c, fields, into, at);
	if (!st && c->claims && pl_bool(c->claims))
		st = add_all(b, into, &fields->claim_labels, at);
	return st ? st : add_all(b, into, &(struct fieldspecs){(struct fieldspec *)(uintptr_t)&metadata, 1, 0}, at);
}

pl_status transform_labels(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			   struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"labels", CFG_NODE, offsetof(struct label_cfg, labels)},
		{"fieldSpecs", CFG_NODE, offsetof(struct label_cfg, specs)},
		{"includeSelectors", CFG_BOOL, offsetof(struct label_cfg, selectors)},
		{"includeTemplates", CFG_BOOL, offsetof(struct label_cfg, templates)},
		{"includeVolumeClaimTemplates", CFG_NODE, offsetof(struct label_cfg, claims)},
	};
	(void)t;
	struct label_cfg c = {0};
	struct fieldspecs specs = {0};
	struct cfg_pairs pairs;
	pl_status st = cfg_read_transformer(b, cfg, keys, fields ? 5 : 2, &c);
	if (!st)
		st = fieldspecs_read(b, c.specs, &specs);
	if (!st)
		st = cfg_pairs(b, c.labels, "labels", &pairs);
	if (st || !pairs.n)
		return st;
	bool common = fields && !pl_gets(cfg, "includeSelectors") && !c.specs;
	if (common)
		return pairs_set(b, &pairs, &fields->labels, m);
	if (fields)
		st = put_together(b, &c, fields, &specs, cfg);
	return st ? st : pairs_set(b, &pairs, &specs, m);
}
