/* SPDX-License-Identifier: Apache-2.0 */
/* fieldspec.c - walks an object along a path to the fields that a transformer sets. */
#include "fieldspec.h"
#include "budget.h"
#include "fieldpath.h"

/* ---- paths ---- */

static bool escaped_at(pl_str path, size_t slash)
{
	return slash > 0 && path.p[slash - 1] == '\\';
}

static size_t count_steps(pl_str path)
{
	size_t n = 1;
	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/' && !escaped_at(path, i);
	return n;
}

/* A step without the backslashes before its slashes. */
static pl_str step_name(struct build *b, pl_str raw)
{
	if (!raw.n || !memchr(raw.p, '/', raw.n))
		return raw;
	char *out = arena_alloc(b->mem, raw.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\' && i + 1 < raw.n && raw.p[i + 1] == '/')
			continue;
		out[n++] = raw.p[i];
	}
	return (pl_str){out, n};
}

static bool is_number(pl_str s)
{
	size_t i = s.n > 1 && (s.p[0] == '-' || s.p[0] == '+');
	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

/* Steps of the reference's other path language: a list's items by index or by a field. */
static bool odd_step(pl_str n)
{
	return !n.n || is_number(n) || str_is(n, "-") || str_is(n, "*") || (n.p[0] == '[' && n.p[n.n - 1] == ']');
}

void field_path_split(struct build *b, pl_str path, struct field_path *out)
{
	out->text = path;
	if (!path.p)
		path = S(""); /* a spec without a path */
	if (path.n > 1 && path.p[0] == '/')
		path = (pl_str){path.p + 1, path.n - 1};
	size_t n = count_steps(path);
	out->steps = arena_alloc(b->mem, n * sizeof(*out->steps));
	out->n = 0;
	size_t start = 0;
	for (size_t i = 0; i <= path.n; i++) {
		if (i < path.n && (path.p[i] != '/' || escaped_at(path, i)))
			continue;
		struct field_step *s = &out->steps[out->n++];
		s->name = step_name(b, (pl_str){path.p + start, i - start});
		s->list = str_ends(s->name, S("[]"));
		if (s->list)
			s->name.n -= 2;
		s->odd = odd_step(s->name);
		start = i + 1;
	}
}

/* ---- walking ---- */

struct walk {
	struct build *b;
	const struct field_path *path;
	bool create;
	int kind;
	field_set_fn set;
	void *ctx;
};

struct spot { /* where a node hangs */
	pl_node *parent;
	pl_str key;
	size_t item;
};

const char *node_kind_name(const pl_node *n)
{
	switch (pl_kind(n)) {
	case PL_NULL:
		return "null";
	case PL_BOOL:
		return "a boolean";
	case PL_NUMBER:
		return "a number";
	case PL_LIST:
		return "a list";
	case PL_MAP:
		return "a map";
	default:
		return "a string";
	}
}

static pl_status put(struct build *b, const struct spot *at, pl_node *value)
{
	pl_status st = pl_kind(at->parent) == PL_MAP ? pl_set(b->doc, at->parent, at->key, value)
						     : pl_set_item(b->doc, at->parent, at->item, value);
	return st ? fail(b, st, at->parent, "a field can't be set: %s", pl_status_name(st)) : PL_OK;
}

static pl_node *make(struct build *b, int kind)
{
	if (kind == PL_MAP)
		return pl_new_map(b->doc);
	return kind == PL_LIST ? pl_new_list(b->doc) : pl_new_string(b->doc, S(""));
}

static pl_status refuse_step(struct walk *w, pl_str step, const pl_node *at)
{
	if (!step.n)
		return fail(w->b, PL_EINVAL, at, "the path '%.*s' has an empty step", F(w->path->text));
	fail(w->b, PL_EINVAL, at, "'%.*s' selects an item of a list, but there is a map", F(step));
	pl_err_hint(w->b->err, "a path goes into every item of a list by itself");
	return PL_EINVAL;
}

static pl_status walk_node(struct walk *w, pl_node *n, uint32_t step, const struct spot *at);

static pl_status walk_leaf(struct walk *w, pl_node *n, const struct spot *at)
{
	pl_node *now = n;
	pl_status st = w->set(w->b, w->ctx, at->parent, at->key, at->item, &now);
	if (!st && now != n)
		st = put(w->b, at, now);
	return st;
}

static pl_status walk_map(struct walk *w, pl_node *map, uint32_t step)
{
	const struct field_step *s = &w->path->steps[step];
	bool last = step + 1 == w->path->n;
	bool create = w->create && w->kind >= 0 && !s->list;
	struct spot at = {map, s->name, 0};
	if (s->odd)
		return refuse_step(w, s->name, map);
	pl_node *n = pl_get(map, s->name);
	if (!n && !create)
		return PL_OK;
	/* A null stands for what is absent, but single values are left to set, which may look at what was written. */
	if (!n || (pl_kind(n) == PL_NULL && (s->list || (create && (!last || w->kind != PL_STRING))))) {
		n = make(w->b, s->list ? PL_LIST : last ? w->kind : PL_MAP);
		pl_status st = put(w->b, &at, n);
		if (st)
			return st;
	}
	return walk_node(w, n, step + 1, &at);
}

static pl_status walk_list(struct walk *w, pl_node *list, uint32_t step)
{
	pl_status st = PL_OK;
	struct spot at = {list, {0}, 0};
	for (size_t i = 0; !st && i < pl_len(list); i++) {
		at.item = i;
		st = walk_node(w, pl_item(list, i), step, &at);
	}
	return st;
}

static pl_status walk_node(struct walk *w, pl_node *n, uint32_t step, const struct spot *at)
{
	if (step == w->path->n)
		return walk_leaf(w, n, at);
	switch (pl_kind(n)) {
	case PL_MAP:
		return walk_map(w, n, step);
	case PL_LIST:
		return walk_list(w, n, step);
	case PL_NULL:
		return PL_OK;
	default:
		return fail(w->b, PL_EINVAL, n, "the path goes on with '%.*s', but there is %s, not a map or a list",
			    F(w->path->steps[step].name), node_kind_name(n));
	}
}

static pl_status in_object(struct build *b, const pl_node *object, const struct field_path *p)
{
	const pl_node *meta = pl_gets(object, "metadata");
	struct id id = {.gvk = gvk_of(object),
			.name = pl_text(pl_gets(meta, "name")),
			.ns = pl_text(pl_gets(meta, "namespace"))};
	pl_str text = id_text(b, &id);
	return pl_err_in(b->err, "field '%.*s' of %.*s", F(p->text), F(text));
}

pl_status field_path_each(struct build *b, pl_node *object, const struct field_path *p, bool create, int kind,
			  field_set_fn set, void *ctx)
{
	struct walk w = {b, p, create, kind, set, ctx};
	if (p->n > OBJECT_DEPTH_MAX)
		return fail(b, PL_ETOOBIG, p->spec ? p->spec->at : NULL, "a field path has more than %d steps",
			    OBJECT_DEPTH_MAX);
	pl_status st = walk_node(&w, object, 0, &(struct spot){0});
	return st ? in_object(b, object, p) : PL_OK;
}

pl_status fieldspec_each(struct build *b, pl_node *object, const struct fieldspec *f, int kind, field_set_fn set,
			 void *ctx)
{
	struct gvk g = gvk_of(object);
	if (!gvk_selects(&f->gvk, &g))
		return PL_OK;
	struct field_path p = {.spec = f};
	field_path_split(b, f->path, &p);
	return field_path_each(b, object, &p, f->create, kind, set, ctx);
}

/* ---- by kind ---- */

struct kind_paths {
	struct gvk gvk;
	uint64_t hash;
	const struct field_path **v;
	size_t n;
	bool used;
};

struct field_index {
	struct field_path *paths;
	uint32_t n;
	struct kind_paths *kinds; /* open addressing; size is a power of two */
	size_t n_kinds, size;
};

struct field_index *field_index_new(struct build *b, const struct fieldspecs *specs)
{
	struct field_index *x = arena_alloc(b->mem, sizeof(*x));
	x->paths = arena_alloc(b->mem, specs->n * sizeof(*x->paths));
	x->n = specs->n;
	for (uint32_t i = 0; i < specs->n; i++)
		x->paths[i].spec = &specs->v[i];
	return x;
}

static uint64_t gvk_hash(const struct gvk *g)
{
	return str_hash(g->kind) * 31 + str_hash(g->version) * 7 + str_hash(g->group);
}

static struct kind_paths *kind_slot(const struct field_index *x, const struct gvk *g, uint64_t hash)
{
	size_t i = hash & (x->size - 1);
	while (x->kinds[i].used && (x->kinds[i].hash != hash || !gvk_equal(&x->kinds[i].gvk, g)))
		i = (i + 1) & (x->size - 1);
	return &x->kinds[i];
}

static void kinds_grow(struct build *b, struct field_index *x)
{
	struct kind_paths *old = x->kinds;
	size_t n = x->size;
	x->size = n ? n * 2 : 16;
	x->kinds = arena_alloc(b->mem, x->size * sizeof(*x->kinds));
	for (size_t i = 0; i < n; i++) {
		if (old[i].used)
			*kind_slot(x, &old[i].gvk, old[i].hash) = old[i];
	}
}

static void kind_fill(struct build *b, struct field_index *x, struct kind_paths *k)
{
	for (uint32_t i = 0; i < x->n; i++)
		k->n += gvk_selects(&x->paths[i].spec->gvk, &k->gvk);
	k->v = arena_alloc(b->mem, k->n * sizeof(*k->v));
	k->n = 0;
	for (uint32_t i = 0; i < x->n; i++) {
		struct field_path *p = &x->paths[i];
		if (!gvk_selects(&p->spec->gvk, &k->gvk))
			continue;
		if (!p->steps)
			field_path_split(b, p->spec->path, p);
		k->v[k->n++] = p;
	}
}

size_t field_index_find(struct build *b, struct field_index *x, const struct gvk *g,
			const struct field_path *const **out)
{
	if (x->n_kinds * 2 >= x->size)
		kinds_grow(b, x);
	uint64_t hash = gvk_hash(g);
	struct kind_paths *k = kind_slot(x, g, hash);
	if (!k->used) {
		*k = (struct kind_paths){.gvk = *g, .hash = hash, .used = true};
		x->n_kinds++;
		kind_fill(b, x, k);
	}
	*out = k->v;
	return k->n;
}

pl_status field_index_each(struct build *b, struct field_index *x, const struct resource *r, int kind, field_set_fn set,
			   void *ctx)
{
	const struct field_path *const *paths;
	size_t n = field_index_find(b, x, &r->id.gvk, &paths);
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < n; i++)
		st = field_path_each(b, r->node, paths[i], paths[i]->spec->create, kind, set, ctx);
	return st;
}

/* ---- setting ---- */

static pl_status check_scalar(struct build *b, const pl_node *old)
{
	int kind = pl_kind(old);
	if (kind == PL_LIST || kind == PL_MAP)
		return fail(b, PL_EINVAL, old, "a single value is to be set, but there is %s", node_kind_name(old));
	return PL_OK;
}

/* The new one stands where the old one did, and is quoted as that was: what is set there later looks at it. */
static void replace(struct build *b, pl_node **slot, pl_node *n)
{
	if (*slot) {
		pl_set_at(b->doc, n, b->doc, *slot);
		if (pl_kind(n) == PL_STRING && pl_kind(*slot) == PL_STRING)
			pl_set_style(n, pl_style(*slot));
	}
	*slot = n;
}

pl_status field_set_string(struct build *b, pl_node **slot, pl_str value)
{
	pl_status st = check_scalar(b, *slot);
	if (!st)
		replace(b, slot, pl_new_string(b->doc, value));
	return st;
}

pl_status field_set_plain(struct build *b, pl_node **slot, pl_str value)
{
	int style = pl_style(*slot);
	pl_status st = check_scalar(b, *slot);
	if (st || !value.n) /* setting nothing changes nothing */
		return st;
	bool quoted = style == PL_STYLE_SINGLE || style == PL_STYLE_DOUBLE;
	replace(b, slot, quoted ? pl_new_string(b->doc, value) : plain_scalar(b, value));
	return PL_OK;
}

pl_status field_set_entry(struct build *b, pl_node *map, pl_str key, pl_node *value)
{
	int kind = pl_kind(map);
	if (kind == PL_NULL)
		return PL_OK;
	if (kind != PL_MAP)
		return fail(b, PL_EINVAL, map, "'%.*s' is to be set in a map, but there is %s", F(key),
			    node_kind_name(map));
	pl_node *old = pl_get(map, key);
	return old && pl_become(b->doc, old, value) == PL_OK ? PL_OK : pl_set(b->doc, map, key, value);
}
