/* SPDX-License-Identifier: Apache-2.0 */
/* Maps and lists as the field prints them: two blanks a level, lists in maps not indented, keys in order. */
#include "core/doc/yaml_field.h"

#include "core/base/mem.h"

enum { DEEPEST = 10000, FEW = 32 };

struct printer {
	struct buf *out;
	pl_err *e;
	size_t depth;
	size_t flow; /* of the containers around, those that were written in brackets */
};

typedef pl_node *const *pair;

static pl_status print_map(struct printer *p, const pl_node *map, size_t indent, bool on_line);
static pl_status print_list(struct printer *p, const pl_node *list, size_t indent, bool on_line);

static pl_status fail(const struct printer *p, pl_status code, const pl_node *n, const char *what)
{
	return pl_err_set(p->e, code, (pl_place){NULL, n->line, n->col}, "%s", what);
}

static void end_line(struct printer *p)
{
	if (!field_at_line_start(p->out))
		buf_addc(p->out, '\n');
}

/* indent is the column of the container that n is in; below: n is the value of a simple key. */
static pl_status print_value(struct printer *p, const pl_node *n, size_t indent, bool below)
{
	bool map = node_kind(n) == PL_MAP;
	pl_status st;

	if (node_is_container(n) && n->len) {
		buf_addc(p->out, below ? '\n' : ' ');
		return map ? print_map(p, n, indent + 2, !below)
			   : print_list(p, n, below ? indent : indent + 2, !below);
	}
	buf_addc(p->out, ' ');
	if (node_is_container(n)) {
		buf_add(p->out, map ? S("{}") : S("[]"));
		st = PL_OK;
	} else {
		st = field_value(n, indent + 2, p->flow > 0, p->out, p->e);
	}
	end_line(p);
	return st;
}

static pl_status print_pair(struct printer *p, pair kv, size_t indent)
{
	bool complex;
	pl_status st = field_key(kv[0], indent + 2, p->out, &complex, p->e);

	if (st)
		return st;
	if (complex) {
		end_line(p);
		buf_addn(p->out, ' ', indent);
	}
	buf_addc(p->out, ':');
	return print_value(p, kv[1], indent, !complex);
}

static int by_key(const void *a, const void *b)
{
	return field_key_cmp(node_text(**(const pair *)a), node_text(**(const pair *)b));
}

/* Maps are short or in order already, mostly both. */
static void sort_pairs(pair *v, size_t n)
{
	size_t ordered = 1;

	while (ordered < n && by_key(&v[ordered - 1], &v[ordered]) <= 0)
		ordered++;
	if (ordered >= n)
		return;
	if (n > FEW) {
		qsort(v, n, sizeof(*v), by_key);
		return;
	}
	for (size_t i = ordered; i < n; i++) {
		pair moved = v[i];
		size_t j = i;

		for (; j && by_key(&v[j - 1], &moved) > 0; j--)
			v[j] = v[j - 1];
		v[j] = moved;
	}
}

static pl_status enter(struct printer *p, const pl_node *n)
{
	p->flow += pl_style(n) == PL_STYLE_FLOW;
	return ++p->depth > DEEPEST ? fail(p, PL_ETOOBIG, n, "nested more than 10000 levels deep") : PL_OK;
}

static void leave(struct printer *p, const pl_node *n)
{
	p->flow -= pl_style(n) == PL_STYLE_FLOW;
	p->depth--;
}

static pl_status print_map(struct printer *p, const pl_node *map, size_t indent, bool on_line)
{
	pair few[FEW], *v = map->len > FEW ? mem_alloc(map->len * sizeof(*v)) : few;
	pl_status st = enter(p, map);

	for (size_t i = 0; i < map->len; i++)
		v[i] = map->u.kids + 2 * i;
	sort_pairs(v, map->len);
	for (size_t i = 0; !st && i < map->len; i++) {
		if (i || !on_line)
			buf_addn(p->out, ' ', indent);
		st = print_pair(p, v[i], indent);
	}
	if (v != few)
		free(v);
	leave(p, map);
	return st;
}

static pl_status print_list(struct printer *p, const pl_node *list, size_t indent, bool on_line)
{
	pl_status st = enter(p, list);

	for (size_t i = 0; !st && i < list->len; i++) {
		if (i || !on_line)
			buf_addn(p->out, ' ', indent);
		buf_addc(p->out, '-');
		st = print_value(p, list->u.kids[i], indent, false);
	}
	leave(p, list);
	return st;
}

pl_status field_print(const pl_node *n, struct buf *out, pl_err *e)
{
	struct printer p = {.out = out, .e = e};
	pl_status st = PL_OK;

	if (node_kind(n) == PL_MAP && n->len)
		return print_map(&p, n, 0, false);
	if (node_kind(n) == PL_LIST && n->len)
		return print_list(&p, n, 0, false);
	if (node_is_container(n))
		buf_add(out, node_kind(n) == PL_MAP ? S("{}") : S("[]"));
	else
		st = field_value(n, 2, false, out, e);
	end_line(&p);
	return st;
}
