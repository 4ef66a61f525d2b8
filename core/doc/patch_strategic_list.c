/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strategic merge patches: lists whose items merge, and the order of what comes out. Items of the patch stand in the
 * patch's order (or that of $setElementOrder), the others in the document's; where the two meet, an item of the
 * document comes first when the document had it first.
 */
#include "core/doc/patch_strategic.h"

#include "core/base/mem.h"

struct entry {
	pl_node *node;
	const pl_node *key;
	size_t rank; /* in the order asked for; SIZE_MAX: it is not there */
	size_t seat; /* in the document's list; SIZE_MAX: it was not there */
	size_t pos;  /* among the entries, so that sorting is stable */
};

/* A list in the making. */
struct merger {
	struct strategic *s;
	struct list_key by;
	pl_type items;
	struct entry *v;
	size_t n, cap;
	size_t seats;		   /* taken by items of the document that are left */
	size_t deleted;		   /* items of the document that $patch: delete took away */
	struct scalar_index index; /* key: first entry */
};

pl_type strategic_items(pl_type list)
{
	return pl_type_kind(list) == PL_MAP ? list : pl_type_items(list);
}

static void merger_init(struct merger *m, struct strategic *s, const struct strategic_field *f, pl_type type)
{
	*m = (struct merger){.s = s, .items = strategic_items(type)};
	m->by = (struct list_key){pl_type_merge_key(type), f->name, -1};
	scalar_index_init(&m->index, s->d);
}

static void merger_free(struct merger *m)
{
	scalar_index_free(&m->index);
	free(m->v);
}

static struct entry *entry_add(struct merger *m, pl_node *node, const pl_node *key)
{
	size_t first = scalar_index_add(&m->index, key, m->n);
	struct entry *v;

	m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof(*m->v));
	v = &m->v[m->n];
	/* Items of the same key stand together, by the first of them. */
	*v = (struct entry){node, key, SIZE_MAX, first == SIZE_MAX ? m->n : m->v[first].seat, m->n};
	m->n++;
	return v;
}

/* ---- order ---- */

static int by_rank(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	/* Those that nobody asked for keep the document's order. */
	if (a->rank == SIZE_MAX && a->seat != b->seat)
		return a->seat < b->seat ? -1 : 1;
	return a->pos < b->pos ? -1 : 1;
}

/* Puts the entries into order by rank and seat. Seats from `seats` on count as unknown. */
static void arrange(struct merger *m, size_t seats)
{
	struct entry *to;
	size_t ranked = 0, i, a = 0, b;

	for (i = 0; i < m->n; i++) {
		m->v[i].pos = i;
		ranked += m->v[i].rank != SIZE_MAX;
	}
	if (m->n < 2)
		return;
	qsort(m->v, m->n, sizeof(*m->v), by_rank);
	to = mem_alloc(m->n * sizeof(*to));
	for (i = 0, b = ranked; i < m->n; i++) {
		bool other = a == ranked;

		if (!other && b < m->n)
			other = m->v[b].seat < m->v[a].seat && m->v[a].seat < seats;
		to[i] = other ? m->v[b++] : m->v[a++];
	}
	free(m->v);
	m->v = to;
	m->cap = m->n;
}

/* Ranks each entry by its key's place in a list, which may be NULL. */
static pl_status rank_by(struct merger *m, pl_node *const *order, size_t n)
{
	struct scalar_index ranks;
	const pl_node *key;
	pl_status st = PL_OK;
	size_t i;

	scalar_index_init(&ranks, m->s->d);
	for (i = 0; i < n && !st; i++) {
		st = list_key_of(&m->by, m->s->pd, order[i], &key, m->s->e);
		if (!st)
			scalar_index_add(&ranks, key, i);
	}
	for (i = 0; i < m->n; i++)
		m->v[i].rank = scalar_index_find(&ranks, m->v[i].key);
	scalar_index_free(&ranks);
	return st;
}

static pl_node *merger_end(struct merger *m, const pl_doc *d, const pl_node *like)
{
	pl_node **kids = mem_alloc((m->n + 1) * sizeof(*kids)), *list;
	size_t i;

	for (i = 0; i < m->n; i++)
		kids[i] = m->v[i].node;
	list = doc_node(m->s->d, PL_LIST, 0, 0, 0);
	pl_set_at(m->s->d, list, d, like);
	pl_set_style(list, pl_style(like));
	doc_set_kids(m->s->d, list, kids, m->n);
	free(kids);
	return list;
}

/* ---- directives in items ---- */

/* The patch's items without those that only say what to do. */
struct plan {
	pl_node **items;
	size_t n;
	struct scalar_index deleted;
	bool replace;
};

static void plan_free(struct plan *p)
{
	free(p->items);
	scalar_index_free(&p->deleted);
}

static pl_status plan_item(struct merger *m, struct plan *p, pl_node *item)
{
	struct strategic *s = m->s;
	const pl_node *key;
	pl_str word = {NULL, 0};
	pl_status st = node_kind(item) == PL_MAP ? directive_patch(s, item, &word) : PL_OK;

	if (st)
		return st;
	if (!word.p) {
		p->items[p->n++] = item;
		return PL_OK;
	}
	if (str_eqz(word, "replace")) {
		p->replace = true;
		return PL_OK;
	}
	if (str_eqz(word, "merge")) {
		pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, pl_gets(item, "$patch")),
			   "'$patch: merge' is not known in an item of a list");
		if (s->e)
			pl_err_hint(s->e, "leave it out: items of the same '%.*s' merge", F(m->by.field));
		return PL_EINVAL;
	}
	st = list_key_of(&m->by, s->pd, item, &key, s->e);
	if (!st)
		scalar_index_add(&p->deleted, key, 0);
	return st;
}

static pl_status plan_of(struct merger *m, const pl_node *patch, struct plan *p)
{
	pl_status st = PL_OK;
	size_t i;

	*p = (struct plan){.items = mem_alloc((patch->len + 1) * sizeof(*p->items))};
	scalar_index_init(&p->deleted, m->s->d);
	for (i = 0; i < patch->len && !st; i++)
		st = plan_item(m, p, patch->u.kids[i]);
	return st;
}

/* ---- merging ---- */

/* The document's items; of scalars each once. */
static pl_status add_old(struct merger *m, const pl_node *old, const struct scalar_index *deleted, bool once)
{
	const pl_node *key;
	pl_status st = PL_OK;
	size_t i;

	for (i = 0; i < pl_len(old); i++) {
		st = list_key_of(&m->by, m->s->d, pl_item(old, i), &key, m->s->e);
		if (st)
			return st;
		if (deleted && scalar_index_find(deleted, key) != SIZE_MAX)
			m->deleted++;
		else if (!once || scalar_index_find(&m->index, key) == SIZE_MAX)
			entry_add(m, pl_item(old, i), key);
	}
	m->seats = m->n;
	return st;
}

static pl_status add_item(struct merger *m, pl_node *item)
{
	struct strategic *s = m->s;
	const pl_node *key;
	pl_status st = list_key_of(&m->by, s->pd, item, &key, s->e);
	size_t at;

	if (st)
		return st;
	if (node_kind(key) == PL_NULL)
		return pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, key), "'%.*s', which items of '%.*s' merge by, is null",
				  F(m->by.field), F(m->by.list));
	at = scalar_index_find(&m->index, key);
	if (at == SIZE_MAX) {
		entry_add(m, strategic_contents(s, item, false), key);
		return PL_OK;
	}
	if (m->by.kind != PL_MAP)
		return PL_OK;
	return strategic_map(s, m->v[at].node, item, m->items, &m->v[at].node);
}

static pl_status merge_items(struct merger *m, const pl_node *old, const struct plan *p)
{
	pl_status st = add_old(m, p->replace ? NULL : old, &p->deleted, m->by.kind != PL_MAP);
	size_t i;

	for (i = 0; i < p->n && !st; i++) {
		const pl_node *key;

		if (p->replace) {
			st = list_key_of(&m->by, m->s->pd, p->items[i], &key, m->s->e);
			if (!st)
				entry_add(m, strategic_contents(m->s, p->items[i], false), key);
		} else {
			st = add_item(m, p->items[i]);
		}
	}
	if (!st && !p->replace)
		st = rank_by(m, p->items, p->n);
	if (!st)
		arrange(m, p->replace ? SIZE_MAX : m->seats);
	return st;
}

/* Both lists into the merger's entries. */
static pl_status merge_lists(struct merger *m, const pl_node *old, const pl_node *patch)
{
	struct plan p = {0};
	pl_status st = list_key_check(&m->by, m->s->pd, patch, m->s->e);

	if (!st)
		st = list_key_check(&m->by, m->s->d, old, m->s->e);
	if (!st)
		st = plan_of(m, patch, &p);
	if (!st)
		st = merge_items(m, old, &p);
	plan_free(&p);
	return st;
}

pl_status strategic_list(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_type type,
			 pl_node **out)
{
	struct merger m;
	pl_status st;

	merger_init(&m, s, f, type);
	st = merge_lists(&m, old, f->value);
	if (!st)
		*out = merger_end(&m, s->d, old);
	merger_free(&m);
	return st;
}

/* ---- $setElementOrder ---- */

static pl_status not_in_order(const struct merger *m, const pl_node *item)
{
	pl_err_set(m->s->e, PL_EINVAL, pl_at(m->s->pd, item),
		   "item of '%.*s' is not in '$setElementOrder/%.*s' at its place", F(m->by.list), F(m->by.list));
	if (m->s->e)
		pl_err_hint(m->s->e, "it must name every item of the patch, in the same order");
	return PL_EINVAL;
}

static bool is_directive(const pl_node *item)
{
	return node_kind(item) == PL_MAP && pl_gets(item, "$patch");
}

/* The patch's items must be found in the order one behind the other. */
static pl_status check_order(const struct merger *m, const struct strategic_field *f)
{
	const struct strategic *s = m->s;
	const pl_node *key, *at;
	size_t i, j = 0;
	pl_status st;

	for (i = 0; i < pl_len(f->value) && f->order->len; i++) {
		const pl_node *item = pl_item(f->value, i);

		if (is_directive(item))
			continue;
		st = list_key_of(&m->by, s->pd, item, &key, s->e);
		for (; !st && j < f->order->len; j++) {
			st = list_key_of(&m->by, s->pd, f->order->u.kids[j], &at, s->e);
			if (!st && node_same_scalar(key, at))
				break;
		}
		if (st)
			return st;
		if (j++ >= f->order->len)
			return not_in_order(m, item);
	}
	return PL_OK;
}

/* A list that the document did not have. */
static pl_status add_new(struct merger *m, const pl_node *patch)
{
	const pl_node *key;
	pl_status st = PL_OK;
	size_t i;

	for (i = 0; i < patch->len && !st; i++) {
		pl_node *taken = strategic_take(m->s, patch->u.kids[i], false);

		if (!taken)
			continue;
		st = list_key_of(&m->by, m->s->pd, patch->u.kids[i], &key, m->s->e);
		if (!st)
			entry_add(m, taken, key)->seat = SIZE_MAX;
	}
	return st;
}

static pl_status collect(struct merger *m, const pl_node *old, const struct strategic_field *f, pl_type type)
{
	if (!old)
		return add_new(m, f->value);
	if (f->value && pl_type_strategy(type) & PL_PATCH_MERGE)
		return merge_lists(m, old, f->value);
	return f->value ? add_new(m, f->value) : add_old(m, old, NULL, false);
}

pl_status strategic_ordered(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_type type,
			    pl_node **out)
{
	struct merger m;
	pl_status st;

	merger_init(&m, s, f, type);
	st = list_key_check(&m.by, s->pd, f->value, s->e);
	if (!st)
		st = list_key_check(&m.by, s->pd, f->order, s->e);
	if (!st)
		st = list_key_check(&m.by, s->d, old, s->e);
	if (!st)
		st = check_order(&m, f);
	if (!st)
		st = collect(&m, old, f, type);
	if (!st)
		st = rank_by(&m, f->order->u.kids, f->order->len);
	if (!st) {
		/*
		 * New items sit where deleted ones did: a server that is told the order takes as many of them for
		 * its own as it has lost.
		 */
		arrange(&m, m.seats + m.deleted);
		*out = merger_end(&m, old ? s->d : s->pd, old ? old : f->value);
	}
	merger_free(&m);
	return st;
}

/* ---- $deleteFromPrimitiveList ---- */

pl_status strategic_remove(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_node **out)
{
	struct merger m = {.s = s, .by = {.list = f->name, .kind = -1}};
	struct scalar_index gone;
	pl_status st = list_key_check(&m.by, s->pd, f->remove, s->e);
	size_t i;

	if (!st)
		st = list_key_check(&m.by, s->d, old, s->e);
	if (st)
		return st;
	scalar_index_init(&gone, s->d);
	scalar_index_init(&m.index, s->d);
	for (i = 0; i < f->remove->len; i++)
		scalar_index_add(&gone, f->remove->u.kids[i], i);
	for (i = 0; i < old->len; i++)
		if (scalar_index_find(&gone, old->u.kids[i]) == SIZE_MAX)
			entry_add(&m, old->u.kids[i], old->u.kids[i]);
	*out = merger_end(&m, s->d, old);
	scalar_index_free(&gone);
	merger_free(&m);
	return PL_OK;
}
