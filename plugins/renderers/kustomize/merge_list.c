/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge_list.c - strategic merge of lists whose items have keys (containers by name, ports by containerPort and
 * protocol), and of sets of scalars.
 *
 * The reference compares every item with every other one, many times over. What comes of that for lists in which every
 * item has its keys is done here in one pass with a table; the rest (merge_odd.c) is kept for lists with items that
 * lack a key, where the reference's result has no simple rule.
 */
#include "merge_list.h"

/* ---- which items are the same ---- */

struct slot {
	pl_str values[KEYS_MAX];
	uint32_t first_ours, last_ours, first_theirs; /* index + 1 */
};

struct table {
	struct slot *v; /* in the order in which they were met */
	size_t n;
	uint32_t *slots;
	size_t mask;
};

static void *need(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

static struct slot *table_slot(struct table *t, const struct merge_keys *k, const pl_node *item)
{
	pl_str values[KEYS_MAX];
	uint64_t hash = 0;
	for (size_t i = 0; i < k->n; i++) {
		values[i] = keys_value(k, item, i);
		hash = hash * 31 + str_hash(values[i]);
	}
	size_t at = (size_t)(hash ^ hash >> 32) & t->mask;
	for (; t->slots[at]; at = (at + 1) & t->mask) {
		struct slot *s = &t->v[t->slots[at] - 1];
		size_t i = 0;
		while (i < k->n && str_eq(s->values[i], values[i]))
			i++;
		if (i == k->n)
			return s;
	}
	struct slot *s = &t->v[t->n++];
	t->slots[at] = (uint32_t)t->n;
	memcpy(s->values, values, k->n * sizeof(*values));
	return s;
}

static void table_new(struct table *t, size_t most)
{
	size_t slots = 8;
	while (slots < most * 2)
		slots *= 2;
	*t = (struct table){.v = need(most, sizeof(*t->v)), .slots = need(slots, sizeof(*t->slots)), .mask = slots - 1};
}

static void table_free(struct table *t)
{
	free(t->v);
	free(t->slots);
}

/* The patch's items come first. */
static void table_fill(struct table *t, const struct merge_keys *k, const struct items *ours,
		       const struct items *theirs)
{
	for (size_t i = 0; i < theirs->n; i++) {
		struct slot *s = table_slot(t, k, theirs->v[i]);
		if (!s->first_theirs)
			s->first_theirs = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < ours->n; i++) {
		struct slot *s = table_slot(t, k, ours->v[i]);
		if (!s->first_ours)
			s->first_ours = (uint32_t)i + 1;
		s->last_ours = (uint32_t)i + 1;
	}
}

/* ---- lists whose items all have their keys ---- */

static pl_status walk_item(struct merge *m, const struct slot *s, struct items *ours, const struct items *theirs,
			   pl_type type, pl_node **out)
{
	pl_node *mine = s->first_ours ? ours->v[s->first_ours - 1] : NULL;
	const pl_node *other = s->first_theirs ? theirs->v[s->first_theirs - 1] : NULL;
	pl_status st = merge_walk(m, mine, other, type, out);
	if (st || !*out || (pl_kind(*out) == PL_MAP && !pl_len(*out))) {
		*out = NULL;
		return st;
	}
	/* an item that the patch wants replaced stays what it was: so the reference does it */
	if (mine && !(other && other != mine && directive_read(other) == DIRECTIVE_REPLACE))
		ours->v[s->first_ours - 1] = *out;
	if (s->last_ours)
		*out = ours->v[s->last_ours - 1];
	return PL_OK;
}

static pl_status emit(struct merge *m, pl_node *list, pl_node *item)
{
	return pl_append(m->b->doc, list, item);
}

/* With one key: in the patch's order, then the others. */
static pl_status merge_one_key(struct merge *m, struct table *t, struct items *ours, const struct items *theirs,
			       pl_type type, pl_node *list)
{
	for (size_t i = 0; i < t->n; i++) {
		pl_node *item;
		pl_status st = walk_item(m, &t->v[i], ours, theirs, type, &item);
		if (!st && item)
			st = emit(m, list, item);
		if (st)
			return st;
	}
	return PL_OK;
}

/* With several keys: what only the patch has, then the object's in their order. */
static pl_status merge_many_keys(struct merge *m, struct table *t, struct items *ours, const struct items *theirs,
				 pl_type type, pl_node *list)
{
	bool *keep = need(ours->n, sizeof(*keep));
	pl_status st = PL_OK;
	for (size_t i = 0; i < t->n && !st; i++) {
		pl_node *item;
		st = walk_item(m, &t->v[i], ours, theirs, type, &item);
		if (st || !item)
			continue;
		if (t->v[i].last_ours)
			keep[t->v[i].last_ours - 1] = true;
		else
			st = emit(m, list, item);
	}
	for (size_t i = 0; i < ours->n && !st; i++)
		if (keep[i])
			st = emit(m, list, ours->v[i]);
	free(keep);
	return st;
}

/* ---- keys ---- */

pl_str keys_value(const struct merge_keys *k, const pl_node *item, size_t i)
{
	return k->set ? pl_text(item) : pl_text(pl_get(item, k->names[i]));
}

static bool has_key(const pl_node *item, pl_str key)
{
	const pl_node *v = pl_get(item, key);
	return !merge_is_null(v) && pl_text(v).n > 0;
}

static void count_key(const struct items *l, pl_str key, size_t *with)
{
	for (size_t i = 0; i < l->n; i++)
		*with += has_key(l->v[i], key);
}

/* Keeps the keys that the items have. False: some items have one, others don't. */
static bool keys_settle(struct merge_keys *k, const struct items *ours, const struct items *theirs)
{
	size_t all = ours->n + theirs->n, n = 0;
	for (size_t i = 0; i < k->n; i++) {
		size_t with = 0;
		count_key(ours, k->names[i], &with);
		count_key(theirs, k->names[i], &with);
		if (with && with != all)
			return false;
		if (with)
			k->names[n++] = k->names[i];
	}
	k->n = n;
	return n > 0;
}

static bool keys_of(pl_type type, struct merge_keys *k)
{
	*k = (struct merge_keys){.n = 0};
	k->n = pl_type_map_keys(type, k->names, KEYS_MAX);
	if (k->n > KEYS_MAX)
		return false;
	pl_str one = pl_type_merge_key(type);
	if (!k->n && one.n)
		k->names[k->n++] = one;
	k->set = !k->n;
	return true;
}

/* ---- the directive of a list: an item that holds nothing else ---- */

static enum directive list_directive(const pl_node *list, const pl_node **item)
{
	for (size_t i = 0; i < pl_len(list); i++) {
		*item = pl_item(list, i);
		if (pl_gets(*item, DIRECTIVE_KEY))
			return pl_len(*item) > 1 ? DIRECTIVE_NONE : directive_read(*item);
	}
	return DIRECTIVE_NONE;
}

static void items_of(const pl_node *list, const pl_node *directive, struct items *out)
{
	pl_str said = pl_text(pl_gets(directive, DIRECTIVE_KEY));
	*out = (struct items){.v = need(pl_len(list), sizeof(pl_node *))};
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_node *item = pl_item(list, i);
		const pl_node *d = directive ? pl_gets(item, DIRECTIVE_KEY) : NULL;
		bool empty = merge_is_null(item) || (pl_kind(item) == PL_MAP && !pl_len(item));
		if (!directive || !(empty || (d && str_eq(pl_text(d), said))))
			out->v[out->n++] = item;
	}
}

/* ---- the whole list ---- */

static bool all_scalars(const struct items *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (pl_kind(l->v[i]) == PL_MAP || pl_kind(l->v[i]) == PL_LIST)
			return false;
	return true;
}

static pl_status merge_plain(struct merge *m, const struct merge_keys *k, struct items *ours,
			     const struct items *theirs, pl_type type, pl_node *list)
{
	struct table t;
	table_new(&t, ours->n + theirs->n);
	table_fill(&t, k, ours, theirs);
	pl_status st = (k->n > 1 ? merge_many_keys : merge_one_key)(m, &t, ours, theirs, type, list);
	table_free(&t);
	return st;
}

static pl_status merge_items(struct merge *m, struct items *ours, const struct items *theirs, const pl_node *at,
			     pl_type type, pl_node *list)
{
	struct merge_keys k;
	pl_type item = pl_type_items(type);
	if (!keys_of(type, &k))
		return fail(m->b, PL_ETOOBIG, at, "a list with more than %d merge keys", KEYS_MAX);
	if (k.set) {
		if (!all_scalars(ours) || !all_scalars(theirs))
			return fail(m->b, PL_EINVAL, at, "the items of this list must be scalars");
		k.n = 1;
		return merge_plain(m, &k, ours, theirs, item, list);
	}
	if (!ours->n && !theirs->n)
		return PL_OK;
	struct merge_keys settled = k;
	if (keys_settle(&settled, ours, theirs))
		return merge_plain(m, &settled, ours, theirs, item, list);
	return merge_odd(m, &k, ours, theirs, at, item, list);
}

static bool same_items(const pl_node *a, const pl_node *b)
{
	size_t i = 0;
	if (!a || pl_len(a) != pl_len(b))
		return false;
	while (i < pl_len(a) && pl_item(a, i) == pl_item(b, i))
		i++;
	return i == pl_len(a);
}

static pl_status merge_associative(struct merge *m, pl_node *into, const pl_node *from, const pl_node *directive,
				   pl_type type, pl_node **out)
{
	pl_doc *d = m->b->doc;
	const pl_node *at = from ? from : into;
	struct items ours, theirs;
	items_of(into, from == into ? directive : NULL, &ours);
	if (from && from != into)
		items_of(from, directive, &theirs);
	else
		theirs = (struct items){NULL, 0};
	pl_node *list = pl_new_list(d);
	pl_set_at(d, list, d, into);
	pl_set_style(list, pl_style(into));
	pl_status st = merge_items(m, &ours, from == into ? &ours : &theirs, at, type, list);
	free(ours.v);
	free(theirs.v);
	*out = same_items(into, list) ? into : list;
	return st;
}

static bool associative(pl_type type)
{
	return (pl_type_strategy(type) & PL_PATCH_MERGE) != 0;
}

pl_status merge_list(struct merge *m, pl_node *into, const pl_node *from, pl_type type, pl_node **out)
{
	pl_doc *d = m->b->doc;
	const pl_node *item = NULL;
	*out = NULL;
	if (from && merge_is_null(from))
		return PL_OK;
	if (!associative(type)) {
		*out = !from || from == into ? into : pl_copy(d, d, from);
		return PL_OK;
	}
	if (merge_is_null(into)) {
		pl_node *copy = pl_copy(d, d, from);
		return merge_associative(m, copy, copy, NULL, type, out);
	}
	enum directive said = list_directive(from, &item);
	if (said == DIRECTIVE_UNKNOWN)
		return directive_unknown(m, item);
	if (said == DIRECTIVE_DELETE)
		return PL_OK;
	if (said == DIRECTIVE_NONE)
		item = NULL;
	if (said == DIRECTIVE_REPLACE && from != into) {
		pl_node *copy = pl_copy(d, d, from);
		(void)list_directive(copy, &item);
		return merge_associative(m, copy, copy, item, type, out);
	}
	return merge_associative(m, into, from, item, type, out);
}
