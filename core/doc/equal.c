/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/node.h"

#include "core/base/mem.h"

static bool same_text(const pl_node *a, const pl_node *b)
{
	return a->len == b->len && memcmp(a->u.s, b->u.s, a->len) == 0;
}

static bool same_number(const pl_node *a, const pl_node *b)
{
	struct buf x = BUF_INIT(SIZE_MAX / 2), y = x;
	bool same;

	if (same_text(a, b) && !((a->meta ^ b->meta) & NODE_OCTAL))
		return true;
	number_canonical(a, &x);
	number_canonical(b, &y);
	same = str_eq(buf_str(&x), buf_str(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

bool node_same_scalar(const pl_node *a, const pl_node *b)
{
	if (node_kind(a) != node_kind(b))
		return false;
	switch (node_kind(a)) {
	case PL_NULL:
		return true;
	case PL_BOOL:
		return !((a->meta ^ b->meta) & NODE_TRUE);
	case PL_NUMBER:
		return same_number(a, b);
	}
	return same_text(a, b);
}

/* ---- finding keys in a map that is asked for all of them ---- */

enum { LINEAR = 16 };

void finder_init(struct finder *f, const pl_node *map)
{
	size_t i;

	*f = (struct finder){.map = map};
	if (map->len <= LINEAR)
		return;
	/* The seed only has to be unknown to who wrote the document. */
	f->set.seed = (uintptr_t)map ^ (uintptr_t)f;
	for (i = 0; i < map->len; i++)
		if (!node_is_container(map->u.kids[2 * i]))
			keyset_add(&f->set, node_text(map->u.kids[2 * i]), i);
}

size_t finder_find(struct finder *f, const pl_node *key)
{
	const pl_node *map = f->map;

	if (node_is_container(key))
		return SIZE_MAX;
	/* Mostly both maps have the same order: look at the one behind the last found first. */
	if (f->next < map->len && !node_is_container(map->u.kids[2 * f->next]) &&
	    same_text(map->u.kids[2 * f->next], key))
		return f->next++;
	size_t i = map->len <= LINEAR ? node_find(map, node_text(key)) : keyset_find(&f->set, node_text(key));

	if (i != SIZE_MAX)
		f->next = i + 1;
	return i;
}

void finder_free(struct finder *f)
{
	keyset_free(&f->set);
}

/* ---- equality ---- */

struct pair {
	const pl_node *a, *b;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

static void push(struct pairs *p, const pl_node *a, const pl_node *b)
{
	p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = (struct pair){a, b};
}

/* Scalars at once; containers go on the stack. */
static bool same_or_push(struct pairs *p, const pl_node *a, const pl_node *b)
{
	if (a == b)
		return true;
	if (!node_is_container(a))
		return node_same_scalar(a, b);
	if (node_kind(a) != node_kind(b) || a->len != b->len)
		return false;
	if (a->len)
		push(p, a, b);
	return true;
}

static bool same_map(struct pairs *p, const pl_node *a, const pl_node *b)
{
	struct finder f;
	bool same = true;
	size_t i, j;

	finder_init(&f, b);
	for (i = 0; i < a->len && same; i++) {
		j = finder_find(&f, a->u.kids[2 * i]);
		same = j != SIZE_MAX && same_or_push(p, a->u.kids[2 * i + 1], b->u.kids[2 * j + 1]);
	}
	finder_free(&f);
	return same;
}

static bool same_list(struct pairs *p, const pl_node *a, const pl_node *b)
{
	size_t i;

	for (i = 0; i < a->len; i++)
		if (!same_or_push(p, a->u.kids[i], b->u.kids[i]))
			return false;
	return true;
}

int pl_equal(const pl_node *a, const pl_node *b)
{
	struct pairs p = {0};
	bool same;

	if (!a || !b)
		return a == b;
	same = same_or_push(&p, a, b);
	while (same && p.n > 0) {
		struct pair top = p.v[--p.n];

		same = node_kind(top.a) == PL_MAP ? same_map(&p, top.a, top.b) : same_list(&p, top.a, top.b);
	}
	free(p.v);
	return same;
}
