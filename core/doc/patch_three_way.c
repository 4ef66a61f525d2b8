/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client-side apply. The patch says what is wanted and differs from live (changes and additions, looked at in
 * modified and live) and what is no longer wanted (deletions, looked at in original and modified). It is then applied
 * as any other strategic merge patch.
 *
 * The patch is made of new containers in a scratch document around the nodes of original and modified; nodes say their
 * places in the words of the doc that these are in.
 */
#include "core/doc/patch_strategic.h"

#include "core/base/mem.h"

struct three {
	pl_doc *scratch;
	const pl_doc *pd; /* of original and modified */
	const pl_doc *d;  /* of live */
	pl_err *e;
	uint32_t depth;
};

/* The three sides of one value; modified is always there. */
struct sides {
	const pl_node *original, *modified, *live;
};

static pl_status diff_map(struct three *t, struct sides v, pl_type type, bool retain, pl_node **out);

/* ---- making the patch ---- */

static pl_node *make(struct three *t, int kind, const pl_node *like)
{
	pl_node *n = doc_node(t->scratch, kind, node_file(like), like->line, like->col);

	if (!node_is_container(n))
		node_set_text(n, kind, kind == PL_NULL ? S("null") : S(""));
	return n;
}

static pl_node *make_string(struct three *t, pl_str text, const pl_node *like)
{
	pl_node *n = make(t, PL_STRING, like);

	node_set_text(n, PL_STRING, text);
	return n;
}

static void put(struct three *t, pl_node *map, const pl_node *key, const pl_node *value)
{
	doc_map_add(t->scratch, map, (pl_node *)(uintptr_t)key, (pl_node *)(uintptr_t)value);
}

static void put_directive(struct three *t, pl_node *map, const char *prefix, const pl_node *key, pl_node *list)
{
	pl_str name = key ? arena_printf(t->scratch->arena, "%s/%.*s", prefix, F(pl_text(key))) : str_of(prefix);

	put(t, map, make_string(t, name, list), list);
}

static void add(struct three *t, pl_node *list, const pl_node *item)
{
	doc_list_add(t->scratch, list, (pl_node *)(uintptr_t)item);
}

/* ---- lists of scalars ---- */

static int by_text(const void *pa, const void *pb)
{
	return str_cmp(pl_text(*(const pl_node *const *)pa), pl_text(*(const pl_node *const *)pb));
}

/* Does the wanted order already hold? It is compared with the live items as sorted by their text. */
static bool sorted_same(const pl_node *live, const pl_node *modified)
{
	pl_node **v;
	bool same = live->len == modified->len;
	size_t i;

	if (!same)
		return false;
	v = mem_alloc((live->len + 1) * sizeof(*v));
	memcpy(v, live->u.kids, live->len * sizeof(*v));
	qsort(v, live->len, sizeof(*v), by_text);
	for (i = 0; i < live->len && same; i++)
		same = node_same_scalar(v[i], modified->u.kids[i]);
	free(v);
	return same;
}

/* The items of `of` that are not in `without`, each once. */
static pl_node *missing(struct three *t, const pl_node *of, const pl_node *without, const pl_node *like)
{
	struct scalar_index known;
	pl_node *list = make(t, PL_LIST, like);
	size_t i;

	scalar_index_init(&known, t->scratch);
	for (i = 0; i < pl_len(without); i++)
		scalar_index_add(&known, without->u.kids[i], i);
	for (i = 0; i < pl_len(of); i++)
		if (scalar_index_add(&known, of->u.kids[i], i) == SIZE_MAX)
			add(t, list, of->u.kids[i]);
	scalar_index_free(&known);
	return list;
}

static void diff_scalars(struct three *t, struct sides v, const pl_node *key, pl_node *patch)
{
	pl_node *added = missing(t, v.modified, v.live, v.modified);
	pl_node *gone = missing(t, v.original, v.modified, v.modified);

	if (added->len)
		put(t, patch, key, added);
	if (gone->len)
		put_directive(t, patch, "$deleteFromPrimitiveList", key, gone);
	if (v.modified->len && (gone->len || !sorted_same(v.live, v.modified)))
		put_directive(t, patch, "$setElementOrder", key, (pl_node *)(uintptr_t)v.modified);
}

/* ---- lists of maps ---- */

/* The items of one side by key; of the same key in their order. */
struct shelf {
	const pl_node *list; /* may be NULL */
	struct scalar_index index;
	size_t *next;	/* the next item of the same key */
	size_t *cursor; /* by a key's first item: the next one to take */
};

static pl_status shelf_fill(struct shelf *h, struct three *t, const struct list_key *by, const pl_doc *d,
			    const pl_node *list)
{
	size_t n = pl_len(list), i, first, *last;
	const pl_node *key;
	pl_status st = PL_OK;

	*h = (struct shelf){.list = list, .next = mem_alloc((n + 1) * 3 * sizeof(*h->next))};
	h->cursor = h->next + n;
	last = h->cursor + n;
	scalar_index_init(&h->index, t->scratch);
	for (i = 0; i < n && !st; i++) {
		h->next[i] = SIZE_MAX;
		h->cursor[i] = last[i] = i;
		st = list_key_of(by, d, list->u.kids[i], &key, t->e);
		if (st)
			break;
		first = scalar_index_add(&h->index, key, i);
		if (first == SIZE_MAX)
			continue;
		h->next[last[first]] = i;
		last[first] = i;
	}
	return st;
}

static const pl_node *shelf_take(struct shelf *h, const pl_node *key)
{
	size_t first = scalar_index_find(&h->index, key), i;

	if (first == SIZE_MAX || h->cursor[first] == SIZE_MAX)
		return NULL;
	i = h->cursor[first];
	h->cursor[first] = h->next[i];
	return h->list->u.kids[i];
}

static void shelf_free(struct shelf *h)
{
	scalar_index_free(&h->index);
	free(h->next);
}

struct maps {
	struct three *t;
	struct list_key by;
	pl_type items;
	bool retain;
	pl_node *patch; /* changed and new items */
	pl_node *gone;	/* {KEY: …, $patch: delete} */
	pl_node *order; /* {KEY: …} of all modified items */
};

static pl_node *only_key(struct maps *m, const pl_node *item)
{
	pl_node *map = make(m->t, PL_MAP, item);

	put(m->t, map, pl_getkey(item, m->by.field), pl_get(item, m->by.field));
	return map;
}

static pl_status diff_item(struct maps *m, const pl_node *modified, const pl_node *original, const pl_node *live)
{
	pl_node *patch = NULL;
	pl_status st;

	if (!live) {
		add(m->t, m->patch, modified);
		return PL_OK;
	}
	st = diff_map(m->t, (struct sides){original, modified, live}, m->items, m->retain, &patch);
	if (st || !patch)
		return st;
	if (!pl_get(patch, m->by.field))
		put(m->t, patch, pl_getkey(modified, m->by.field), pl_get(modified, m->by.field));
	add(m->t, m->patch, patch);
	return PL_OK;
}

static pl_status diff_items(struct maps *m, struct sides v, struct shelf *original, struct shelf *modified,
			    struct shelf *live)
{
	const pl_node *key;
	pl_status st = PL_OK;
	size_t i;

	for (i = 0; i < v.modified->len && !st; i++) {
		const pl_node *item = v.modified->u.kids[i];

		key = pl_get(item, m->by.field);
		st = diff_item(m, item, shelf_take(original, key), shelf_take(live, key));
		add(m->t, m->order, only_key(m, item));
	}
	for (i = 0; i < pl_len(v.original) && !st; i++) {
		const pl_node *item = pl_item(v.original, i);
		pl_node *directive;

		if (scalar_index_find(&modified->index, pl_get(item, m->by.field)) != SIZE_MAX)
			continue;
		directive = only_key(m, item);
		put(m->t, directive, make_string(m->t, S("$patch"), item), make_string(m->t, S("delete"), item));
		add(m->t, m->gone, directive);
	}
	return st;
}

static bool same_order(const struct maps *m, const pl_node *live, const pl_node *modified)
{
	size_t i;

	for (i = 0; i < live->len && live->len == modified->len; i++)
		if (!node_same_scalar(pl_get(live->u.kids[i], m->by.field), pl_get(modified->u.kids[i], m->by.field)))
			return false;
	return live->len == modified->len;
}

static pl_status diff_maps(struct maps *m, struct sides v, const pl_node *key, pl_node *patch)
{
	struct three *t = m->t;
	struct shelf original, modified, live;
	pl_status st = shelf_fill(&original, t, &m->by, t->pd, v.original), more;
	size_t i;

	more = shelf_fill(&modified, t, &m->by, t->pd, v.modified);
	st = st ? st : more;
	more = shelf_fill(&live, t, &m->by, t->d, v.live);
	st = st ? st : more;
	if (!st)
		st = diff_items(m, v, &original, &modified, &live);
	if (!st) {
		bool changed = m->patch->len || m->gone->len || !same_order(m, v.live, v.modified);

		for (i = 0; i < m->gone->len; i++)
			add(t, m->patch, m->gone->u.kids[i]);
		if (m->patch->len)
			put(t, patch, key, m->patch);
		if (changed && m->order->len)
			put_directive(t, patch, "$setElementOrder", key, m->order);
	}
	shelf_free(&original);
	shelf_free(&modified);
	shelf_free(&live);
	return st;
}

/* ---- fields ---- */

static pl_status diff_merging(struct three *t, struct sides v, const pl_node *key, pl_type type, pl_node *patch)
{
	struct maps m = {.t = t,
			 .by = {pl_type_merge_key(type), pl_text(key), -1},
			 .items = strategic_items(type),
			 .retain = pl_type_strategy(type) & PL_PATCH_RETAIN_KEYS};
	pl_status st;

	if (v.live->len == 0) {
		if (v.modified->len)
			put(t, patch, key, v.modified);
		return PL_OK;
	}
	st = list_key_check(&m.by, t->pd, v.modified, t->e);
	if (!st)
		st = list_key_check(&m.by, t->d, v.live, t->e);
	if (!st)
		st = list_key_check(&m.by, t->pd, v.original, t->e);
	if (st)
		return st;
	if (m.by.kind != PL_MAP) {
		diff_scalars(t, v, key, patch);
		return PL_OK;
	}
	m.patch = make(t, PL_LIST, v.modified);
	m.gone = make(t, PL_LIST, v.modified);
	m.order = make(t, PL_LIST, v.modified);
	return diff_maps(&m, v, key, patch);
}

static const pl_node *if_kind(const pl_node *n, int kind)
{
	return n && node_kind(n) == kind ? n : NULL;
}

static pl_status diff_field(struct three *t, struct sides v, const pl_node *key, pl_type type, pl_node *patch)
{
	uint32_t strategy = pl_type_strategy(type);
	int kind = node_kind(v.modified);
	pl_node *inner = NULL;
	pl_status st = PL_OK;

	v.original = if_kind(v.original, kind);
	if (!v.live || node_kind(v.live) != kind) {
		put(t, patch, key, v.modified);
	} else if (kind == PL_MAP && !(strategy & PL_PATCH_REPLACE)) {
		st = diff_map(t, v, type, strategy & PL_PATCH_RETAIN_KEYS, &inner);
		if (inner)
			put(t, patch, key, inner);
	} else if (kind == PL_LIST && strategy & PL_PATCH_MERGE) {
		st = diff_merging(t, v, key, type, patch);
	} else if (!pl_equal(v.live, v.modified)) {
		put(t, patch, key, v.modified);
	}
	return st;
}

/* Does a map have a field that modified has not, and that is not null? */
static bool has_more(const pl_node *map, struct finder *modified)
{
	size_t i;

	for (i = 0; i < pl_len(map); i++)
		if (pl_kind(pl_value(map, i)) != PL_NULL && finder_find(modified, pl_key(map, i)) == SIZE_MAX)
			return true;
	return false;
}

static void put_retain(struct three *t, const pl_node *modified, pl_node *patch)
{
	pl_node *list = make(t, PL_LIST, modified);
	size_t i;

	for (i = 0; i < modified->len; i++)
		if (node_kind(modified->u.kids[2 * i + 1]) != PL_NULL)
			add(t, list, make_string(t, pl_text(modified->u.kids[2 * i]), modified->u.kids[2 * i]));
	if (list->len)
		put_directive(t, patch, "$retainKeys", NULL, list);
}

static pl_node *find(struct finder *f, const pl_node *key)
{
	size_t i = f->map ? finder_find(f, key) : SIZE_MAX;

	return i == SIZE_MAX ? NULL : f->map->u.kids[2 * i + 1];
}

struct finders {
	struct finder original, modified, live;
};

static void finders_init(struct finders *f, const struct sides *v)
{
	*f = (struct finders){0};
	if (v->original)
		finder_init(&f->original, v->original);
	finder_init(&f->modified, v->modified);
	if (v->live)
		finder_init(&f->live, v->live);
}

static void finders_free(struct finders *f)
{
	finder_free(&f->original);
	finder_free(&f->modified);
	finder_free(&f->live);
}

static pl_status diff_fields(struct three *t, struct sides v, struct finders *f, pl_type type, pl_node *patch)
{
	pl_status st = PL_OK;
	size_t i;

	for (i = 0; i < v.modified->len && !st; i++) {
		const pl_node *key = v.modified->u.kids[2 * i];
		struct sides field = {find(&f->original, key), v.modified->u.kids[2 * i + 1], find(&f->live, key)};

		st = diff_field(t, field, key, pl_type_field(type, pl_text(key)), patch);
	}
	for (i = 0; i < pl_len(v.original) && !st; i++) {
		const pl_node *key = pl_key(v.original, i);

		if (!find(&f->modified, key))
			put(t, patch, key, make(t, PL_NULL, key));
	}
	return st;
}

/* *out: the patch, NULL when there is nothing to do. */
static pl_status diff_map(struct three *t, struct sides v, pl_type type, bool retain, pl_node **out)
{
	struct finders f;
	pl_node *patch = make(t, PL_MAP, v.modified);
	pl_status st;

	if (t->depth == STRATEGIC_DEPTH)
		return pl_err_set(t->e, PL_ETOOBIG, pl_at(t->pd, v.modified), "document is more than %d levels deep",
				  STRATEGIC_DEPTH);
	t->depth++;
	finders_init(&f, &v);
	st = diff_fields(t, v, &f, type, patch);
	if (!st && retain && (patch->len || has_more(v.live, &f.modified) || has_more(v.original, &f.modified)))
		put_retain(t, v.modified, patch);
	finders_free(&f);
	t->depth--;
	*out = patch->len ? patch : NULL;
	return st;
}

/* ---- the whole ---- */

static pl_status check_side(const pl_doc *d, const pl_node **n, const char *what, pl_err *e)
{
	if (!*n || node_kind(*n) == PL_NULL) {
		*n = NULL;
		return PL_OK;
	}
	return node_kind(*n) == PL_MAP ? PL_OK
				       : pl_err_set(e, PL_EINVAL, pl_at(d, *n), "the %s document must be a map", what);
}

pl_status pl_patch_three_way(pl_doc *d, pl_node **live, const pl_doc *pd, const pl_node *original,
			     const pl_node *modified, pl_type type, pl_err *e)
{
	struct three t = {.pd = pd, .d = d, .e = e};
	struct sides v = {original, modified, *live};
	pl_node *patch = NULL;
	pl_status st = check_side(pd, &v.original, "original", e);

	if (!st)
		st = check_side(pd, &v.modified, "modified", e);
	if (!st)
		st = check_side(d, &v.live, "live", e);
	if (st)
		return st;
	if (!v.modified)
		return pl_err_set(e, PL_EINVAL, pl_at(pd, modified), "there is no modified document");
	t.scratch = pl_doc_new(NULL);
	st = diff_map(&t, v, type, false, &patch);
	if (!st && patch)
		st = pl_patch_strategic(d, live, pd, patch, type, e);
	else if (!st && !v.live)
		st = pl_patch_strategic(d, live, pd, v.modified, type, e);
	pl_doc_unref(t.scratch);
	return st;
}
