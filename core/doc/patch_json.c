/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Patch, RFC 6902. The document is changed in place; what each operation did is written down, so that a failed
 * patch is taken back step by step and nothing is ever copied as a whole.
 */
#include "core/doc/node.h"

#include "core/base/mem.h"

enum { SHOWN = 200, BIG_MAP = 32, INDEXES = 8, MAX_REMOVED = 128 };

enum op { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST, OPS };

static const char *const op_names[OPS] = {"add", "remove", "replace", "move", "copy", "test"};

/* How a step is taken back: cut the child out, put it in again, put the old one in its place, the old root. */
enum undo_kind { UNDO_INSERT, UNDO_REMOVE, UNDO_SET, UNDO_ROOT };

struct undo {
	enum undo_kind kind;
	pl_node *in;	      /* the container */
	size_t i;	      /* the item or pair */
	pl_node *key, *value; /* as they were */
};

/*
 * Where the keys of a big map are, for patches that have many operations in it. Pairs only move down, by one with each
 * removal, and new ones come at the end: a position is at most `removed` too high.
 */
struct index {
	const pl_node *map; /* NULL: unused */
	struct keyset set;
	size_t removed;
};

struct patching {
	pl_doc *d;
	pl_node *root;
	const pl_doc *pd;
	struct undo *log;
	size_t n, cap;
	struct index index[INDEXES];
	struct buf token;
	pl_err *e;
};

/* What one operation says; nodes of the patch. */
struct operation {
	enum op op;
	const pl_node *path, *from, *value;
};

/* Where a pointer leads: the container and the child's position in it, which need not exist. */
struct spot {
	pl_node *in; /* NULL: the root itself */
	size_t i;
	bool exists;
	pl_str token; /* the last one, decoded; valid until the next look-up */
	size_t depth; /* tokens */
};

/* ---- the index of big maps ---- */

static struct index *index_slot(struct patching *p, const pl_node *map)
{
	return p->index + ((uintptr_t)map / sizeof(*map)) % INDEXES;
}

static struct index *index_of(struct patching *p, const pl_node *map)
{
	struct index *x = index_slot(p, map);
	size_t i;

	if (x->map == map && x->removed <= MAX_REMOVED)
		return x;
	keyset_free(&x->set);
	keyset_init(&x->set, p->d);
	x->map = map;
	x->removed = 0;
	for (i = 0; i < map->len; i++)
		if (!node_is_container(map->u.kids[2 * i]))
			keyset_add(&x->set, node_text(map->u.kids[2 * i]), i);
	return x;
}

static size_t find_pair(struct patching *p, const pl_node *map, pl_str key)
{
	struct index *x;
	size_t top, i;

	if (map->len <= BIG_MAP)
		return node_find(map, key);
	x = index_of(p, map);
	top = keyset_find(&x->set, key);
	if (top == SIZE_MAX)
		return SIZE_MAX;
	for (i = top < map->len ? top : map->len - 1; i + x->removed >= top; i--) {
		const pl_node *k = map->u.kids[2 * i];

		if (!node_is_container(k) && str_eq(node_text(k), key))
			return i;
		if (i == 0)
			break;
	}
	return SIZE_MAX;
}

static void index_added(struct patching *p, const pl_node *map, pl_str key, size_t i)
{
	struct index *x = index_slot(p, map);

	if (x->map == map)
		keyset_put(&x->set, key, i);
}

static void index_removed(struct patching *p, const pl_node *map)
{
	struct index *x = index_slot(p, map);

	if (x->map == map)
		x->removed++;
}

/* ---- changes that can be taken back ---- */

static size_t width(const pl_node *in)
{
	return node_kind(in) == PL_MAP ? 2 : 1;
}

static void put_in(pl_doc *d, pl_node *in, size_t i, pl_node *key, pl_node *value)
{
	size_t w = width(in), end = node_kids(in), at = i * w;

	doc_grow_kids(d, in, w);
	memmove(in->u.kids + at + w, in->u.kids + at, (end - at) * sizeof(*in->u.kids));
	if (w == 2)
		in->u.kids[at] = key;
	in->u.kids[at + w - 1] = value;
	in->len++;
}

static void take_out(pl_node *in, size_t i)
{
	size_t w = width(in), end = node_kids(in), at = i * w;

	memmove(in->u.kids + at, in->u.kids + at + w, (end - at - w) * sizeof(*in->u.kids));
	in->len--;
}

static void log_undo(struct patching *p, struct undo u)
{
	p->log = mem_grow(p->log, &p->cap, p->n + 1, sizeof(*p->log));
	p->log[p->n++] = u;
}

static void undo_all(struct patching *p)
{
	while (p->n > 0) {
		struct undo *u = &p->log[--p->n];

		switch (u->kind) {
		case UNDO_INSERT:
			take_out(u->in, u->i);
			break;
		case UNDO_REMOVE:
			put_in(p->d, u->in, u->i, u->key, u->value);
			break;
		case UNDO_SET:
			u->in->u.kids[u->i * width(u->in) + width(u->in) - 1] = u->value;
			break;
		case UNDO_ROOT:
			p->root = u->value;
			break;
		}
	}
}

static void set_root(struct patching *p, pl_node *value)
{
	log_undo(p, (struct undo){UNDO_ROOT, NULL, 0, NULL, p->root});
	p->root = value;
}

static pl_node **value_slot(const struct spot *s)
{
	return s->in->u.kids + s->i * width(s->in) + width(s->in) - 1;
}

static void replace_at(struct patching *p, const struct spot *s, pl_node *value)
{
	pl_node **slot;

	if (!s->in) {
		set_root(p, value);
		return;
	}
	slot = value_slot(s);
	log_undo(p, (struct undo){UNDO_SET, s->in, s->i, NULL, *slot});
	*slot = value;
}

/* The new key's place is the pointer's. */
static void insert_at(struct patching *p, const struct spot *s, pl_node *value, const pl_node *path)
{
	pl_node *key = NULL;

	if (node_kind(s->in) == PL_MAP) {
		key = pl_new_string(p->d, s->token);
		pl_set_at(p->d, key, p->pd, path);
		index_added(p, s->in, node_text(key), s->i);
	}
	put_in(p->d, s->in, s->i, key, value);
	log_undo(p, (struct undo){UNDO_INSERT, s->in, s->i, NULL, NULL});
}

static pl_node *remove_at(struct patching *p, const struct spot *s)
{
	size_t w = width(s->in);
	pl_node *value = *value_slot(s), *key = w == 2 ? s->in->u.kids[s->i * 2] : NULL;

	log_undo(p, (struct undo){UNDO_REMOVE, s->in, s->i, key, value});
	take_out(s->in, s->i);
	index_removed(p, s->in);
	return value;
}

/* ---- pointers ---- */

static pl_status fail(struct patching *p, pl_status code, const pl_node *at, const char *what)
{
	return pl_err_set(p->e, code, pl_at(p->pd, at), "%s", what);
}

/* pl_pointer() knows best why a pointer leads nowhere; the place is the patch's. */
static pl_status no_way(struct patching *p, const pl_node *pointer)
{
	struct pl_err why = ERR_INIT;
	pl_node *found;
	pl_status st = pl_pointer(p->root, node_text(pointer), &found, &why);

	if (st == PL_OK)
		BUG("a pointer that leads somewhere was not found");
	pl_err_set(p->e, st, pl_at(p->pd, pointer), "%.*s", F(buf_str(&why.msg)));
	if (why.hint.n)
		pl_err_hint(p->e, "%.*s", F(buf_str(&why.hint)));
	err_clear(&why);
	return st;
}

/* The child of in that the token names. */
static bool find_child(struct patching *p, pl_node *in, pl_str token, struct spot *s)
{
	*s = (struct spot){.in = in, .i = SIZE_MAX, .token = token, .depth = s->depth + 1};
	if (node_kind(in) == PL_MAP) {
		s->i = find_pair(p, in, token);
		s->exists = s->i != SIZE_MAX;
		return true;
	}
	if (node_kind(in) != PL_LIST)
		return false;
	s->exists = pointer_index(token, &s->i) && s->i < in->len;
	return true;
}

/* Cuts the first token off rest, which begins with '/'. False: it is badly written. */
static bool next_token(struct patching *p, pl_str *rest, pl_str *token)
{
	const char *slash;

	*rest = (pl_str){rest->p + 1, rest->n - 1};
	slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	*token = (pl_str){rest->p, slash ? (size_t)(slash - rest->p) : rest->n};
	*rest = (pl_str){rest->p + token->n, rest->n - token->n};
	if (!token->n || !memchr(token->p, '~', token->n))
		return true;
	buf_clear(&p->token);
	if (!pointer_token(*token, &p->token))
		return false;
	*token = buf_str(&p->token);
	return true;
}

/* Goes to the last token; what is before it must exist. */
static pl_status locate(struct patching *p, const pl_node *pointer, struct spot *s)
{
	pl_str rest = node_text(pointer), token;
	pl_node *at = p->root;

	*s = (struct spot){.exists = at != NULL};
	if (rest.n && *rest.p != '/')
		return no_way(p, pointer);
	while (rest.n) {
		if (!next_token(p, &rest, &token) || !s->exists || !find_child(p, at, token, s))
			return no_way(p, pointer);
		if (s->exists)
			at = *value_slot(s);
	}
	return PL_OK;
}

static pl_status locate_existing(struct patching *p, const pl_node *pointer, struct spot *s)
{
	pl_status st = locate(p, pointer, s);

	return st || s->exists ? st : no_way(p, pointer);
}

static size_t depth_of(pl_str pointer)
{
	size_t i, n = 0;

	for (i = 0; i < pointer.n; i++)
		n += pointer.p[i] == '/';
	return n;
}

/* ---- limits: copies of copies grow without end, and so do values moved into each other ---- */

static pl_status check_limits(struct patching *p, const pl_node *value, const pl_node *pointer, bool copies)
{
	size_t base = depth_of(node_text(pointer)), depth = base, deepest = base, nodes = 0;
	const pl_limits *l = &p->d->limits;
	enum walk_event event;
	struct walk w;

	if (node_is_container(value))
		for (walk_init(&w, value); walk_next(&w, &event);) {
			nodes += event != WALK_LEAVE;
			depth += event == WALK_ENTER;
			depth -= event == WALK_LEAVE;
			deepest = depth > deepest ? depth : deepest;
			if (deepest > l->max_depth || (copies && p->d->nodes + nodes > l->max_nodes))
				break;
		}
	if (node_is_container(value))
		walk_free(&w);
	if (deepest > l->max_depth)
		return pl_err_set(p->e, PL_ETOOBIG, pl_at(p->pd, pointer),
				  "the document would be nested more than %u deep", l->max_depth);
	if (copies && p->d->nodes + nodes > l->max_nodes)
		return pl_err_set(p->e, PL_ETOOBIG, pl_at(p->pd, pointer),
				  "the document would have more than %u values", l->max_nodes);
	return PL_OK;
}

/* ---- the operations ---- */

static pl_status no_index(struct patching *p, const struct spot *s, const pl_node *pointer)
{
	pl_str all = node_text(pointer);
	size_t parent = all.n;

	while (parent > 0 && all.p[parent - 1] != '/')
		parent--;
	pl_err_set(p->e, PL_ENOTFOUND, pl_at(p->pd, pointer), "no place for item '%.*s' in '%.*s', a list of %u",
		   s->token.n > SHOWN ? SHOWN : (int)s->token.n, s->token.p ? s->token.p : "", (int)parent - 1, all.p,
		   s->in->len);
	pl_err_hint(p->e, "'-' appends");
	return PL_ENOTFOUND;
}

static pl_status add(struct patching *p, const pl_node *pointer, pl_node *value)
{
	struct spot s;
	pl_status st = locate(p, pointer, &s);

	if (st)
		return st;
	if (!s.in || (node_kind(s.in) == PL_MAP && s.exists)) {
		replace_at(p, &s, value);
		return PL_OK;
	}
	if (node_kind(s.in) == PL_MAP || str_eq(s.token, S("-")))
		s.i = s.in->len;
	if (s.i > s.in->len)
		return no_index(p, &s, pointer);
	insert_at(p, &s, value, pointer);
	return PL_OK;
}

static pl_status do_add(struct patching *p, const struct operation *o)
{
	pl_status st = check_limits(p, o->value, o->path, true);

	return st ? st : add(p, o->path, pl_copy(p->d, p->pd, o->value));
}

static pl_status do_remove(struct patching *p, const struct operation *o)
{
	struct spot s;
	pl_status st = locate_existing(p, o->path, &s);

	if (st)
		return st;
	if (!s.in)
		return fail(p, PL_EINVAL, o->path, "the whole document can't be removed");
	remove_at(p, &s);
	return PL_OK;
}

static pl_status do_replace(struct patching *p, const struct operation *o)
{
	struct spot s;
	pl_status st = locate_existing(p, o->path, &s);

	if (st == PL_OK)
		st = check_limits(p, o->value, o->path, true);
	if (st == PL_OK)
		replace_at(p, &s, pl_copy(p->d, p->pd, o->value));
	return st;
}

static pl_status in_from(struct patching *p, const struct operation *o, pl_status st)
{
	pl_str from = node_text(o->from);

	pl_err_in(p->e, "from '%.*s'", from.n > SHOWN ? SHOWN : (int)from.n, from.p ? from.p : "");
	return st;
}

static pl_status do_move(struct patching *p, const struct operation *o)
{
	pl_str from = node_text(o->from), path = node_text(o->path);
	struct spot s;
	pl_status st = locate_existing(p, o->from, &s);

	if (st)
		return in_from(p, o, st);
	if (str_eq(from, path))
		return PL_OK;
	if (!s.in || (str_starts(path, from) && path.p[from.n] == '/'))
		return fail(p, PL_EINVAL, o->path, "a value can't be moved into itself");
	if (depth_of(path) > s.depth)
		st = check_limits(p, *value_slot(&s), o->path, false);
	return st ? st : add(p, o->path, remove_at(p, &s));
}

static pl_status do_copy(struct patching *p, const struct operation *o)
{
	struct spot s;
	pl_node *value;
	pl_status st = locate_existing(p, o->from, &s);

	if (st)
		return in_from(p, o, st);
	value = s.in ? *value_slot(&s) : p->root;
	st = check_limits(p, value, o->path, true);
	return st ? st : add(p, o->path, pl_copy(p->d, p->d, value));
}

/* The values stay out of the error: they may be a Secret's. */
static pl_status do_test(struct patching *p, const struct operation *o)
{
	static const char *const kinds[] = {"null", "a boolean", "a number", "a string", "a list", "a map", "a scalar"};
	struct spot s;
	const pl_node *value;
	pl_status st = locate_existing(p, o->path, &s);

	if (st)
		return st;
	value = s.in ? *value_slot(&s) : p->root;
	if (pl_equal(value, o->value))
		return PL_OK;
	if (node_kind(value) != node_kind(o->value))
		return pl_err_set(p->e, PL_ECONFLICT, pl_at(p->pd, o->value), "the value there is %s, not %s",
				  kinds[node_kind(value)], kinds[node_kind(o->value)]);
	return fail(p, PL_ECONFLICT, o->value, "the value there is another one");
}

/* ---- reading the patch ---- */

static bool is_text(const pl_node *n)
{
	return n && (node_kind(n) == PL_STRING || node_kind(n) == PL_PLAIN);
}

/* A member of o that must be a mistyped name. */
static void hint_mistyped(struct patching *p, const pl_node *o, const char *name)
{
	static const char *const members[] = {"op", "path", "from", "value"};
	size_t i;

	for (i = 0; i < o->len; i++) {
		pl_str key = pl_text(o->u.kids[2 * i]);
		const char *near = key.n <= SHOWN ? str_nearest(key, members, 4) : NULL;

		if (near && strcmp(near, name) == 0)
			pl_err_hint(p->e, "'%.*s' is no member of an operation", F(key));
	}
}

static pl_status no_member(struct patching *p, const pl_node *o, const char *name)
{
	pl_err_set(p->e, PL_EINVAL, pl_at(p->pd, o), "it has no '%s'", name);
	hint_mistyped(p, o, name);
	return PL_EINVAL;
}

static pl_status read_text(struct patching *p, const pl_node *o, const char *name, const pl_node **out)
{
	*out = pl_gets(o, name);
	if (!*out)
		return no_member(p, o, name);
	if (!is_text(*out))
		return pl_err_set(p->e, PL_EINVAL, pl_at(p->pd, *out), "its '%s' must be a string", name);
	return PL_OK;
}

static pl_status read_op(struct patching *p, const pl_node *o, enum op *out)
{
	const pl_node *op;
	const char *near;
	size_t i;
	pl_status st = read_text(p, o, "op", &op);
	pl_str name = pl_text(op);

	if (st)
		return st;
	for (i = 0; i < OPS; i++)
		if (str_eqz(name, op_names[i])) {
			*out = (enum op)i;
			return PL_OK;
		}
	pl_err_set(p->e, PL_EINVAL, pl_at(p->pd, op), "unknown operation '%.*s'", name.n > SHOWN ? SHOWN : (int)name.n,
		   name.p);
	near = str_nearest(name, op_names, OPS);
	if (near)
		pl_err_hint(p->e, "did you mean '%s'?", near);
	else
		pl_err_hint(p->e, "have: add, remove, replace, move, copy, test");
	return PL_EINVAL;
}

static pl_status read_operation(struct patching *p, const pl_node *n, struct operation *o)
{
	pl_status st;

	if (node_kind(n) != PL_MAP)
		return fail(p, PL_EINVAL, n, "an operation must be a map with 'op' and 'path'");
	st = read_op(p, n, &o->op);
	if (st == PL_OK)
		st = read_text(p, n, "path", &o->path);
	if (st == PL_OK && (o->op == OP_MOVE || o->op == OP_COPY))
		st = read_text(p, n, "from", &o->from);
	o->value = pl_gets(n, "value");
	if (st == PL_OK && (o->op == OP_ADD || o->op == OP_REPLACE || o->op == OP_TEST) && !o->value)
		st = no_member(p, n, "value");
	return st;
}

static pl_status apply(struct patching *p, const pl_node *n, size_t i)
{
	static pl_status (*const apply_op[OPS])(struct patching *, const struct operation *) = {
		do_add, do_remove, do_replace, do_move, do_copy, do_test};
	struct operation o = {.op = OPS};
	pl_status st = read_operation(p, n, &o);
	pl_str path;

	if (st == PL_OK)
		st = apply_op[o.op](p, &o);
	if (st == PL_OK)
		return PL_OK;
	path = pl_text(o.path);
	if (o.path)
		pl_err_in(p->e, "[%zu] %s '%.*s'", i, op_names[o.op], path.n > SHOWN ? SHOWN : (int)path.n,
			  path.p ? path.p : "");
	else
		pl_err_in(p->e, "[%zu]", i);
	return st;
}

static pl_status check_patch(const pl_doc *d, const pl_node *root, const pl_doc *pd, const pl_node *patch, pl_err *e)
{
	if (d->frozen || (root && (root->meta & NODE_FROZEN)))
		return pl_err_set(e, PL_EDENIED, pl_at(d, root), "the document is frozen");
	if (pl_kind(patch) == PL_LIST)
		return PL_OK;
	pl_err_set(e, PL_EINVAL, pl_at(pd, patch), "a JSON patch must be a list of operations");
	if (pl_gets(patch, "op"))
		pl_err_hint(e, "put the operation into a list");
	return PL_EINVAL;
}

pl_status pl_patch_json(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_err *e)
{
	struct patching p = {.d = d, .root = *root, .pd = pd, .token = BUF_INIT(SIZE_MAX / 2), .e = e};
	pl_status st = check_patch(d, *root, pd, patch, e);
	size_t i;

	for (i = 0; i < pl_len(patch) && st == PL_OK; i++)
		st = apply(&p, patch->u.kids[i], i);
	if (st == PL_OK)
		*root = p.root;
	else
		undo_all(&p);
	for (i = 0; i < INDEXES; i++)
		keyset_free(&p.index[i].set);
	free(p.log);
	buf_free(&p.token);
	return st;
}
