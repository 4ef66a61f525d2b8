/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patch_operations.c - JSON patches as Kustomize does them.
 *
 * They are looser than RFC 6902 (which pl_patch_json() keeps): negative indexes count from the end, what stands before
 * the first slash of a path is not looked at, a missing value is null, `replace` of a map's missing key adds it, `copy`
 * of one adds null, and a `test` for null holds for a key that is absent.
 */
#include "budget.h"
#include "patch.h"

#include <ctype.h>

struct place { /* what a path leads to: a step in a map or a list that is there */
	pl_node *in;
	pl_str key;
	size_t depth; /* of what stands there */
};

struct operation {
	struct build *b;
	pl_node **root;
	const pl_node *node; /* the operation, for places */
	pl_str name, path;
	const pl_node *value;
};

static pl_status cannot(const struct operation *o, const char *why, pl_str path)
{
	return fail(o->b, PL_EINVAL, o->node, "JSON patch: cannot %.*s '%.*s': %s", F(o->name), F(path), why);
}

/* ---- paths ---- */

/* A step without its escapes: ~1 is a slash, ~0 a tilde. */
static pl_str unescape(struct build *b, pl_str s)
{
	if (!s.n || !memchr(s.p, '~', s.n))
		return s;
	char *out = arena_alloc(b->mem, s.n);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		bool escape = s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1');
		out[n++] = escape ? (s.p[i + 1] == '1' ? '/' : '~') : s.p[i];
		i += escape;
	}
	return (pl_str){out, n};
}

/* An index as the reference reads it: with a sign and leading zeros. Negative ones count from `end`. */
static bool read_index(pl_str s, size_t end, size_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	size_t i = s.n && (minus || s.p[0] == '+'), v = 0;
	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]) || v > SIZE_MAX / 100)
			return false;
		v = v * 10 + (size_t)(s.p[i] - '0');
	}
	if (minus && v > end)
		return false;
	*out = minus ? end - v : v;
	return true;
}

static pl_node *step(const pl_node *in, pl_str key)
{
	size_t i;
	if (pl_kind(in) == PL_MAP)
		return pl_get(in, key);
	return pl_kind(in) == PL_LIST && read_index(key, pl_len(in), &i) ? pl_item(in, i) : NULL;
}

static pl_status missing_step(const struct operation *o, const pl_node *in, pl_str key, pl_str path)
{
	if (pl_kind(in) == PL_LIST) {
		fail(o->b, PL_EINVAL, o->node, "JSON patch: cannot %.*s '%.*s': no item '%.*s' in a list of %zu",
		     F(o->name), F(path), F(key), pl_len(in));
		return PL_EINVAL;
	}
	fail(o->b, PL_EINVAL, o->node, "JSON patch: cannot %.*s '%.*s': there is no '%.*s'", F(o->name), F(path),
	     F(key));
	size_t n = pl_len(in) < 64 ? pl_len(in) : 64;
	const char *names[64];
	for (size_t i = 0; i < n; i++)
		names[i] = arena_dup(o->b->mem, pl_text(pl_key(in, i))).p;
	const char *near = str_nearest(key, names, n);
	if (near)
		pl_err_hint(o->b->err, "did you mean '%s'?", near);
	return PL_EINVAL;
}

static pl_status find(const struct operation *o, pl_str path, struct place *out)
{
	pl_str rest = path;
	*out = (struct place){.in = *o->root};
	(void)str_cut(&rest, '/');
	if (!rest.p)
		return cannot(o, "the path has no '/'", path);
	for (;;) {
		out->key = unescape(o->b, str_cut(&rest, '/'));
		out->depth++;
		int kind = pl_kind(out->in);
		if (kind != PL_MAP && kind != PL_LIST)
			return cannot(o, "it leads into a scalar", path);
		if (!rest.p)
			return PL_OK;
		pl_node *next = step(out->in, out->key);
		if (!next || pl_kind(next) == PL_NULL)
			return missing_step(o, out->in, out->key, path);
		out->in = next;
	}
}

/* ---- changes ---- */

static pl_status add_at(const struct operation *o, const struct place *at, pl_str path, pl_node *value)
{
	pl_doc *d = o->b->doc;
	size_t i;
	pl_status st = budget_depth(o->b, o->node, value, at->depth);
	if (st || pl_kind(at->in) == PL_MAP)
		return st ? st : pl_set(d, at->in, at->key, value);
	if (str_is(at->key, "-"))
		return pl_append(d, at->in, value);
	if (!read_index(at->key, pl_len(at->in) + 1, &i) || i > pl_len(at->in))
		return missing_step(o, at->in, at->key, path);
	return pl_insert(d, at->in, i, value);
}

static pl_status remove_at(const struct operation *o, const struct place *at, pl_str path)
{
	size_t i;
	if (pl_kind(at->in) == PL_MAP)
		return pl_remove(o->b->doc, at->in, at->key) ? missing_step(o, at->in, at->key, path) : PL_OK;
	if (!read_index(at->key, pl_len(at->in), &i) || i >= pl_len(at->in))
		return missing_step(o, at->in, at->key, path);
	return pl_remove_item(o->b->doc, at->in, i);
}

/* A copy: the same patch is done to many resources. */
static pl_node *value_of(const struct operation *o)
{
	if (o->value)
		return pl_copy(o->b->doc, o->b->doc, o->value);
	pl_node *n = pl_new_null(o->b->doc);
	pl_set_at(o->b->doc, n, o->b->doc, o->node);
	return n;
}

static pl_status do_add(struct operation *o)
{
	struct place at;
	pl_status st = find(o, o->path, &at);
	return st ? st : add_at(o, &at, o->path, value_of(o));
}

static pl_status do_remove(struct operation *o)
{
	struct place at;
	pl_status st = find(o, o->path, &at);
	return st ? st : remove_at(o, &at, o->path);
}

static pl_status do_replace(struct operation *o)
{
	struct place at;
	size_t i;
	if (!o->path.n) {
		if (pl_kind(o->value) != PL_MAP)
			return cannot(o, "the whole object can only be replaced by a map", o->path);
		*o->root = value_of(o);
		return PL_OK;
	}
	pl_status st = find(o, o->path, &at);
	if (!st && o->value)
		st = budget_depth(o->b, o->node, o->value, at.depth);
	if (st || pl_kind(at.in) == PL_MAP)
		return st ? st : pl_set(o->b->doc, at.in, at.key, value_of(o));
	if (!read_index(at.key, pl_len(at.in), &i) || i >= pl_len(at.in))
		return missing_step(o, at.in, at.key, o->path);
	return pl_set_item(o->b->doc, at.in, i, value_of(o));
}

/* Where `from` of copy and move leads; *value is what is there, NULL for a map's missing key. */
static pl_status find_from(struct operation *o, struct place *at, pl_str *from, pl_node **value)
{
	const pl_node *n = pl_gets(o->node, "from");
	if (pl_kind(n) != PL_STRING)
		return cannot(o, "the operation has no 'from'", o->path);
	*from = pl_text(n);
	pl_status st = find(o, *from, at);
	if (st)
		return st;
	*value = step(at->in, at->key);
	return *value || pl_kind(at->in) == PL_MAP ? PL_OK : missing_step(o, at->in, at->key, *from);
}

static pl_status do_copy(struct operation *o)
{
	struct place from, at;
	pl_str path;
	pl_node *value;
	pl_status st = find_from(o, &from, &path, &value);
	if (!st)
		st = find(o, o->path, &at);
	if (!st && value)
		st = budget_copy(o->b, o->node, value, at.depth);
	if (st)
		return st;
	value = value ? pl_copy(o->b->doc, o->b->doc, value) : pl_new_null(o->b->doc);
	return add_at(o, &at, o->path, value);
}

static pl_status do_move(struct operation *o)
{
	struct place from, at;
	pl_str path;
	pl_node *value;
	pl_status st = find_from(o, &from, &path, &value);
	if (!st && o->path.n > path.n && str_starts(o->path, path) && o->path.p[path.n] == '/')
		return cannot(o, "the path lies within what is to be moved", o->path);
	if (!st)
		st = remove_at(o, &from, path);
	if (!st)
		st = find(o, o->path, &at);
	return st ? st : add_at(o, &at, o->path, value);
}

static pl_status do_test(struct operation *o)
{
	struct place at;
	size_t i;
	pl_status st = find(o, o->path, &at);
	if (st)
		return st;
	if (pl_kind(at.in) == PL_LIST && (!read_index(at.key, pl_len(at.in), &i) || i >= pl_len(at.in)))
		return missing_step(o, at.in, at.key, o->path);
	const pl_node *there = step(at.in, at.key);
	bool nothing = !there || pl_kind(there) == PL_NULL, wanted = !o->value || pl_kind(o->value) == PL_NULL;
	if (nothing || wanted ? nothing && wanted : pl_equal(there, o->value))
		return PL_OK;
	return cannot(o, there ? "the value is another one" : "it is not there", o->path);
}

static const struct {
	const char *name;
	pl_status (*run)(struct operation *o);
} operations_known[] = {
	{"add", do_add},   {"remove", do_remove}, {"replace", do_replace},
	{"copy", do_copy}, {"move", do_move},	  {"test", do_test},
};

enum { N_OPERATIONS = sizeof(operations_known) / sizeof(operations_known[0]) };

static pl_status unknown_operation(struct build *b, const pl_node *node, const pl_node *op)
{
	const char *names[N_OPERATIONS];
	for (size_t i = 0; i < N_OPERATIONS; i++)
		names[i] = operations_known[i].name;
	if (!op)
		return fail(b, PL_EINVAL, node, "JSON patch: an operation without 'op'");
	fail(b, PL_EINVAL, op, "JSON patch: unknown operation '%.*s'", F(pl_text(op)));
	const char *near = str_nearest(pl_text(op), names, N_OPERATIONS);
	if (near)
		pl_err_hint(b->err, "did you mean '%s'?", near);
	else
		pl_err_hint(b->err, "have: add, remove, replace, copy, move, test");
	return PL_EINVAL;
}

static pl_status operation_do(struct build *b, pl_node **root, const pl_node *node)
{
	const pl_node *op = pl_gets(node, "op"), *path = pl_gets(node, "path");
	struct operation o = {.b = b, .root = root, .node = node, .name = pl_text(op), .path = pl_text(path)};
	o.value = pl_gets(node, "value");
	for (size_t i = 0; i < N_OPERATIONS; i++) {
		if (!str_is(o.name, operations_known[i].name))
			continue;
		if (pl_kind(path) != PL_STRING)
			return fail(b, PL_EINVAL, path ? path : node, "JSON patch: operation '%.*s' %s", F(o.name),
				    path ? "has a path that is no string" : "has no 'path'");
		return operations_known[i].run(&o);
	}
	return unknown_operation(b, node, op);
}

pl_status operations_do(struct build *b, pl_node **root, const pl_node *operations)
{
	for (size_t i = 0; i < pl_len(operations); i++) {
		pl_status st = operation_do(b, root, pl_item(operations, i));
		if (st)
			return st;
	}
	return PL_OK;
}
