/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the tables of field specs: adding to them, merging them. */
#include "order.h"

/* Each new one is compared with those that are there, and each kind of resources looks at all of them. */
enum { SPECS_MAX = 4096 };

/* ---- lists of field specs ---- */

/*
 * The same place twice: the one that is there is of the kinds that the new one selects. (So a later, narrower spec of
 * the same path is another place, as in the reference.)
 */
static const struct fieldspec *find_spec(const struct fieldspecs *l, const struct fieldspec *f)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (str_eq(l->v[i].path, f->path) && gvk_selects(&f->gvk, &l->v[i].gvk))
			return &l->v[i];
	}
	return NULL;
}

static pl_str kinds_text(struct build *b, const struct gvk *g)
{
	if (!g->group.n && !g->version.n && !g->kind.n)
		return S("all kinds");
	return arena_printf(b->mem, "%.*s%s%.*s%s%.*s", F(g->kind), g->version.n ? "." : "", F(g->version),
			    g->group.n ? "." : "", F(g->group));
}

pl_status fieldspecs_add(struct build *b, struct fieldspecs *l, const struct fieldspec *f, const pl_node *at)
{
	const struct fieldspec *old = find_spec(l, f);
	if (old && old->create == f->create)
		return PL_OK;
	if (old) {
		const pl_node *place = f->at ? f->at : old->at ? old->at : at;
		fail(b, PL_EINVAL, place, "conflicting field specs: '%.*s' of %.*s has 'create: %s', here it is '%s'",
		     F(f->path), F(kinds_text(b, &old->gvk)), old->create ? "true" : "false",
		     f->create ? "true" : "false");
		pl_err_hint(b->err, "say 'create: %s' as well, or name narrower kinds", old->create ? "true" : "false");
		return PL_EINVAL;
	}
	if (l->n >= SPECS_MAX)
		return fail(b, PL_ETOOBIG, f->at ? f->at : at, "more than %d field specs of one sort", SPECS_MAX);
	/* A shared list (cap 0) is copied by the first growth. */
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = *f;
	return PL_OK;
}

static int spec_cmp(const struct fieldspec *x, const struct fieldspec *y)
{
	return gvk_cmp(&kind_order_default, &x->gvk, &y->gvk);
}

/* Merges the sorted halves v[0..mid) and v[mid..n); equal ones keep their order. */
static void merge_halves(struct fieldspec *v, size_t mid, size_t n, struct fieldspec *tmp)
{
	memcpy(tmp, v, mid * sizeof(*v));
	size_t i = 0, j = mid, k = 0;
	while (i < mid && j < n) {
		if (spec_cmp(&tmp[i], &v[j]) <= 0)
			v[k++] = tmp[i++];
		else
			v[k++] = v[j++];
	}
	memcpy(v + k, tmp + i, (mid - i) * sizeof(*v));
}

static void sort_specs(struct fieldspec *v, size_t n, struct fieldspec *tmp)
{
	if (n < 2)
		return;
	sort_specs(v, n / 2, tmp);
	sort_specs(v + n / 2, n - n / 2, tmp);
	merge_halves(v, n / 2, n, tmp);
}

/* The list in the order of kinds, the special ones of a path before the general ones. */
static void sort_list(struct build *b, struct fieldspecs *l)
{
	uint32_t i = 1;
	while (i < l->n && spec_cmp(&l->v[i - 1], &l->v[i]) <= 0)
		i++;
	if (i >= l->n)
		return;
	if (!l->cap) { /* shared */
		struct fieldspec *own = arena_alloc(b->mem, l->n * sizeof(*own));
		memcpy(own, l->v, l->n * sizeof(*own));
		*l = (struct fieldspecs){own, l->n, l->n};
	}
	sort_specs(l->v, l->n, arena_alloc(b->mem, l->n * sizeof(*l->v)));
}

static pl_status add_specs(struct build *b, struct fieldspecs *into, const struct fieldspecs *from, const pl_node *at)
{
	if (into->v == from->v && into->n >= from->n)
		return PL_OK;
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < from->n; i++)
		st = fieldspecs_add(b, into, &from->v[i], at);
	return st;
}

/* ---- name references ---- */

static struct name_reference *find_reference(struct config *c, const struct gvk *g)
{
	for (uint32_t i = 0; i < c->n_references; i++) {
		if (gvk_equal(&c->references[i].gvk, g))
			return &c->references[i];
	}
	return NULL;
}

/* References are followed in the order of the kinds referred to; the list is kept in it. */
static struct name_reference *insert_reference(struct build *b, struct config *c, const struct gvk *g)
{
	c->references = arena_grow(b->mem, c->references, c->n_references, &c->cap_references, sizeof(*c->references));
	uint32_t i = c->n_references++;
	for (; i > 0 && gvk_cmp(&kind_order_default, &c->references[i - 1].gvk, g) > 0; i--)
		c->references[i] = c->references[i - 1];
	c->references[i] = (struct name_reference){.gvk = *g};
	return &c->references[i];
}

static void own_references(struct build *b, struct config *c)
{
	if (c->cap_references >= c->n_references && c->cap_references)
		return;
	struct name_reference *v = arena_alloc(b->mem, (c->n_references + 4) * sizeof(*v));
	if (c->n_references)
		memcpy(v, c->references, c->n_references * sizeof(*v));
	for (uint32_t i = 0; i < c->n_references; i++)
		v[i].referrers.cap = 0;
	c->references = v;
	c->cap_references = c->n_references + 4;
}

static pl_status merge_references(struct build *b, struct config *into, const struct config *from, const pl_node *at)
{
	if (!from->references || (into->references == from->references && into->n_references >= from->n_references))
		return PL_OK;
	own_references(b, into);
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < from->n_references; i++) {
		const struct name_reference *r = &from->references[i];
		struct name_reference *mine = find_reference(into, &r->gvk);
		if (mine)
			st = add_specs(b, &mine->referrers, &r->referrers, at);
		else if (into->n_references >= SPECS_MAX)
			st = fail(b, PL_ETOOBIG, at, "names of more than %d kinds are referred to", SPECS_MAX);
		else
			insert_reference(b, into, &r->gvk)->referrers =
				(struct fieldspecs){r->referrers.v, r->referrers.n, 0};
	}
	return st ? pl_err_in(b->err, "merging field specs of 'nameReference'") : PL_OK;
}

/* ---- configurations ---- */

static const struct {
	const char *name;
	size_t offset;
} tables[] = {
	{"namePrefix", offsetof(struct config, name_prefix)},
	{"nameSuffix", offsetof(struct config, name_suffix)},
	{"namespace", offsetof(struct config, ns)},
	{"commonAnnotations", offsetof(struct config, annotations)},
	{"commonLabels", offsetof(struct config, labels)},
	{"labels", offsetof(struct config, plain_labels)},
	{"templateLabels", offsetof(struct config, template_labels)},
	{"volumeClaimTemplateLabels", offsetof(struct config, claim_labels)},
	{"varReference", offsetof(struct config, vars)},
	{"images", offsetof(struct config, images)},
	{"replicas", offsetof(struct config, replicas)},
};
enum { N_TABLES = sizeof(tables) / sizeof(tables[0]) };

static struct fieldspecs *table_of(struct config *c, size_t i)
{
	return (struct fieldspecs *)(void *)((char *)c + tables[i].offset);
}

struct config *config_copy(struct build *b, const struct config *c)
{
	struct config *out = arena_alloc(b->mem, sizeof(*out));
	*out = *c;
	/* Shared until something is added; see fieldspecs_add() and own_references(). */
	for (size_t i = 0; i < N_TABLES; i++)
		table_of(out, i)->cap = 0;
	out->cap_references = 0;
	return out;
}

/*
 * Each table of from is added to that of into, then sorted. So where a general spec comes after a special one of the
 * same path, as in a sorted list that is added to an empty one, it is taken for the same place and left out: the
 * reference's behaviour. The built-in tables have no such pairs and are shared.
 */
static pl_status merge_table(struct build *b, size_t i, struct fieldspecs *into, const struct fieldspecs *from,
			     const pl_node *at)
{
	struct config builtin = *config_builtin(b);
	if (!from->n)
		return PL_OK;
	if (!into->n && from->v == table_of(&builtin, i)->v && from->n == table_of(&builtin, i)->n) {
		*into = (struct fieldspecs){from->v, from->n, 0};
		return PL_OK;
	}
	pl_status st = add_specs(b, into, from, at);
	if (st)
		return pl_err_in(b->err, "merging field specs of '%s'", tables[i].name);
	sort_list(b, into);
	return PL_OK;
}

pl_status config_merge(struct build *b, struct config *into, const struct config *from, const pl_node *at)
{
	struct config shared = *from;
	for (size_t i = 0; i < N_TABLES; i++) {
		pl_status st = merge_table(b, i, table_of(into, i), table_of(&shared, i), at);
		if (st)
			return st;
	}
	return merge_references(b, into, from, at);
}

void config_sort(struct build *b, struct config *c)
{
	for (size_t i = 0; i < N_TABLES; i++)
		sort_list(b, table_of(c, i));
}
