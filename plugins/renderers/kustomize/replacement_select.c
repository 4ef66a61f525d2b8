/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replacement_select.c - which resources a replacement's target means.
 *
 * Other than a patch's target it is tried on every id that a resource has or had, each as a whole.
 */
#include "cfg.h"
#include "replacement.h"
#include "select.h"

struct ids {
	struct pattern group, version, kind, name, ns;
};

struct repl_select {
	struct ids ids;
	bool any_id;				   /* none of ids is given */
	struct requirements *labels, *annotations; /* NULL: none are asked for */
};

/* ---- reading ---- */

struct select_keys {
	pl_str group, version, kind, name, ns, labels, annotations;
};

static pl_status patterns_read(struct build *b, const pl_node *n, const struct select_keys *k, struct repl_select *s)
{
	const struct {
		const char *field;
		pl_str text;
		struct pattern *out;
	} all[] = {{"group", k->group, &s->ids.group},
		   {"version", k->version, &s->ids.version},
		   {"kind", k->kind, &s->ids.kind},
		   {"name", k->name, &s->ids.name},
		   {"namespace", k->ns, &s->ids.ns}};
	s->any_id = true;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const pl_node *at = pl_gets(n, all[i].field);
		pl_status st = pattern_read(b, at ? at : n, all[i].field, all[i].text, all[i].out);
		s->any_id &= !all[i].text.n;
		if (st)
			return st;
	}
	return PL_OK;
}

pl_status repl_select_read(struct build *b, const pl_node *n, bool strict, const char *what, struct repl_select **out)
{
	static const struct cfg_key keys[] = {
		{"group", CFG_TEXT, offsetof(struct select_keys, group)},
		{"version", CFG_TEXT, offsetof(struct select_keys, version)},
		{"kind", CFG_TEXT, offsetof(struct select_keys, kind)},
		{"name", CFG_TEXT, offsetof(struct select_keys, name)},
		{"namespace", CFG_TEXT, offsetof(struct select_keys, ns)},
		{"labelSelector", CFG_TEXT, offsetof(struct select_keys, labels)},
		{"annotationSelector", CFG_TEXT, offsetof(struct select_keys, annotations)},
	};
	struct select_keys k = {0};
	struct repl_select *s = arena_alloc(b->mem, sizeof(*s));
	pl_status st = cfg_read(b, n, what, keys, sizeof(keys) / sizeof(*keys), strict ? CFG_REFUSE : CFG_WARN, &k);
	*out = s;
	if (!st)
		st = patterns_read(b, n, &k, s);
	if (!st)
		st = requirements_read(b, pl_gets(n, "labelSelector"), "labelSelector", k.labels, &s->labels);
	if (!st)
		st = requirements_read(b, pl_gets(n, "annotationSelector"), "annotationSelector", k.annotations,
				       &s->annotations);
	return st;
}

/* ---- matching ---- */

static bool id_matches(const struct ids *p, const struct id *id, pl_str ns)
{
	return pattern_matches(&p->name, id->name) && pattern_matches(&p->kind, id->gvk.kind) &&
	       pattern_matches(&p->group, id->gvk.group) && pattern_matches(&p->version, id->gvk.version) &&
	       pattern_matches(&p->ns, ns);
}

static bool ids_match(struct build *b, const struct ids *p, const struct resource *r)
{
	if (id_matches(p, &r->id, r->id.ns.n ? r->id.ns : S("default")))
		return true;
	for (uint32_t i = 0; i < r->n_previous; i++) {
		const struct id *id = &r->previous[i];
		if (id_matches(p, id, p->ns.text.n ? id_namespace(b, id) : S("")))
			return true;
	}
	return false;
}

static bool labels_match(const struct repl_select *s, const struct resource *r)
{
	const pl_node *meta = pl_gets(r->node, "metadata");
	return requirements_hold(s->labels, pl_gets(meta, "labels")) &&
	       requirements_hold(s->annotations, pl_gets(meta, "annotations"));
}

bool repl_select_matches(struct build *b, const struct repl_select *s, const struct resource *r)
{
	return r->node && ids_match(b, &s->ids, r) && labels_match(s, r);
}

/* What is said of ids and what is said of labels reject each on their own. */
bool repl_select_rejects(struct build *b, const struct repl_select *s, const struct resource *r)
{
	return (!s->any_id && ids_match(b, &s->ids, r)) || ((s->labels || s->annotations) && labels_match(s, r));
}

size_t repl_select_from(struct build *b, const struct repl_select *s, struct resmap *m, struct resource *const **out)
{
	if (s->ids.name.literal && s->ids.name.text.n)
		return resmap_named(b, m, s->ids.name.text, out);
	*out = m->v;
	return m->n;
}
