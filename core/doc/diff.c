/* SPDX-License-Identifier: Apache-2.0 */
/* The structural difference, without recursion: what one map has and the other lacks, and values that differ. */
#include "core/doc/node.h"

#include "core/base/mem.h"

struct level {
	const pl_node *a, *b;
	size_t i;		  /* of a's children, then of b's */
	bool second;		  /* a is through: what only b has */
	size_t path;		  /* the path's length up to here */
	struct finder in_a, in_b; /* maps only */
};

struct differ {
	struct level *levels;
	size_t depth, cap;
	struct buf path;
	pl_diff_fn fn;
	void *ctx;
};

static int tell(struct differ *d, const pl_node *a, const pl_node *b)
{
	return d->fn(d->ctx, (pl_str){d->path.p ? d->path.p : "", d->path.n}, a, b);
}

/* Both there: scalars and unlike kinds are told at once, like containers entered. */
static int compare(struct differ *d, const pl_node *a, const pl_node *b)
{
	struct level *l;

	if (a == b)
		return 0;
	if (node_kind(a) != node_kind(b))
		return tell(d, a, b);
	if (!node_is_container(a))
		return node_same_scalar(a, b) ? 0 : tell(d, a, b);
	d->levels = mem_grow(d->levels, &d->cap, d->depth + 1, sizeof(*d->levels));
	l = &d->levels[d->depth++];
	*l = (struct level){.a = a, .b = b, .path = d->path.n};
	if (node_kind(a) == PL_MAP) {
		finder_init(&l->in_a, a);
		finder_init(&l->in_b, b);
	}
	return 0;
}

static void add_key(struct buf *path, const pl_node *key)
{
	pl_str s = pl_text(key);
	size_t i;

	buf_addc(path, '/');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '~')
			buf_add(path, S("~0"));
		else if (s.p[i] == '/')
			buf_add(path, S("~1"));
		else
			buf_addc(path, s.p[i]);
	}
}

static int next_item(struct differ *d, struct level *l)
{
	const pl_node *a = pl_item(l->a, l->i), *b = pl_item(l->b, l->i);

	buf_addf(&d->path, "/%zu", l->i++);
	return a && b ? compare(d, a, b) : tell(d, a, b);
}

static int next_pair(struct differ *d, struct level *l)
{
	const pl_node *from = l->second ? l->b : l->a, *key = from->u.kids[2 * l->i],
		      *value = from->u.kids[2 * l->i + 1];
	size_t other = finder_find(l->second ? &l->in_a : &l->in_b, key);

	l->i++;
	if (l->second && other != SIZE_MAX)
		return 0;
	add_key(&d->path, key);
	if (l->second)
		return tell(d, NULL, value);
	return other == SIZE_MAX ? tell(d, value, NULL) : compare(d, value, l->b->u.kids[2 * other + 1]);
}

static void leave(struct differ *d)
{
	struct level *l = &d->levels[--d->depth];

	if (node_kind(l->a) == PL_MAP) {
		finder_free(&l->in_a);
		finder_free(&l->in_b);
	}
}

static int next(struct differ *d)
{
	struct level *l = &d->levels[d->depth - 1];

	buf_cut(&d->path, l->path);
	if (node_kind(l->a) == PL_LIST) {
		if (l->i < l->a->len || l->i < l->b->len)
			return next_item(d, l);
	} else {
		if (!l->second && l->i == l->a->len) {
			l->second = true;
			l->i = 0;
		}
		if (!l->second || l->i < l->b->len)
			return next_pair(d, l);
	}
	leave(d);
	return 0;
}

int pl_diff(const pl_node *a, const pl_node *b, pl_diff_fn fn, void *ctx)
{
	struct differ d = {.path = BUF_INIT(SIZE_MAX / 4), .fn = fn, .ctx = ctx};
	int stop = 0;

	if (!a || !b)
		stop = a == b ? 0 : tell(&d, a, b);
	else
		stop = compare(&d, a, b);
	while (!stop && d.depth > 0)
		stop = next(&d);
	while (d.depth > 0)
		leave(&d);
	free(d.levels);
	buf_free(&d.path);
	return stop;
}
