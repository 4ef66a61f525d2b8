/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces settled: namespaced kinds get the application's where they name none, cluster-scoped ones lose theirs. */
#include "core/engine/internal.h"

struct crd {
	pl_str group, kind;
	enum scope scope;
};

struct scopes {
	struct app *a;
	struct crd *crds; /* of the render itself */
	size_t n;
};

static enum scope scope_of(const struct scopes *s, const pl_ref *ref)
{
	struct applier *ap;
	enum scope scope = scope_known(ref->group, ref->kind);
	for (size_t i = 0; scope == SCOPE_UNKNOWN && i < s->n; i++)
		if (str_eq(s->crds[i].group, ref->group) && str_eq(s->crds[i].kind, ref->kind))
			scope = s->crds[i].scope;
	if (scope != SCOPE_UNKNOWN)
		return scope;
	pl_kind_info info = {.size = sizeof(info)};
	if (!target_open(s->a->target, &ap, NULL) && !applier_describe(ap, ref, &info, NULL) && info.known)
		return info.namespaced ? SCOPE_NAMESPACED : SCOPE_CLUSTER;
	log_line(s->a->g->o.log, LOG_WARN, str_of(s->a->name),
		 "nothing tells whether %.*s %.*s has namespaces: taken as namespaced", F(ref->group), F(ref->kind));
	return SCOPE_NAMESPACED;
}

static pl_status set_namespace(pl_doc *doc, pl_node *n, pl_str ns, struct pl_err *e)
{
	pl_node *meta = pl_gets(n, "metadata");
	if (!ns.n) {
		pl_status st = pl_remove(doc, meta, S("namespace"));
		return st == PL_ENOTFOUND ? PL_OK : st;
	}
	pl_status st = pl_sets(doc, meta, "namespace", pl_new_string(doc, ns));
	return st ? pl_err_set(e, st, pl_at(doc, meta), "metadata.namespace can't be set") : PL_OK;
}

static pl_status settle_one(const struct scopes *s, pl_node *n, struct arena *mem, pl_doc *doc,
			    struct plan_desired *out, struct pl_err *e)
{
	char hex[HASH_TEXT];
	pl_ref ref;
	pl_status st = ref_of(doc, n, &ref, e);
	if (st)
		return st;
	pl_str ns = ref.ns;
	if (scope_of(s, &ref) == SCOPE_CLUSTER)
		ns = (pl_str){0};
	else if (!ns.n)
		ns = s->a->c->ns.n ? s->a->c->ns : S("default");
	if (!str_eq(ns, ref.ns))
		st = set_namespace(doc, n, ns, e);
	ref.ns = ns;
	out->ref = ref_dup(mem, &ref);
	if (!st)
		st = node_digest(n, hex, e);
	if (st)
		return st;
	out->node = n;
	out->hash = arena_dup(mem, str_of(hex));
	out->at = pl_at(doc, n);
	return PL_OK;
}

pl_status settle(struct app *a, const struct nodes *in, struct arena *mem, pl_doc *doc, struct rendered *out,
		 struct pl_err *e)
{
	struct scopes s = {.a = a, .crds = arena_array(mem, in->n, sizeof(*s.crds))};
	pl_status st = PL_OK;
	for (size_t i = 0; i < in->n; i++) {
		struct crd *c = &s.crds[s.n];
		c->scope = scope_of_crd(in->v[i], &c->group, &c->kind);
		if (c->scope != SCOPE_UNKNOWN)
			s.n++;
	}
	out->desired = arena_array(mem, in->n, sizeof(*out->desired));
	out->n = in->n;
	for (size_t i = 0; !st && i < in->n; i++)
		st = settle_one(&s, in->v[i], mem, doc, &out->desired[i], e);
	return st;
}
