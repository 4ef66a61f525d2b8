/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML writer: block style, two blanks a level, lists in maps not indented, as kubectl and Kustomize print. */
#include "core/doc/private.h"
#include "core/doc/yaml_field.h"
#include "core/doc/yaml_write.h"

#include "core/base/mem.h"

/* Readers give up on a key that needs more than 1024 characters on its line; from here on it is written "? KEY". */
enum { LONGEST_KEY = 1000, DEEPEST = 10000 };

struct printer {
	uint32_t flags;
	struct buf *out;
	pl_err *e;
	size_t depth;
};

static pl_status print_map(struct printer *p, const pl_node *map, size_t indent, bool on_line);
static pl_status print_list(struct printer *p, const pl_node *list, size_t indent, bool on_line);

/* What stands behind a key that has its own line: the list begins below the key itself. */
static pl_status print_below(struct printer *p, const pl_node *n, size_t indent)
{
	buf_addc(p->out, '\n');
	return node_kind(n) == PL_MAP ? print_map(p, n, indent + 2, false) : print_list(p, n, indent, false);
}

/* What stands behind "-", "?" or ":" and goes on in the same line. */
static pl_status print_beside(struct printer *p, const pl_node *n, size_t indent)
{
	return node_kind(n) == PL_MAP ? print_map(p, n, indent + 2, true) : print_list(p, n, indent + 2, true);
}

/* indent is the column of the container that n is in. */
static pl_status print_value(struct printer *p, const pl_node *n, size_t indent, bool below)
{
	pl_status st = PL_OK;

	if (node_is_container(n) && n->len) {
		if (below)
			return print_below(p, n, indent);
		buf_addc(p->out, ' ');
		return print_beside(p, n, indent);
	}
	if (node_is_container(n)) {
		buf_addz(p->out, node_kind(n) == PL_MAP ? " {}" : " []");
	} else {
		buf_addc(p->out, ' ');
		st = yaml_print_scalar(n, p->flags, indent + 2, false, p->out, p->e);
	}
	buf_addc(p->out, '\n');
	return st;
}

static pl_status enter(struct printer *p, const pl_node *n)
{
	if (++p->depth > DEEPEST)
		return pl_err_set(p->e, PL_ETOOBIG, (pl_place){NULL, n->line, n->col},
				  "nested more than %d levels deep", DEEPEST);
	return PL_OK;
}

static pl_status print_pair(struct printer *p, const pl_node *key, const pl_node *value, size_t indent)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	pl_status st = yaml_print_scalar(key, p->flags, indent + 2, true, &text, p->e);
	bool lengthy = text.n > LONGEST_KEY;

	if (lengthy)
		buf_addz(p->out, "? ");
	buf_add(p->out, buf_str(&text));
	buf_free(&text);
	if (lengthy) {
		buf_addc(p->out, '\n');
		buf_addn(p->out, ' ', indent);
	}
	buf_addc(p->out, ':');
	return st ? st : print_value(p, value, indent, !lengthy);
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(node_text(**(pl_node *const *const *)a), node_text(**(pl_node *const *const *)b));
}

static pl_status print_map(struct printer *p, const pl_node *map, size_t indent, bool on_line)
{
	pl_node *const **pairs = NULL;
	pl_status st = enter(p, map);

	if (p->flags & PL_PRINT_SORTED) {
		pairs = mem_alloc(map->len * sizeof(*pairs));
		for (size_t i = 0; i < map->len; i++)
			pairs[i] = map->u.kids + 2 * i;
		qsort(pairs, map->len, sizeof(*pairs), by_key);
	}
	for (size_t i = 0; !st && i < map->len; i++) {
		pl_node *const *pair = pairs ? pairs[i] : map->u.kids + 2 * i;

		if (i || !on_line)
			buf_addn(p->out, ' ', indent);
		st = print_pair(p, pair[0], pair[1], indent);
	}
	free(pairs);
	p->depth--;
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
	p->depth--;
	return st;
}

pl_status yaml_print(const pl_node *n, uint32_t flags, struct buf *out, struct pl_err *e)
{
	struct printer p = {.flags = flags, .out = out, .e = e};
	pl_status st;

	if (!n)
		return pl_err_set(e, PL_EINVAL, NOWHERE, "there is no value to write");
	if (flags & PL_PRINT_FIELD) {
		st = field_print(n, out, e);
	} else if (node_is_container(n) && n->len) {
		st = node_kind(n) == PL_MAP ? print_map(&p, n, 0, false) : print_list(&p, n, 0, false);
	} else {
		if (node_is_container(n))
			buf_addz(out, node_kind(n) == PL_MAP ? "{}" : "[]");
		st = node_is_container(n) ? PL_OK : yaml_print_scalar(n, flags, 2, false, out, e);
		buf_addc(out, '\n');
	}
	if (!st && buf_full(out))
		st = pl_err_set(e, PL_ETOOBIG, NOWHERE, "the YAML text is bigger than %zu bytes", out->max);
	return st;
}

pl_status pl_yaml_write(const pl_node *n, uint32_t flags, char **text, size_t *len, pl_err *e)
{
	struct buf out = BUF_INIT(SIZE_MAX);
	pl_status st = yaml_print(n, flags, &out, e);

	*text = NULL;
	*len = 0;
	if (!st)
		*text = buf_detach(&out, len);
	buf_free(&out);
	return st;
}
