/* SPDX-License-Identifier: Apache-2.0 */
/* transform_replicas.c - ReplicaCountTransformer. */
#include "cfg.h"
#include "fieldspec.h"

#include <inttypes.h>

struct replicas_cfg {
	const pl_node *replica, *specs;
};

struct replica {
	pl_str name;
	int64_t count;
};

struct setter {
	pl_str count;
	const pl_node *at;
};

static pl_status set_count(struct build *b, void *ctx, pl_node *parent, pl_str key, size_t item, pl_node **slot)
{
	(void)parent;
	(void)key;
	(void)item;
	const struct setter *s = ctx;
	pl_status st = field_set_plain(b, slot, s->count);
	if (!st && !pl_at(b->doc, *slot).line) /* a new field: a number, whatever comes later: see replacement.c */
		pl_set_at(b->doc, *slot, b->doc, s->at);
	return st;
}

static bool id_matches(const struct id *id, const struct fieldspec *f, pl_str name)
{
	return str_eq(id->name, name) && gvk_selects(&f->gvk, &id->gvk);
}

static bool was_called(const struct resource *r, const struct fieldspec *f, pl_str name)
{
	for (uint32_t i = 0; i < r->n_previous; i++) {
		if (id_matches(&r->previous[i], f, name))
			return true;
	}
	return id_matches(&r->id, f, name);
}

static pl_status not_found(struct build *b, const pl_node *at, pl_str name, const struct fieldspecs *specs)
{
	pl_str kinds = {0};
	for (uint32_t i = 0; i < specs->n && i < 8; i++) {
		pl_str kind = specs->v[i].gvk.kind.n ? specs->v[i].gvk.kind : S("any kind");
		kinds = arena_printf(b->mem, "%.*s%s%.*s", F(kinds), i ? ", " : "", F(kind));
	}
	return fail(b, PL_ENOTFOUND, at, "no resource is called '%.*s' (looked for: %.*s)", F(name), F(kinds));
}

static pl_status set_replicas(struct build *b, const struct replica *rep, const pl_node *at,
			      const struct fieldspecs *specs, struct resmap *m)
{
	struct resource *const *named;
	struct setter s = {arena_printf(b->mem, "%" PRId64, rep->count), at};
	size_t n = resmap_named(b, m, rep->name, &named);
	bool found = false;
	for (uint32_t i = 0; i < specs->n; i++) {
		for (size_t j = 0; j < n; j++) {
			if (!named[j]->node || !was_called(named[j], &specs->v[i], rep->name))
				continue;
			found = true;
			pl_status st = fieldspec_each(b, named[j]->node, &specs->v[i], PL_STRING, set_count, &s);
			if (st)
				return st;
		}
	}
	return found ? PL_OK : not_found(b, at, rep->name, specs);
}

pl_status transform_replicas(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			     struct resmap *m)
{
	static const struct cfg_key outer[] = {
		{"replica", CFG_NODE, offsetof(struct replicas_cfg, replica)},
		{"fieldSpecs", CFG_NODE, offsetof(struct replicas_cfg, specs)},
	};
	static const struct cfg_key keys[] = {
		{"name", CFG_TEXT, offsetof(struct replica, name)},
		{"count", CFG_INT, offsetof(struct replica, count)},
	};
	(void)t;
	struct replicas_cfg c = {0};
	struct replica rep = {0};
	struct fieldspecs specs = {0};
	pl_status st = cfg_read_transformer(b, cfg, outer, 2, &c);
	if (!st && c.replica)
		st = cfg_read(b, c.replica, "replica", keys, 2, CFG_WARN, &rep);
	if (!st)
		st = cfg_fieldspecs(b, c.specs, &specs);
	if (st)
		return st;
	return set_replicas(b, &rep, c.replica ? c.replica : cfg, fields && !c.specs ? &fields->replicas : &specs, m);
}
