/* SPDX-License-Identifier: Apache-2.0 */
/*
 * references.c - fields that hold another resource's name follow it when it gets a new one.
 *
 * A field holds a former name of what it refers to. Of the resources that were called so and were of the kind, those
 * that the referrer can see are taken; several of them are told apart by the prefixes and suffixes that they share with
 * the referrer.
 */
#include "references.h"
#include "fieldpath.h"
#include "fieldspec.h"

struct fixer {
	struct build *b;
	struct names *names;
	struct candidates found; /* reused */
	bool narrowed;		 /* what is found is not all: at least two were there */
	/* of the present referrer */
	struct resource *r;
	bool cluster;
	pl_str ns;
	struct strings account_ns; /* a RoleBinding's subjects: namespaces of service accounts */
	struct gvk role;	   /* its roleRef */
	bool has_role;
	bool read_binding;
};

/* ---- what a referrer can see ---- */

static void read_role(struct fixer *f)
{
	const pl_node *role = pl_gets(f->r->node, "roleRef");
	const pl_node *group = pl_gets(role, "apiGroup"), *kind = pl_gets(role, "kind");
	f->has_role = group && kind && pl_kind(group) != PL_NULL && pl_kind(kind) != PL_NULL;
	f->role = (struct gvk){.group = pl_text(group), .kind = pl_text(kind)};
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const pl_str *)x, *(const pl_str *)y);
}

static pl_status blank_namespace(struct fixer *f, const pl_node *ns)
{
	fail(f->b, PL_EINVAL, ns,
	     "the 'namespace' of a ServiceAccount among a RoleBinding's 'subjects' must be a text");
	pl_err_hint(f->b->err, "write the namespace in quotes, or leave the field away");
	return PL_EINVAL;
}

static pl_status read_accounts(struct fixer *f)
{
	const pl_node *subjects = pl_gets(f->r->node, "subjects");
	f->account_ns.n = 0;
	if (!str_is(f->r->id.gvk.kind, "RoleBinding") || pl_kind(subjects) != PL_LIST)
		return PL_OK;
	for (size_t i = 0; i < pl_len(subjects); i++) {
		const pl_node *s = pl_item(subjects, i), *field = pl_gets(s, "namespace");
		pl_str ns = pl_text(field);
		struct strings *l = &f->account_ns;
		if (!field || !str_is(pl_text(pl_gets(s, "kind")), "ServiceAccount"))
			continue;
		if (!f->cluster && pl_kind(field) != PL_STRING)
			return blank_namespace(f, field);
		if (!ns.n || (l->n && str_eq(l->v[l->n - 1], ns)))
			continue;
		l->v = arena_grow(f->b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
		l->v[l->n++] = ns;
	}
	if (f->account_ns.n > 1)
		qsort(f->account_ns.v, f->account_ns.n, sizeof(pl_str), by_text);
	return PL_OK;
}

/* As they were before any of its fields changed. */
static pl_status read_binding(struct fixer *f)
{
	if (f->read_binding)
		return PL_OK;
	f->read_binding = true;
	read_role(f);
	return read_accounts(f);
}

static bool in_account_ns(const struct fixer *f, pl_str ns)
{
	return f->account_ns.n && bsearch(&ns, f->account_ns.v, f->account_ns.n, sizeof(ns), by_text);
}

static bool visible(const struct fixer *f, const struct resource *c)
{
	if (f->cluster || names_cluster(f->names, c) || str_eq(names_ns(f->names, c, NS_CURRENT), f->ns))
		return true;
	return str_is(c->id.gvk.kind, "ServiceAccount") && in_account_ns(f, c->id.ns);
}

/* ---- candidates ---- */

static bool was_selected(const struct resource *c, const struct gvk *want)
{
	for (uint32_t i = 0; i < c->n_previous; i++) {
		if (gvk_selects(want, &c->previous[i].gvk))
			return true;
	}
	return false;
}

struct question {
	const struct gvk *target;
	const struct gvk *role; /* NULL: not asked for */
	pl_str name;
	const pl_node *ns; /* the namespace beside the name, or NULL */
};

static bool takes(const struct fixer *f, const struct question *q, const struct resource *c)
{
	return was_selected(c, q->target) && (!q->role || was_selected(c, q->role)) && visible(f, c);
}

static void take_each(struct fixer *f, const struct question *q, const struct candidates *from)
{
	struct candidates *l = &f->found;
	for (uint32_t i = 0; i < from->n; i++) {
		if (!takes(f, q, from->v[i]))
			continue;
		l->v = arena_grow(f->b->mem, l->v, l->n, &l->cap, sizeof(struct resource *));
		l->v[l->n++] = from->v[i];
	}
}

static bool two_or_more(const struct fixer *f, const struct question *q, const struct candidates *from)
{
	uint32_t n = 0;
	for (uint32_t i = 0; n < 2 && i < from->n; i++)
		n += takes(f, q, from->v[i]);
	return n == 2;
}

/*
 * Of a long list only those that can share the referrer's context: a reference costs no more the more bases have the
 * same names. The referrer without prefix and suffix shares it with its like alone.
 */
static void take_near(struct fixer *f, const struct question *q, struct candidates *from)
{
	const struct strings *p = &f->r->prefixes, *s = &f->r->suffixes;
	const struct candidates *by_prefix = names_bucket(f->b, from, true, p->n ? p->v[p->n - 1] : S(""));
	const struct candidates *by_suffix = names_bucket(f->b, from, false, s->n ? s->v[s->n - 1] : S(""));
	bool prefix = p->n && (!s->n || by_prefix->n <= by_suffix->n);
	f->narrowed = true;
	if (!p->n && !s->n) {
		take_each(f, q, by_prefix->n <= by_suffix->n ? by_prefix : by_suffix);
		return;
	}
	take_each(f, q, prefix ? by_prefix : by_suffix);
	take_each(f, q, names_bucket(f->b, from, prefix, S("")));
}

static void take(struct fixer *f, const struct question *q, struct candidates *from)
{
	enum { MANY = 16 };
	if (!from)
		return;
	if (from->n > MANY && two_or_more(f, q, from))
		take_near(f, q, from);
	else
		take_each(f, q, from);
}

static int by_place(const void *x, const void *y)
{
	const struct resource *a = *(struct resource *const *)x, *b = *(struct resource *const *)y;
	return a->at < b->at ? -1 : a->at > b->at;
}

static void sort_found(struct candidates *l)
{
	uint32_t n = 0;
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(struct resource *), by_place);
	for (uint32_t i = 0; i < l->n; i++) {
		if (!n || l->v[n - 1] != l->v[i])
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

static const pl_str no_ns = {"_non_namespaceable_", 19};

static void ask(struct fixer *f, const struct question *q, enum ns_of which, pl_str ns)
{
	take(f, q, names_find(f->b, f->names, q->name, q->target->kind, which, ns));
}

static bool began_in_sight(const struct fixer *f, pl_str ns)
{
	if (names_moved(f->names, ns, &f->ns) || names_moved(f->names, ns, &no_ns) ||
	    (in_account_ns(f, ns) && names_moved(f->names, ns, &ns)))
		return true;
	for (uint32_t i = 0; i < f->account_ns.n; i++) {
		if (names_moved(f->names, ns, &f->account_ns.v[i]))
			return true;
	}
	return false;
}

/* A namespace is written beside the name: what began there, or else what is there now. */
static void ask_in(struct fixer *f, const struct question *q, pl_str ns)
{
	if (str_eq(ns, no_ns))
		return;
	bool began = names_moved(f->names, ns, NULL);
	if (began && !f->cluster)
		began = began_in_sight(f, ns);
	ask(f, q, began ? NS_ORIGINAL : NS_CURRENT, ns);
}

static void collect(struct fixer *f, const struct question *q)
{
	f->found.n = 0;
	f->narrowed = false;
	if (q->ns) {
		ask_in(f, q, pl_text(q->ns));
	} else if (f->cluster) {
		ask(f, q, NS_ANY, S(""));
	} else {
		ask(f, q, NS_CURRENT, f->ns);
		ask(f, q, NS_CURRENT, no_ns);
		for (uint32_t i = 0; i < f->account_ns.n; i++)
			ask(f, q, NS_CURRENT, f->account_ns.v[i]);
	}
	sort_found(&f->found);
}

/* ---- telling them apart ---- */

static bool same_ending(const struct strings *a, const struct strings *b)
{
	uint32_t n = a->n < b->n ? a->n : b->n;
	if (!n)
		return a->n == b->n;
	for (uint32_t i = 1; i <= n; i++) {
		if (!str_eq(a->v[a->n - i], b->v[b->n - i]))
			return false;
	}
	return true;
}

static bool same_context(const struct strings *a, const struct strings *b, bool empty_matches)
{
	return (empty_matches && (!a->n || !b->n)) || same_ending(a, b);
}

static void sieve(struct fixer *f, bool empty_matches)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < f->found.n; i++) {
		struct resource *c = f->found.v[i];
		if (same_context(&c->prefixes, &f->r->prefixes, empty_matches) &&
		    same_context(&c->suffixes, &f->r->suffixes, empty_matches))
			f->found.v[n++] = c;
	}
	f->found.n = n;
}

static bool all_alike(const struct candidates *l, bool with_ns)
{
	for (uint32_t i = 1; i < l->n; i++) {
		if (!str_eq(l->v[i]->id.name, l->v[0]->id.name) || (with_ns && !str_eq(l->v[i]->id.ns, l->v[0]->id.ns)))
			return false;
	}
	return true;
}

static pl_status ambiguous(struct fixer *f, const struct question *q, const pl_node *at)
{
	enum { SHOWN = 5 };
	pl_str list = S("");
	for (uint32_t i = 0; i < f->found.n && i < SHOWN; i++)
		list = arena_printf(f->b->mem, "%.*s%s%.*s", F(list), i ? ", " : "",
				    F(id_text(f->b, &f->found.v[i]->id)));
	fail(f->b, PL_EINVAL, at, "'%.*s' could be any of %u resources: %.*s%s", F(q->name), f->found.n, F(list),
	     f->found.n > SHOWN ? " …" : "");
	pl_err_hint(f->b->err, "write the whole new name, or give them different names where they are defined");
	return PL_EINVAL;
}

/* *out NULL: nothing to do. */
static pl_status choose(struct fixer *f, const struct question *q, bool with_ns, const pl_node *at,
			struct resource **out)
{
	collect(f, q);
	bool bare = !f->r->prefixes.n && !f->r->suffixes.n;
	if (f->found.n > 1 || f->narrowed)
		sieve(f, !(bare && f->narrowed));
	if (f->found.n > 1)
		sieve(f, false);
	*out = f->found.n ? f->found.v[0] : NULL;
	return f->found.n < 2 || all_alike(&f->found, with_ns) ? PL_OK : ambiguous(f, q, at);
}

/* ---- fields ---- */

/* A name that was written without quotes is read again as one without quotes. */
static pl_node *name_node(struct build *b, const pl_node *old, pl_str name)
{
	int style = pl_style(old);
	bool quoted = old && style != PL_STYLE_PLAIN && style != PL_STYLE_ANY;
	pl_node *n = quoted ? pl_new_string(b->doc, name) : plain_scalar(b, name);
	if (old) {
		pl_set_at(b->doc, n, b->doc, old);
		pl_set_style(n, style);
	}
	return n;
}

/* In all places of the old one: see resource.shares. */
static pl_node *renamed(struct build *b, pl_node *old, pl_str name)
{
	pl_node *n = name_node(b, old, name);
	return old && pl_become(b->doc, old, n) == PL_OK ? old : n;
}

static pl_status fix_scalar(struct fixer *f, struct question *q, pl_node **slot)
{
	struct resource *to;
	q->name = pl_text(*slot);
	q->ns = NULL;
	pl_status st = choose(f, q, false, *slot, &to);
	if (!st && to && to->id.name.n && !str_eq(to->id.name, q->name))
		*slot = renamed(f->b, *slot, to->id.name);
	return st;
}

static pl_status put(struct fixer *f, pl_node *map, const char *key, pl_str text)
{
	pl_status st = pl_sets(f->b->doc, map, key, renamed(f->b, pl_gets(map, key), text));
	return st ? fail(f->b, st, map, "'%s' can't be set: %s", key, pl_status_name(st)) : PL_OK;
}

/* A map with a name and perhaps a namespace. */
static pl_status fix_map(struct fixer *f, struct question *q, pl_node *map)
{
	struct resource *to;
	const pl_node *name = pl_gets(map, "name");
	if (!name) {
		fail(f->b, PL_EINVAL, map, "a name reference leads to a map without a 'name' field");
		pl_err_hint(f->b->err, "its path should go on with '/name', or end at a map that has one");
		return PL_EINVAL;
	}
	q->name = pl_text(name);
	q->ns = pl_gets(map, "namespace");
	pl_status st = choose(f, q, true, name, &to);
	if (st || !to || (str_eq(to->id.name, q->name) && !to->id.ns.n))
		return st;
	st = put(f, map, "name", to->id.name);
	return st || !to->id.ns.n ? st : put(f, map, "namespace", to->id.ns);
}

static pl_status fix_list(struct fixer *f, struct question *q, pl_node *list)
{
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < pl_len(list); i++) {
		pl_node *n = pl_item(list, i), *was = n;
		int kind = pl_kind(n);
		if (kind == PL_LIST)
			return fail(f->b, PL_EINVAL, n, "a name reference leads to a list in a list");
		if (kind == PL_MAP)
			st = fix_map(f, q, n);
		else if (kind != PL_NULL)
			st = fix_scalar(f, q, &n);
		if (!st && n != was)
			st = pl_set_item(f->b->doc, list, i, n);
	}
	return st;
}

static pl_status fix_field(struct build *b, void *ctx, const struct fieldspec *spec, const void *payload,
			   pl_node **slot)
{
	struct fixer *f = ctx;
	const struct name_reference *to = payload;
	struct question q = {.target = &to->gvk};
	(void)b;
	pl_status st = read_binding(f);
	if (st)
		return st;
	if (f->has_role && str_ends(spec->path, S("roleRef/name")))
		q.role = &f->role;
	switch (pl_kind(*slot)) {
	case PL_MAP:
		return fix_map(f, &q, *slot);
	case PL_LIST:
		return fix_list(f, &q, *slot);
	default:
		return fix_scalar(f, &q, slot);
	}
}

static pl_status fix_resource(struct fixer *f, struct spec_forest *forest, struct resource *r)
{
	const struct spec_tree *tree = forest_tree(f->b, forest, &resource_original(r)->gvk);
	f->r = r;
	f->cluster = names_cluster(f->names, r);
	f->ns = names_ns(f->names, r, NS_CURRENT);
	f->read_binding = false;
	if (!tree_walk(f->b, tree, r->node, fix_field, f))
		return PL_OK;
	pl_str id = id_text(f->b, &r->id);
	return pl_err_in(f->b->err, "updating name references of %.*s", F(id));
}

pl_status fix_references(struct build *b, const struct config *c, struct resmap *m)
{
	struct fixer f = {.b = b};
	struct spec_forest *forest = forest_new(b);
	for (uint32_t i = 0; i < c->n_references; i++) {
		const struct name_reference *n = &c->references[i];
		for (uint32_t k = 0; k < n->referrers.n; k++)
			forest_add(b, forest, &n->referrers.v[k], n);
	}
	f.names = names_new(b, m);
	for (uint32_t i = 0; i < m->n; i++) {
		pl_status st = m->v[i]->node ? fix_resource(&f, forest, m->v[i]) : PL_OK;
		if (st)
			return st;
	}
	return PL_OK;
}
