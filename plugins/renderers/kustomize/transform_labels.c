/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_labels.c - LabelTransformer. What a kustomization's labels: say with flags (selectors, templates) comes as
 * the tables' labels, put together by fields.c.
 */
#include "cfg.h"
#include "pairs.h"

struct label_cfg {
	const pl_node *labels, *specs;
};

pl_status transform_labels(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			   struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"labels", CFG_NODE, offsetof(struct label_cfg, labels)},
		{"fieldSpecs", CFG_NODE, offsetof(struct label_cfg, specs)},
	};
	(void)t;
	struct label_cfg c = {0};
	struct fieldspecs specs = {0};
	struct cfg_pairs pairs;
	pl_status st = cfg_read_transformer(b, cfg, keys, 2, &c);
	if (!st)
		st = cfg_fieldspecs(b, c.specs, &specs);
	if (!st)
		st = cfg_pairs(b, c.labels, "labels", &pairs);
	if (st || !pairs.n)
		return st;
	return pairs_set(b, &pairs, fields && !c.specs ? &fields->labels : &specs, m);
}
