/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_namespace.c - NamespaceTransformer.
 *
 * metadata.namespace goes by what is known of kinds, not by field specs; subjects of role bindings by a mode of their
 * own; a Namespace object gets the new name (field spec metadata/name, for apiVersion v1 only).
 */
#include "namespace.h"
#include "cfg.h"
#include "fieldspec.h"

enum subject_mode { SUBJECTS_DEFAULT, SUBJECTS_ALL, SUBJECTS_NONE };

struct namespace_cfg {
	const pl_node *metadata, *specs;
	pl_str subjects;
	bool unset_only;
};

struct setter {
	pl_str ns;
	bool unset_only;
	enum subject_mode mode;
	struct field_index *index;
};

/* ---- one object ---- */

static bool has_value(const pl_node *n)
{
	/* A null counts as a value here; the reference never fills it. */
	return n && (pl_kind(n) == PL_NULL || pl_text(n).n || pl_kind(n) == PL_LIST || pl_kind(n) == PL_MAP);
}

static pl_status set_namespace(struct build *b, void *ctx, pl_node *parent, pl_str key, size_t item, pl_node **slot)
{
	const struct setter *s = ctx;
	(void)parent;
	(void)key;
	(void)item;
	if (s->unset_only && has_value(*slot) && pl_kind(*slot) != PL_LIST && pl_kind(*slot) != PL_MAP)
		return PL_OK;
	return field_set_string(b, slot, s->ns);
}

static pl_status set_in(struct build *b, const struct setter *s, pl_node *map, const char *key)
{
	pl_node *old = pl_gets(map, key), *now = old;
	if (s->unset_only && has_value(old))
		return PL_OK;
	pl_status st = field_set_string(b, &now, s->ns);
	return st ? st : pl_sets(b->doc, map, key, now);
}

static bool subject_counts(const struct setter *s, const pl_node *subject)
{
	const pl_node *n = pl_gets(subject, s->mode == SUBJECTS_ALL ? "kind" : "name");
	return n && str_is(pl_text(n), s->mode == SUBJECTS_ALL ? "ServiceAccount" : "default");
}

static pl_status set_subjects(struct build *b, const struct setter *s, pl_node *object)
{
	pl_node *subjects = pl_gets(object, "subjects");
	if (s->mode == SUBJECTS_NONE || !subjects || pl_kind(subjects) == PL_NULL)
		return PL_OK;
	if (pl_kind(subjects) != PL_LIST)
		return fail(b, PL_EINVAL, subjects, "'subjects' must be a list, but it is %s",
			    node_kind_name(subjects));
	for (size_t i = 0; i < pl_len(subjects); i++) {
		pl_node *subject = pl_item(subjects, i);
		if (pl_kind(subject) != PL_MAP && pl_kind(subject) != PL_NULL)
			return fail(b, PL_EINVAL, subject, "an item of 'subjects' must be a map, but it is %s",
				    node_kind_name(subject));
		pl_status st = subject_counts(s, subject) ? set_in(b, s, subject, "namespace") : PL_OK;
		if (st)
			return st;
	}
	return PL_OK;
}

static bool is_role_binding(pl_str kind)
{
	return str_is(kind, "RoleBinding") || str_is(kind, "ClusterRoleBinding");
}

/* Places that are not set by field specs, whatever these say. */
static bool passed_over(const struct fieldspec *f, const struct gvk *g)
{
	if (str_is(f->path, "metadata/namespace"))
		return true;
	if (str_is(f->path, "metadata/name"))
		return g->group.n || !str_is(g->version, "v1");
	return is_role_binding(g->kind) && is_role_binding(f->gvk.kind) && str_is(f->path, "subjects/namespace");
}

static pl_status set_specs(struct build *b, struct setter *s, pl_node *object, const struct gvk *g)
{
	const struct field_path *const *paths;
	size_t n = s->index ? field_index_find(b, s->index, g, &paths) : 0;
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < n; i++) {
		const struct fieldspec *f = paths[i]->spec;
		if (!passed_over(f, g))
			st = field_path_each(b, object, paths[i], f->create, PL_STRING, set_namespace, s);
	}
	return st;
}

static pl_status set_metadata(struct build *b, const struct setter *s, const struct resource *r)
{
	pl_node *meta = pl_gets(r->node, "metadata");
	if (gvk_cluster_scoped(b, &r->id.gvk))
		return PL_OK;
	if (!meta || pl_kind(meta) == PL_NULL) {
		meta = pl_new_map(b->doc);
		pl_status st = pl_sets(b->doc, r->node, "metadata", meta);
		if (st)
			return st;
	}
	return set_in(b, s, meta, "namespace");
}

static bool renamed(const struct resource *r)
{
	const pl_node *meta = pl_gets(r->node, "metadata");
	return !str_eq(pl_text(pl_gets(meta, "name")), r->id.name) ||
	       !str_eq(pl_text(pl_gets(meta, "namespace")), r->id.ns);
}

/* always: what has a former id is what references look for, so a transformer gives one to what stays as it is too. */
static pl_status set_object(struct build *b, struct setter *s, struct resmap *m, struct resource *r, bool always)
{
	pl_status st = set_metadata(b, s, r);
	if (!st && is_role_binding(r->id.gvk.kind))
		st = set_subjects(b, s, r->node);
	if (!st)
		st = set_specs(b, s, r->node, &r->id.gvk);
	if (st)
		return st;
	if (always || renamed(r))
		resource_remember(b, r);
	if (renamed(r))
		resource_refresh(b, m, r);
	return PL_OK;
}

pl_status namespace_set(struct build *b, struct resmap *m, struct resource *r, pl_str ns)
{
	return set_object(b, &(struct setter){.ns = ns}, m, r, false);
}

/* ---- what came out ---- */

static uint64_t id_hash(struct build *b, const struct id *id)
{
	uint64_t h = str_hash(id->name) * 31 + str_hash(id->gvk.kind);
	h = h * 31 + str_hash(id->gvk.group);
	h = h * 31 + str_hash(id->gvk.version);
	return h * 31 + str_hash(id_namespace(b, id));
}

static pl_status conflict(struct build *b, pl_str ns, const struct resource *x, const struct resource *y)
{
	pl_place at = pl_at(b->doc, x->node);
	fail(b, PL_EEXIST, y->node, "with namespace '%.*s' two resources have the id %.*s", F(ns),
	     F(id_text(b, &y->id)));
	pl_err_hint(b->err, "the other one is at %s:%u:%u", at.file ? at.file : "?", at.line, at.col);
	return PL_EEXIST;
}

/* Two objects that only their namespaces kept apart are one now: an error. */
static pl_status check_conflicts(struct build *b, pl_str ns, const struct resmap *m)
{
	size_t size = 16;
	while (size < 2 * (size_t)m->n)
		size *= 2;
	const struct resource **slots = arena_alloc(b->mem, size * sizeof(*slots));
	for (uint32_t i = 0; i < m->n; i++) {
		const struct resource *r = m->v[i];
		if (!r->node)
			continue;
		size_t at = id_hash(b, &r->id) & (size - 1);
		for (; slots[at]; at = (at + 1) & (size - 1)) {
			if (id_equal(&slots[at]->id, &r->id))
				return conflict(b, ns, slots[at], r);
		}
		slots[at] = r;
	}
	return PL_OK;
}

/* ---- configuration ---- */

static pl_status read_mode(struct build *b, pl_str text, const pl_node *at, enum subject_mode *out)
{
	static const char *const names[] = {
		[SUBJECTS_DEFAULT] = "defaultOnly", [SUBJECTS_ALL] = "allServiceAccounts", [SUBJECTS_NONE] = "none"};
	*out = SUBJECTS_DEFAULT;
	if (!text.n)
		return PL_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_is(text, names[i])) {
			*out = (enum subject_mode)i;
			return PL_OK;
		}
	}
	fail(b, PL_EINVAL, at,
	     "'setRoleBindingSubjects' must be 'defaultOnly', 'allServiceAccounts' or 'none', not '%.*s'", F(text));
	const char *near = str_nearest(text, names, sizeof(names) / sizeof(names[0]));
	if (near)
		pl_err_hint(b->err, "did you mean '%s'?", near);
	return PL_EINVAL;
}

pl_status transform_namespace(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			      struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"metadata", CFG_NODE, offsetof(struct namespace_cfg, metadata)},
		{"fieldSpecs", CFG_NODE, offsetof(struct namespace_cfg, specs)},
		{"unsetOnly", CFG_BOOL, offsetof(struct namespace_cfg, unset_only)},
		{"setRoleBindingSubjects", CFG_TEXT, offsetof(struct namespace_cfg, subjects)},
	};
	(void)t;
	struct namespace_cfg c = {0};
	struct fieldspecs specs = {0};
	struct setter s = {0};
	pl_status st = cfg_read_transformer(b, cfg, keys, 4, &c);
	if (!st)
		st = cfg_fieldspecs(b, c.specs, &specs);
	if (!st)
		st = read_mode(b, c.subjects, pl_gets(cfg, "setRoleBindingSubjects"), &s.mode);
	if (!st && pl_gets(c.metadata, "namespace"))
		st = cfg_text(b, pl_gets(c.metadata, "namespace"), "metadata.namespace", &s.ns);
	if (st || !s.ns.n)
		return st;
	s.unset_only = c.unset_only;
	s.index = field_index_new(b, fields && !c.specs ? &fields->ns : &specs);
	for (uint32_t i = 0; !st && i < m->n; i++) {
		if (m->v[i]->node)
			st = set_object(b, &s, m, m->v[i], true);
	}
	return st ? st : check_conflicts(b, s.ns, m);
}
