/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/lcs.h"

#include "core/base/mem.h"

/*
 * Edits searched from either end of a box before it is given up and taken as changed altogether: 4096 edits each way
 * over two long unlike texts cost some ten million steps.
 */
enum { MOST_EDITS = 4096 };

/* Items that both sides have, by their position on their side. */
struct seq {
	uint32_t *id;
	uint32_t *at;
	ptrdiff_t n;
	bool *changed;
};

struct box {
	ptrdiff_t x0, x1, y0, y1;
};

struct search {
	struct seq a, b;
	ptrdiff_t *forward, *backward; /* by diagonal x - y: how far x has come */
	struct box *boxes;
	size_t n, cap;
};

/* What only one side has is changed for sure, and is not searched. */
static void keep_common(struct seq *s, const struct lcs_side *side, const bool *other_has)
{
	size_t i;

	s->id = mem_alloc((side->n + 1) * sizeof(*s->id));
	s->at = mem_alloc((side->n + 1) * sizeof(*s->at));
	s->changed = side->changed + 1;
	for (i = 0; i < side->n; i++) {
		if (other_has[side->id[i]]) {
			s->id[s->n] = side->id[i];
			s->at[s->n++] = (uint32_t)i;
		} else {
			s->changed[i] = true;
		}
	}
}

static void mark(struct seq *s, ptrdiff_t from, ptrdiff_t to)
{
	for (; from < to; from++)
		s->changed[s->at[from]] = true;
}

/* The diagonals reached so far by one of the two searches. */
struct front {
	ptrdiff_t *v, min, max;
};

/* One diagonal more at both ends, as far as the box goes; what lies behind gets the value that never wins. */
static void widen(struct front *f, const struct box *b, ptrdiff_t never)
{
	if (f->min > b->x0 - b->y1)
		f->v[--f->min - 1] = never;
	else
		f->min++;
	if (f->max < b->x1 - b->y0)
		f->v[++f->max + 1] = never;
	else
		f->max--;
}

static bool on(const struct front *f, ptrdiff_t d)
{
	return d >= f->min && d <= f->max;
}

static bool step_forward(const struct search *s, const struct box *b, struct front *f, const struct front *other,
			 bool meets, ptrdiff_t *mx, ptrdiff_t *my)
{
	ptrdiff_t d, x, y;

	widen(f, b, -1);
	for (d = f->max; d >= f->min; d -= 2) {
		x = f->v[d - 1] < f->v[d + 1] ? f->v[d + 1] : f->v[d - 1] + 1;
		for (y = x - d; x < b->x1 && y < b->y1 && s->a.id[x] == s->b.id[y]; x++)
			y++;
		f->v[d] = x;
		if (meets && on(other, d) && other->v[d] <= x) {
			*mx = x;
			*my = y;
			return true;
		}
	}
	return false;
}

static bool step_backward(const struct search *s, const struct box *b, struct front *f, const struct front *other,
			  bool meets, ptrdiff_t *mx, ptrdiff_t *my)
{
	ptrdiff_t d, x, y;

	widen(f, b, PTRDIFF_MAX);
	for (d = f->max; d >= f->min; d -= 2) {
		x = f->v[d - 1] < f->v[d + 1] ? f->v[d - 1] : f->v[d + 1] - 1;
		for (y = x - d; x > b->x0 && y > b->y0 && s->a.id[x - 1] == s->b.id[y - 1]; x--)
			y--;
		f->v[d] = x;
		if (meets && on(other, d) && x <= other->v[d]) {
			*mx = x;
			*my = y;
			return true;
		}
	}
	return false;
}

/* A point that a shortest edit of the box goes through; false when the edits are too many. */
static bool find_middle(const struct search *s, const struct box *b, ptrdiff_t *x, ptrdiff_t *y)
{
	ptrdiff_t first = b->x0 - b->y0, last = b->x1 - b->y1;
	struct front f = {s->forward, first, first}, r = {s->backward, last, last};
	bool odd = (first - last) & 1;
	int edits;

	f.v[first] = b->x0;
	r.v[last] = b->x1;
	for (edits = 0; edits < MOST_EDITS; edits++) {
		if (step_forward(s, b, &f, &r, odd, x, y))
			return true;
		if (step_backward(s, b, &r, &f, !odd, x, y))
			return true;
	}
	return false;
}

static void push(struct search *s, struct box b)
{
	s->boxes = mem_grow(s->boxes, &s->cap, s->n + 1, sizeof(*s->boxes));
	s->boxes[s->n++] = b;
}

static void search_box(struct search *s, struct box b)
{
	ptrdiff_t x, y;

	while (b.x0 < b.x1 && b.y0 < b.y1 && s->a.id[b.x0] == s->b.id[b.y0]) {
		b.x0++;
		b.y0++;
	}
	while (b.x0 < b.x1 && b.y0 < b.y1 && s->a.id[b.x1 - 1] == s->b.id[b.y1 - 1]) {
		b.x1--;
		b.y1--;
	}
	if (b.x0 < b.x1 && b.y0 < b.y1 && find_middle(s, &b, &x, &y)) {
		push(s, (struct box){x, b.x1, y, b.y1});
		push(s, (struct box){b.x0, x, b.y0, y});
	} else {
		mark(&s->a, b.x0, b.x1);
		mark(&s->b, b.y0, b.y1);
	}
}

static bool *present(const struct lcs_side *side, size_t ids)
{
	bool *has = mem_zalloc(ids + 1);
	size_t i;

	for (i = 0; i < side->n; i++)
		has[side->id[i]] = true;
	return has;
}

/* ---- where a change lies among equal lines ---- */

/* A run of changed items [start, end) of one side; other is the position on the other side behind what matches. */
struct run {
	const struct lcs_side *s;
	bool *changed;
	const bool *other_changed;
	size_t start, end, other;
};

static void slide_back(struct run *r)
{
	r->changed[--r->start] = true;
	r->changed[--r->end] = false;
	while (r->changed[(ptrdiff_t)r->start - 1])
		r->start--;
	while (r->other_changed[(ptrdiff_t)--r->other])
		;
}

static bool can_slide_back(const struct run *r)
{
	return r->start > 0 && r->s->id[r->start - 1] == r->s->id[r->end - 1];
}

/* To the last place it can stand, taking in runs on the way; gives back where it last stood beside a change of the
 * other side. */
static size_t slide_on(struct run *r)
{
	size_t beside = r->other_changed[(ptrdiff_t)r->other - 1] ? r->end : r->s->n;

	while (r->end < r->s->n && r->s->id[r->start] == r->s->id[r->end]) {
		r->changed[r->start++] = false;
		r->changed[r->end++] = true;
		while (r->changed[r->end])
			r->end++;
		while (r->other_changed[++r->other])
			beside = r->end;
	}
	return beside;
}

/* Moves each run of changes as far down as it goes, merging runs; then back beside a change of the other side, if there
 * was one. */
static void settle(struct lcs_side *s, struct lcs_side *other)
{
	struct run r = {.s = s, .changed = s->changed + 1, .other_changed = other->changed + 1};
	size_t length, beside, i = 0, j = 0;

	for (;;) {
		for (; i < s->n && !r.changed[i]; i++, j++)
			while (r.other_changed[j])
				j++;
		if (i == s->n)
			return;
		r.start = r.end = i;
		while (r.changed[r.end])
			r.end++;
		while (r.other_changed[j])
			j++;
		r.other = j;
		do {
			length = r.end - r.start;
			while (can_slide_back(&r))
				slide_back(&r);
			beside = slide_on(&r);
		} while (length != r.end - r.start);
		while (beside < r.end)
			slide_back(&r);
		i = r.end;
		j = r.other;
	}
}

void lcs_compare(struct lcs_side *a, struct lcs_side *b, size_t ids)
{
	struct search s = {.n = 0};
	bool *in_a = present(a, ids), *in_b = present(b, ids);
	ptrdiff_t *room, diagonals;

	keep_common(&s.a, a, in_b);
	keep_common(&s.b, b, in_a);
	diagonals = s.a.n + s.b.n + 3;
	room = mem_alloc(2 * (size_t)diagonals * sizeof(*room));
	s.forward = room + s.b.n + 1;
	s.backward = s.forward + diagonals;
	push(&s, (struct box){0, s.a.n, 0, s.b.n});
	while (s.n > 0)
		search_box(&s, s.boxes[--s.n]);
	settle(a, b);
	settle(b, a);
	free(in_a);
	free(in_b);
	free(s.a.id);
	free(s.a.at);
	free(s.b.id);
	free(s.b.at);
	free(room);
	free(s.boxes);
}
