/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge_odd.c - lists with items that lack a merge key.
 *
 * Such lists are mostly mistakes (a container without a name), but ports that leave out their protocol are common, and
 * what Kustomize makes of both follows from how it searches: each look-up is a pass over the list, an absent value
 * matches what has none, and where a value is looked for to be replaced, an empty one matches any. So this goes the
 * same way, step by step, and costs the square of the list's length, which is why the length is limited.
 */
#include "merge_list.h"

enum { ODD_MAX = 4096 };

struct tuple {
	pl_str v[KEYS_MAX];
};

struct tuples {
	struct tuple *v;
	size_t n;
};

static void *need(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

/* ---- the values of the keys ---- */

static bool tuple_equal(const struct tuple *a, const struct tuple *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	return true;
}

static void tuples_add(struct tuples *l, const struct merge_keys *k, const struct items *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct tuple t = {0};
		for (size_t j = 0; j < k->n; j++) {
			const pl_node *value = pl_get(from->v[i], k->names[j]);
			t.v[j] = merge_is_null(value) ? S("") : pl_text(value);
		}
		size_t at = 0;
		while (at < l->n && !tuple_equal(&l->v[at], &t, k->n))
			at++;
		if (at == l->n)
			l->v[l->n++] = t;
	}
}

/* Two tuples that say nothing against each other, and have something in common, are one. */
static bool tuples_agree(const struct tuple *a, const struct tuple *b, size_t n, struct tuple *both)
{
	bool common = false;
	for (size_t i = 0; i < n; i++) {
		if (str_eq(a->v[i], b->v[i]))
			common = true;
		else if (a->v[i].n && b->v[i].n)
			return false;
		both->v[i] = a->v[i].n ? a->v[i] : b->v[i];
	}
	return common;
}

static void tuples_join(struct tuples *l, size_t n)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct tuple mine = l->v[i];
		for (size_t j = 0; j < l->n; j++) {
			struct tuple both = {0};
			if (tuples_agree(&mine, &l->v[j], n, &both))
				l->v[i] = l->v[j] = both;
		}
	}
}

/* The keys for which `of` has a value, in any tuple; all of them when there is none. */
static void keys_given(const struct merge_keys *k, const struct tuple *of, size_t n, struct merge_keys *out,
		       size_t *where)
{
	*out = (struct merge_keys){.n = 0};
	for (size_t i = 0; i < k->n; i++) {
		bool given = false;
		for (size_t j = 0; j < n && !given; j++)
			given = of[j].v[i].n > 0;
		if (!given)
			continue;
		where[out->n] = i;
		out->names[out->n++] = k->names[i];
	}
	if (out->n)
		return;
	*out = *k;
	for (size_t i = 0; i < k->n; i++)
		where[i] = i;
}

static struct tuple pick(const struct tuple *t, const size_t *where, size_t n)
{
	struct tuple picked = {0};
	for (size_t i = 0; i < n; i++)
		picked.v[i] = t->v[where[i]];
	return picked;
}

/* ---- looking and setting ---- */

static pl_node *find(const struct items *l, const struct merge_keys *k, const struct tuple *t)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t j = 0;
		for (; j < k->n; j++) {
			const pl_node *value = pl_get(l->v[i], k->names[j]);
			if (!value || !str_eq(pl_text(value), t->v[j]))
				break;
		}
		if (j == k->n)
			return l->v[i];
	}
	return NULL;
}

struct search {
	const struct merge_keys *k;
	struct tuple t;
	size_t n; /* values in t */
};

static bool search_matches(const struct search *s, const pl_node *item)
{
	bool last = false;
	for (size_t i = 0; i < s->k->n; i++) {
		if (i < s->n) {
			const pl_node *value = pl_get(item, s->k->names[i]);
			last = value && (!s->t.v[i].n || str_eq(pl_text(value), s->t.v[i]));
		}
		if (!last)
			return false;
	}
	return true;
}

/* Every item that is found becomes `item`, or goes when that is NULL; none found: item is appended. */
static void put(struct items *l, const struct search *s, pl_node *item)
{
	size_t n = 0;
	bool there = false;
	for (size_t i = 0; i < l->n; i++) {
		pl_node *old = l->v[i];
		bool map = pl_kind(old) == PL_MAP;
		if (merge_is_null(old) || (map && !pl_len(old)))
			continue;
		if (!(map && search_matches(s, old))) {
			if (s->n)
				l->v[n++] = old;
			continue;
		}
		there = true;
		if (item)
			l->v[n++] = item;
	}
	l->n = n;
	if (item && !there)
		l->v[l->n++] = item;
}

/* ---- the merge ---- */

static void swap_item(struct items *l, const pl_node *old, pl_node *new)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == old)
			l->v[i] = new;
}

static pl_status walk_tuple(struct merge *m, const struct merge_keys *k, const struct tuple *t, struct items *ours,
			    const struct items *theirs, pl_type type, pl_node **out)
{
	struct merge_keys given;
	size_t where[KEYS_MAX] = {0};
	keys_given(k, t, 1, &given, where);
	struct tuple picked = pick(t, where, given.n);
	pl_node *mine = find(ours, &given, &picked), *other = find(theirs, &given, &picked);
	enum directive said = directive_read(other);
	pl_status st = merge_walk(m, mine, other, type, out);
	/* it is done once, even where the item is found a second time */
	if (said == DIRECTIVE_MERGE || said == DIRECTIVE_REPLACE || said == DIRECTIVE_DELETE)
		(void)pl_remove(m->b->doc, other, S(DIRECTIVE_KEY));
	if (!st && *out && mine && !(other != mine && said == DIRECTIVE_REPLACE))
		swap_item(ours, mine, *out);
	return st;
}

static void take_item(struct items *result, const struct merge_keys *k, pl_node *item)
{
	struct search s = {.k = k};
	for (size_t i = 0; i < k->n; i++) {
		const pl_node *value = pl_get(item, k->names[i]);
		if (value)
			s.t.v[s.n++] = pl_text(value);
		else
			result->v[result->n++] = item;
	}
	if (k->n > 1)
		put(result, &s, NULL);
	put(result, &s, item);
}

static pl_status merge_tuples(struct merge *m, const struct merge_keys *k, const struct tuples *l, struct items *ours,
			      const struct items *theirs, pl_type type, struct items *result)
{
	struct merge_keys valid;
	size_t where[KEYS_MAX] = {0};
	keys_given(k, l->v, l->n, &valid, where);
	for (size_t i = 0; i < l->n; i++) {
		struct search s = {.k = &valid, .t = pick(&l->v[i], where, valid.n), .n = valid.n};
		pl_node *item;
		pl_status st = walk_tuple(m, &valid, &s.t, ours, theirs, type, &item);
		if (st)
			return st;
		if (item && pl_kind(item) == PL_MAP && !pl_len(item))
			item = NULL;
		put(item ? result : ours, &s, item);
	}
	for (size_t i = 0; i < ours->n; i++)
		take_item(result, &valid, ours->v[i]);
	return PL_OK;
}

pl_status merge_odd(struct merge *m, const struct merge_keys *k, struct items *ours, const struct items *theirs,
		    const pl_node *at, pl_type type, pl_node *list)
{
	size_t most = ours->n + theirs->n;
	if (most > ODD_MAX)
		return fail(m->b, PL_ETOOBIG, at, "a list of %zu items of which some lack the merge key '%.*s'", most,
			    F(k->names[0]));
	struct tuples tuples = {.v = need(most, sizeof(*tuples.v))};
	/* every item of ours may be appended once for each key that it lacks, and once more */
	struct items result = {.v = need(most + ours->n * (k->n + 1), sizeof(pl_node *))};
	struct items copies = {.v = need(theirs->n, sizeof(pl_node *))};
	for (; theirs != ours && copies.n < theirs->n; copies.n++)
		copies.v[copies.n] = pl_copy(m->b->doc, m->b->doc, theirs->v[copies.n]);
	if (theirs != ours)
		theirs = &copies;
	tuples_add(&tuples, k, theirs);
	tuples_add(&tuples, k, ours);
	if (k->n > 1)
		tuples_join(&tuples, k->n);
	pl_status st = merge_tuples(m, k, &tuples, ours, theirs, type, &result);
	for (size_t i = 0; i < result.n && !st; i++)
		st = pl_append(m->b->doc, list, result.v[i]);
	free(copies.v);
	free(result.v);
	free(tuples.v);
	return st;
}
