/* SPDX-License-Identifier: Apache-2.0 */
/* transform_annotations.c - AnnotationsTransformer, and what it has in common with labels. */
#include "cfg.h"
#include "fieldspec.h"
#include "pairs.h"

struct setter {
	const struct cfg_pairs *pairs;
	pl_node **values; /* of one resource: all places get the same nodes, see resource.shares */
};

static pl_status set_pairs(struct build *b, void *ctx, pl_node *parent, pl_str key, size_t item, pl_node **slot)
{
	const struct setter *s = ctx;
	(void)parent;
	(void)key;
	(void)item;
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < s->pairs->n; i++)
		st = field_set_entry(b, *slot, s->pairs->v[i].key, s->values[i]);
	return st;
}

static void new_values(struct build *b, struct setter *s)
{
	for (size_t i = 0; i < s->pairs->n; i++) {
		s->values[i] = pl_new_string(b->doc, s->pairs->v[i].value);
		pl_set_at(b->doc, s->values[i], b->doc, s->pairs->v[i].at);
	}
}

pl_status pairs_set(struct build *b, const struct cfg_pairs *pairs, const struct fieldspecs *specs, struct resmap *m)
{
	struct field_index *index = field_index_new(b, specs);
	struct setter s = {pairs, arena_alloc(b->mem, (pairs->n + 1) * sizeof(pl_node *))};
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < m->n; i++) {
		if (!m->v[i]->node)
			continue;
		new_values(b, &s);
		m->v[i]->shares = true;
		st = field_index_each(b, index, m->v[i], PL_MAP, set_pairs, &s);
	}
	return st;
}

struct annotation_cfg {
	const pl_node *annotations, *specs;
};

pl_status transform_annotations(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
				struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"annotations", CFG_NODE, offsetof(struct annotation_cfg, annotations)},
		{"fieldSpecs", CFG_NODE, offsetof(struct annotation_cfg, specs)},
	};
	(void)t;
	struct annotation_cfg c = {0};
	struct fieldspecs specs = {0};
	struct cfg_pairs pairs;
	pl_status st = cfg_read_transformer(b, cfg, keys, 2, &c);
	if (!st)
		st = cfg_fieldspecs(b, c.specs, &specs);
	if (!st)
		st = cfg_pairs(b, c.annotations, "annotations", &pairs);
	if (st || !pairs.n)
		return st;
	return pairs_set(b, &pairs, fields && !c.specs ? &fields->annotations : &specs, m);
}
