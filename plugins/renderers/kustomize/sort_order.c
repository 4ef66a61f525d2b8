/* SPDX-License-Identifier: Apache-2.0 */
/* sort_order.c - the order of the output: as read, or the reference's "legacy" order of kinds. */
#include "cfg.h"
#include "order.h"

#define STR(lit)                                                                                                       \
	{                                                                                                              \
		(lit), sizeof(lit) - 1                                                                                 \
	}

static const pl_str order_first[] = {
	STR("Namespace"),
	STR("ResourceQuota"),
	STR("StorageClass"),
	STR("CustomResourceDefinition"),
	STR("ServiceAccount"),
	STR("PodSecurityPolicy"),
	STR("Role"),
	STR("ClusterRole"),
	STR("RoleBinding"),
	STR("ClusterRoleBinding"),
	STR("ConfigMap"),
	STR("Secret"),
	STR("Endpoints"),
	STR("Service"),
	STR("LimitRange"),
	STR("PriorityClass"),
	STR("PersistentVolume"),
	STR("PersistentVolumeClaim"),
	STR("Deployment"),
	STR("StatefulSet"),
	STR("CronJob"),
	STR("PodDisruptionBudget"),
};
static const pl_str order_last[] = {STR("MutatingWebhookConfiguration"), STR("ValidatingWebhookConfiguration")};

const struct kind_order kind_order_default = {
	order_first,
	order_last,
	sizeof(order_first) / sizeof(order_first[0]),
	sizeof(order_last) / sizeof(order_last[0]),
};

int kind_rank(const struct kind_order *o, pl_str kind)
{
	for (size_t i = o->n_last; i-- > 0;) {
		if (str_eq(o->last[i], kind))
			return (int)i + 1;
	}
	for (size_t i = o->n_first; i-- > 0;) {
		if (str_eq(o->first[i], kind))
			return (int)i - (int)o->n_first;
	}
	return 0;
}

pl_str gvk_sort_text(struct build *b, const struct gvk *g)
{
	pl_str group = g->group.n ? g->group : S("~G");
	pl_str version = g->version.n ? g->version : S("~V");
	pl_str kind = g->kind.n ? g->kind : S("~K");
	return arena_printf(b->mem, "%.*s_%.*s_%.*s", F(group), F(version), F(kind));
}

static int text_cmp(const pl_str *x, const pl_str *y, size_t n)
{
	size_t i = 0, j = 0, at_x = 0, at_y = 0;
	for (;;) {
		while (i < n && at_x == x[i].n) {
			i++;
			at_x = 0;
		}
		while (j < n && at_y == y[j].n) {
			j++;
			at_y = 0;
		}
		if (i == n || j == n)
			return (j == n) - (i == n);
		int c = (unsigned char)x[i].p[at_x++] - (unsigned char)y[j].p[at_y++];
		if (c)
			return c;
	}
}

int gvk_cmp(const struct kind_order *o, const struct gvk *x, const struct gvk *y)
{
	int rx = kind_rank(o, x->kind), ry = kind_rank(o, y->kind);
	if (rx != ry)
		return rx < ry ? -1 : 1;
	if (gvk_equal(x, y))
		return 0;
	const struct gvk *of[2] = {x, y};
	pl_str text[2][5];
	for (int i = 0; i < 2; i++) {
		text[i][0] = of[i]->group.n ? of[i]->group : S("~G");
		text[i][2] = of[i]->version.n ? of[i]->version : S("~V");
		text[i][4] = of[i]->kind.n ? of[i]->kind : S("~K");
		text[i][1] = text[i][3] = S("_");
	}
	return text_cmp(text[0], text[1], 5);
}

/* ---- sorting ---- */

struct sort_item {
	struct resource *r;
	int rank;
	bool core;   /* a Namespace of the core group: before others of that kind, its versions backwards */
	pl_str kind; /* gvk_sort_text() */
	pl_str id;   /* namespace and name, as the reference joins them */
};

static int item_cmp(const void *x, const void *y)
{
	const struct sort_item *a = x, *b = y;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->core != b->core)
		return a->core ? -1 : 1;
	int c = a->core ? str_cmp(b->kind, a->kind) : str_cmp(a->kind, b->kind);
	if (!c)
		c = str_cmp(a->id, b->id);
	return c ? c : (a->r->at > b->r->at) - (a->r->at < b->r->at);
}

struct known_kind { /* what is the same for all of a kind */
	struct gvk gvk;
	int rank;
	bool core;
	pl_str text;
};

enum { KNOWN_KINDS = 16 };

static const struct known_kind *know_kind(struct build *b, const struct kind_order *o, const struct gvk *g,
					  struct known_kind known[KNOWN_KINDS])
{
	struct known_kind *k = &known[str_hash(g->kind) % KNOWN_KINDS];
	if (k->text.n && gvk_equal(&k->gvk, g))
		return k;
	int rank = kind_rank(o, g->kind);
	bool core = rank && !g->group.n && str_is(g->kind, "Namespace");
	*k = (struct known_kind){*g, rank, core, gvk_sort_text(b, g)};
	return k;
}

static pl_str join(struct build *b, pl_str x, char between, pl_str y)
{
	char *p = arena_alloc(b->mem, x.n + 1 + y.n);
	memcpy(p, x.p, x.n);
	p[x.n] = between;
	memcpy(p + x.n + 1, y.p, y.n);
	return (pl_str){p, x.n + 1 + y.n};
}

static void sort_legacy(struct build *b, const struct kind_order *o, struct resmap *m)
{
	struct sort_item *items = arena_alloc(b->mem, m->n * sizeof(*items));
	struct known_kind known[KNOWN_KINDS] = {0};
	for (uint32_t i = 0; i < m->n; i++) {
		struct resource *r = m->v[i];
		const struct known_kind *k = know_kind(b, o, &r->id.gvk, known);
		pl_str ns = r->id.ns.n ? r->id.ns : S("~X");
		pl_str name = r->id.name.n ? r->id.name : S("~N");
		r->at = i;
		items[i] = (struct sort_item){
			.r = r, .rank = k->rank, .core = k->core, .kind = k->text, .id = join(b, ns, '|', name)};
	}
	if (m->n > 1)
		qsort(items, m->n, sizeof(*items), item_cmp);
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i] = items[i].r;
		m->v[i]->at = i;
	}
	m->index = NULL; /* its lists have the map's order */
}

/* ---- options ---- */

struct sort_options {
	pl_str order;
	const pl_node *legacy;
};

struct legacy_options {
	const pl_node *first, *last;
};

struct names {
	pl_str *v;
	uint32_t n, cap;
};

static pl_status add_name(struct build *b, const pl_node *n, void *ctx)
{
	struct names *l = ctx;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n] = (pl_str){0};
	return cfg_text(b, n, "kind", &l->v[l->n++]);
}

static pl_status read_legacy(struct build *b, const pl_node *map, struct kind_order *out)
{
	static const struct cfg_key keys[] = {
		{"orderFirst", CFG_NODE, offsetof(struct legacy_options, first)},
		{"orderLast", CFG_NODE, offsetof(struct legacy_options, last)},
	};
	struct legacy_options o = {0};
	struct names first = {0}, last = {0};
	pl_status st = cfg_read(b, map, "map of legacySortOptions", keys, 2, CFG_WARN, &o);
	if (!st)
		st = cfg_each(b, o.first, "orderFirst", add_name, &first);
	if (!st)
		st = cfg_each(b, o.last, "orderLast", add_name, &last);
	*out = (struct kind_order){first.v, last.v, first.n, last.n};
	return st;
}

pl_status transform_sort_order(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			       struct resmap *m)
{
	static const struct cfg_key keys[] = {
		{"order", CFG_TEXT, offsetof(struct sort_options, order)},
		{"legacySortOptions", CFG_NODE, offsetof(struct sort_options, legacy)},
	};
	static const struct cfg_key outer[] = {{"sortOptions", CFG_NODE, 0}};
	(void)t;
	(void)fields;
	const pl_node *map = NULL;
	struct sort_options o = {0};
	struct kind_order order = kind_order_default;
	pl_status st = cfg_read_transformer(b, cfg, outer, 1, &map);
	if (st || !map)
		return st;
	st = cfg_read(b, map, "map of sortOptions", keys, 2, CFG_WARN, &o);
	if (!st && o.legacy)
		st = read_legacy(b, o.legacy, &order);
	if (st)
		return st;
	bool fifo = str_is(o.order, "fifo");
	if (!fifo && !str_is(o.order, "legacy"))
		return fail(b, PL_EINVAL, map, "'sortOptions.order' must be 'legacy' or 'fifo', not '%.*s'",
			    F(o.order));
	if (fifo && o.legacy)
		return fail(b, PL_EINVAL, o.legacy,
			    "'sortOptions.legacySortOptions' is set, but the order is 'fifo', not 'legacy'");
	if (!fifo)
		sort_legacy(b, &order, m);
	return PL_OK;
}
