/* SPDX-License-Identifier: Apache-2.0 */
/* JSON out of trees, without recursion: a program may build a tree as deep as it likes. */
#include "core/doc/json_scan.h"
#include "core/doc/node.h"
#include "core/doc/private.h"

#include "core/base/mem.h"

/* Inside only: numbers in their one form, for digests. */
enum { PRINT_CANONICAL = 1 << 30 };

struct level {
	const pl_node *node;
	uint32_t i;
	uint32_t *order; /* of the pairs, when sorted; malloc'ed */
};

struct json_writer {
	struct buf *out;
	uint32_t flags;
	pl_err *e;
	struct level *levels;
	size_t depth, cap;
};

static pl_status fail(const struct json_writer *w, const pl_node *n, const char *what)
{
	return pl_err_set(w->e, PL_EINVAL, (pl_place){NULL, n->line, n->col}, "%s", what);
}

/* ---- scalars ---- */

static void add_unicode(struct buf *out, uint32_t c)
{
	if (c < 0x10000) {
		buf_addf(out, "\\u%04x", c);
		return;
	}
	c -= 0x10000;
	buf_addf(out, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

static uint32_t decode(const char *p, size_t n)
{
	uint32_t c = (unsigned char)*p & (0x7fu >> n);
	size_t i;

	for (i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3fu);
	return c;
}

static void add_escape(struct buf *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", into[] = "\"\\bfnrt";
	const char *known = c ? strchr(from, c) : NULL;

	if (!known) {
		add_unicode(out, (unsigned char)c);
		return;
	}
	buf_addc(out, '\\');
	buf_addc(out, into[known - from]);
}

/* Text up to the first byte that can't stay as it is. */
static const char *add_plain(struct buf *out, const char *p, const char *end, bool ascii)
{
	const char *stop = scan_string(p, end), *delete;

	if (ascii && (delete = memchr(p, 0x7f, (size_t)(stop - p))) != NULL)
		stop = delete;
	buf_add(out, (pl_str){p, (size_t)(stop - p)});
	return stop;
}

static pl_status add_string(const struct json_writer *w, const pl_node *n)
{
	const char *p = n->u.s, *end = p + n->len;
	bool ascii = w->flags & PL_PRINT_ASCII;

	buf_addc(w->out, '"');
	while ((p = add_plain(w->out, p, end, ascii)) < end) {
		size_t k;

		if ((unsigned char)*p < 0x80) {
			add_escape(w->out, *p++);
			continue;
		}
		k = scan_utf8(p, end);
		if (k == 0)
			return fail(w, n, "a string is not UTF-8, so it has no JSON");
		if (ascii)
			add_unicode(w->out, decode(p, k));
		else
			buf_add(w->out, (pl_str){p, k});
		p += k;
	}
	buf_addc(w->out, '"');
	return PL_OK;
}

static pl_status add_scalar(const struct json_writer *w, const pl_node *n)
{
	switch (node_kind(n)) {
	case PL_NULL:
		buf_add(w->out, S("null"));
		return PL_OK;
	case PL_BOOL:
		buf_add(w->out, n->meta & NODE_TRUE ? S("true") : S("false"));
		return PL_OK;
	case PL_STRING:
		return add_string(w, n);
	case PL_NUMBER:
		if (!(w->flags & PRINT_CANONICAL) || !number_is_json(node_text(n))) {
			size_t at = w->out->n;

			if (number_json(n, w->out))
				return pl_err_set(w->e, PL_EINVAL, (pl_place){NULL, n->line, n->col},
						  "number '%.*s' has no JSON", n->len > 80 ? 80 : (int)n->len, n->u.s);
			if (!(w->flags & PRINT_CANONICAL))
				return PL_OK;
			buf_cut(w->out, at);
		}
		number_canonical(n, w->out);
		return PL_OK;
	}
	return fail(w, n, "a plain scalar without a kind has no JSON");
}

/* ---- containers ---- */

static int order_cmp(const void *a, const void *b, void *kids)
{
	pl_node *const *k = kids;
	const pl_node *x = k[2 * (size_t) * (const uint32_t *)a], *y = k[2 * (size_t) * (const uint32_t *)b];

	return str_cmp(node_text(x), node_text(y));
}

static pl_status check_pairs(const struct json_writer *w, const pl_node *map)
{
	size_t i;

	for (i = 0; i < map->len; i++)
		if (node_is_container(map->u.kids[2 * i]))
			return fail(w, map->u.kids[2 * i], "a key that is a list or a map has no JSON");
	return PL_OK;
}

static uint32_t *sorted(const pl_node *map)
{
	uint32_t *order = mem_alloc(map->len * sizeof(*order)), i;
	bool in_order = true;

	for (i = 0; i < map->len; i++) {
		order[i] = i;
		if (i && in_order)
			in_order = str_cmp(node_text(map->u.kids[2 * i - 2]), node_text(map->u.kids[2 * i])) < 0;
	}
	if (!in_order)
		qsort_r(order, map->len, sizeof(*order), order_cmp, (void *)map->u.kids);
	return order;
}

static void new_line(const struct json_writer *w)
{
	if (!(w->flags & PL_PRINT_INDENT))
		return;
	buf_addc(w->out, '\n');
	buf_addn(w->out, ' ', 2 * w->depth);
}

static pl_status add_node(struct json_writer *w, const pl_node *n)
{
	bool map = node_kind(n) == PL_MAP;
	uint32_t *order = NULL;

	if (!node_is_container(n))
		return add_scalar(w, n);
	if (n->len == 0) {
		buf_add(w->out, map ? S("{}") : S("[]"));
		return PL_OK;
	}
	if (map && check_pairs(w, n))
		return PL_EINVAL;
	if (map && w->flags & PL_PRINT_SORTED)
		order = sorted(n);
	buf_addc(w->out, map ? '{' : '[');
	w->levels = mem_grow(w->levels, &w->cap, w->depth + 1, sizeof(*w->levels));
	w->levels[w->depth++] = (struct level){n, 0, order};
	return PL_OK;
}

/* The next child of the innermost container, or its end. */
static pl_status add_next(struct json_writer *w)
{
	struct level *l = &w->levels[w->depth - 1];
	const pl_node *n = l->node;
	bool map = node_kind(n) == PL_MAP;
	size_t i;

	if (l->i == n->len) {
		free(l->order);
		w->depth--;
		new_line(w);
		buf_addc(w->out, map ? '}' : ']');
		return PL_OK;
	}
	if (l->i)
		buf_addc(w->out, ',');
	new_line(w);
	i = l->order ? l->order[l->i] : l->i;
	l->i++;
	if (!map)
		return add_node(w, n->u.kids[i]);
	if (add_string(w, n->u.kids[2 * i]))
		return PL_EINVAL;
	buf_add(w->out, w->flags & PL_PRINT_INDENT ? S(": ") : S(":"));
	return add_node(w, n->u.kids[2 * i + 1]);
}

pl_status json_print(const pl_node *n, uint32_t flags, struct buf *out, struct pl_err *e)
{
	struct json_writer w = {.out = out, .flags = flags, .e = e};
	pl_status st;

	if (!n)
		return pl_err_set(e, PL_EINVAL, NOWHERE, "there is no value to print");
	st = add_node(&w, n);
	while (st == PL_OK && w.depth > 0 && !buf_full(out))
		st = add_next(&w);
	while (w.depth > 0)
		free(w.levels[--w.depth].order);
	free(w.levels);
	if (st == PL_OK && buf_full(out))
		st = pl_err_set(e, PL_ETOOBIG, NOWHERE, "the JSON text is larger than %zu bytes", out->max);
	return st;
}

pl_status pl_json_write(const pl_node *n, uint32_t flags, char **text, size_t *len, pl_err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	pl_status st = json_print(n, flags & (PL_PRINT_SORTED | PL_PRINT_INDENT | PL_PRINT_ASCII), &b, e);

	*text = NULL;
	*len = 0;
	if (st == PL_OK)
		*text = buf_detach(&b, len);
	buf_free(&b);
	return st;
}

pl_status node_digest(const pl_node *n, char to[HASH_TEXT], struct pl_err *e)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	uint8_t sum[HASH_SIZE];
	pl_status st = json_print(n, PL_PRINT_SORTED | PRINT_CANONICAL, &b, e);

	if (st == PL_OK) {
		hash_of(buf_str(&b), sum);
		hash_hex(sum, to);
	}
	buf_free(&b);
	return st;
}
