/* SPDX-License-Identifier: Apache-2.0 */
/* Unified diffs, letter by letter as `diff -u` writes them. */
#include "core/doc/lcs.h"
#include "core/doc/node.h"
#include "core/doc/private.h"

#include "core/base/mem.h"

struct text {
	pl_str *lines; /* each with its line end, if it has one */
	uint32_t *ids;
	size_t n, cap;
	bool *changed;
	struct lcs_side side;
};

/* Some lines of both texts, from..to each. */
struct span {
	size_t a0, a1, b0, b1;
};

static bool cut_lines(struct text *t, pl_str s)
{
	while (s.n > 0) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t n = end ? (size_t)(end - s.p) + 1 : s.n;

		if (t->n == INT32_MAX)
			return false;
		t->lines = mem_grow(t->lines, &t->cap, t->n + 1, sizeof(*t->lines));
		t->lines[t->n++] = (pl_str){s.p, n};
		s = (pl_str){s.p + n, s.n - n};
	}
	return true;
}

static void number_lines(struct text *t, struct keyset *set)
{
	size_t i, id;

	t->ids = mem_alloc((t->n + 1) * sizeof(*t->ids));
	for (i = 0; i < t->n; i++) {
		id = keyset_add(set, t->lines[i], set->n);
		t->ids[i] = (uint32_t)(id == SIZE_MAX ? set->n - 1 : id);
	}
	t->changed = mem_zalloc(t->n + 2);
	t->side = (struct lcs_side){t->ids, t->n, t->changed};
}

static void free_text(struct text *t)
{
	free(t->lines);
	free(t->ids);
	free(t->changed);
}

/* ---- hunks ---- */

/* The next change from a0 and b0 on, of one or both sides. */
static bool next_change(const struct text *a, const struct text *b, struct span *s)
{
	const bool *x = a->changed + 1, *y = b->changed + 1;

	while (s->a0 < a->n && s->b0 < b->n && !x[s->a0] && !y[s->b0]) {
		s->a0++;
		s->b0++;
	}
	s->a1 = s->a0;
	s->b1 = s->b0;
	while (x[s->a1])
		s->a1++;
	while (y[s->b1])
		s->b1++;
	return s->a1 > s->a0 || s->b1 > s->b0;
}

static void add_line(struct buf *out, char sign, pl_str line)
{
	buf_addc(out, sign);
	buf_add(out, line);
	if (line.p[line.n - 1] != '\n')
		buf_add(out, S("\n\\ No newline at end of file\n"));
}

/* "5,3"; one line is "5", and none is told by the line before. */
static void add_range(struct buf *out, size_t from, size_t to)
{
	if (to - from == 1)
		buf_addf(out, "%zu", from + 1);
	else
		buf_addf(out, "%zu,%zu", to == from ? from : from + 1, to - from);
}

static void add_hunk(const struct text *a, const struct text *b, struct span h, struct buf *out)
{
	const bool *x = a->changed + 1, *y = b->changed + 1;

	buf_add(out, S("@@ -"));
	add_range(out, h.a0, h.a1);
	buf_add(out, S(" +"));
	add_range(out, h.b0, h.b1);
	buf_add(out, S(" @@\n"));
	while (h.a0 < h.a1 || h.b0 < h.b1) {
		if (h.a0 < h.a1 && x[h.a0]) {
			add_line(out, '-', a->lines[h.a0++]);
		} else if (h.b0 < h.b1 && y[h.b0]) {
			add_line(out, '+', b->lines[h.b0++]);
		} else {
			add_line(out, ' ', a->lines[h.a0++]);
			h.b0++;
		}
	}
}

/* Changes with at most 2 × context lines between them share a hunk. */
static void add_hunks(const struct text *a, const struct text *b, size_t context, struct buf *out)
{
	struct span s = {0, 0, 0, 0}, h;
	bool more = next_change(a, b, &s);

	while (more && !buf_full(out)) {
		size_t before = s.a0 < context ? s.a0 : context, after;

		h = (struct span){s.a0 - before, s.a1, s.b0 - before, s.b1};
		for (;;) {
			s = (struct span){s.a1, 0, s.b1, 0};
			more = next_change(a, b, &s);
			if (!more || s.a0 - h.a1 > 2 * context)
				break;
			h.a1 = s.a1;
			h.b1 = s.b1;
		}
		after = a->n - h.a1 < context ? a->n - h.a1 : context;
		h.a1 += after;
		h.b1 += after;
		add_hunk(a, b, h, out);
	}
}

pl_status text_diff(pl_str a, pl_str b, const char *label_a, const char *label_b, uint32_t context, struct buf *out)
{
	struct text x = {0}, y = {0};
	struct keyset set = {.seed = (uintptr_t)out};
	bool fits;

	if (str_eq(a, b))
		return PL_OK;
	fits = cut_lines(&x, a) && cut_lines(&y, b);
	if (fits) {
		number_lines(&x, &set);
		number_lines(&y, &set);
		lcs_compare(&x.side, &y.side, set.n);
		buf_addf(out, "--- %s\n+++ %s\n", label_a, label_b);
		add_hunks(&x, &y, context, out);
	}
	keyset_free(&set);
	free_text(&x);
	free_text(&y);
	return fits && !buf_full(out) ? PL_OK : PL_ETOOBIG;
}

pl_status pl_text_diff(pl_str a, pl_str b, const char *label_a, const char *label_b, uint32_t context, char **text,
		       size_t *len, pl_err *e)
{
	struct buf out = BUF_INIT(SIZE_MAX / 4);
	pl_status st = text_diff(a, b, label_a, label_b, context, &out);

	*text = NULL;
	*len = 0;
	if (st == PL_OK)
		*text = buf_detach(&out, len);
	else
		pl_err_set(e, st, NOWHERE, "texts of %zu and %zu bytes have too many lines to compare", a.n, b.n);
	buf_free(&out);
	return st;
}
