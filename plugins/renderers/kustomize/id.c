/* SPDX-License-Identifier: Apache-2.0 */
#include "kustomize.h"

pl_str scalar_text(const pl_node *n)
{
	int kind = pl_kind(n);
	return kind == PL_STRING || kind == PL_NUMBER || kind == PL_BOOL || kind == PL_PLAIN ? pl_text(n) : S("");
}

struct gvk gvk_of(const pl_node *object)
{
	struct gvk g = {.kind = scalar_text(pl_gets(object, "kind"))};
	pl_str rest = scalar_text(pl_gets(object, "apiVersion"));
	pl_str head = str_cut(&rest, '/');
	g.group = rest.p ? head : S("");
	g.version = rest.p ? rest : head;
	return g;
}

bool gvk_equal(const struct gvk *a, const struct gvk *b)
{
	return str_eq(a->kind, b->kind) && str_eq(a->group, b->group) && str_eq(a->version, b->version);
}

bool gvk_selects(const struct gvk *selector, const struct gvk *g)
{
	return (!selector->kind.n || str_eq(selector->kind, g->kind)) &&
	       (!selector->group.n || str_eq(selector->group, g->group)) &&
	       (!selector->version.n || str_eq(selector->version, g->version));
}

bool gvk_cluster_scoped(const struct build *b, const struct gvk *g)
{
	/* A schema of one's own hides the built-in fields, but not the scopes that are known. */
	int scope = pl_types_scope(NULL, g->group, g->version, g->kind);
	if (scope == PL_SCOPE_UNKNOWN && b->types)
		scope = pl_types_scope(b->types, g->group, g->version, g->kind);
	return scope == PL_SCOPE_CLUSTER;
}

static pl_str default_namespace(pl_str ns)
{
	return ns.n ? ns : S("default");
}

bool id_equal(const struct id *a, const struct id *b)
{
	return str_eq(a->name, b->name) && gvk_equal(&a->gvk, &b->gvk) &&
	       (a->cluster || b->cluster || str_eq(default_namespace(a->ns), default_namespace(b->ns)));
}

pl_str id_namespace(const struct build *b, const struct id *id)
{
	if (id->cluster || gvk_cluster_scoped(b, &id->gvk))
		return S("_non_namespaceable_");
	return default_namespace(id->ns);
}

static pl_str or_mark(pl_str s, const char *mark)
{
	return s.n ? s : str_of(mark);
}

pl_str id_text(struct build *b, const struct id *id)
{
	const struct gvk *g = &id->gvk;
	return arena_printf(b->mem, "%.*s.%.*s.%.*s/%.*s.%.*s", F(or_mark(g->kind, "[noKind]")),
			    F(or_mark(g->version, "[noVer]")), F(or_mark(g->group, "[noGrp]")),
			    F(or_mark(id->name, "[noName]")), F(or_mark(id->ns, "[noNs]")));
}
