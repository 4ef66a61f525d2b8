/* SPDX-License-Identifier: Apache-2.0 */
/* references_tree.c - goes through an object once for all field specs of its kind. */
#include "references.h"
#include "fieldspec.h"

struct leaf {
	const struct fieldspec *spec;
	const void *payload;
	struct leaf *next;
};

struct spec_tree {
	struct field_step step;
	uint64_t bit;		      /* of the step's name, see key_bit() */
	const struct fieldspec *spec; /* one that goes through here, for errors */
	struct spec_tree *child, *last_child, *next;
	struct leaf *leaves, *last_leaf;
};

struct spec {
	const struct fieldspec *spec;
	const void *payload;
};

struct kind_specs { /* the specs that name one kind, or none; and the trees made for kinds */
	pl_str kind;
	uint64_t hash;
	uint32_t *specs;
	uint32_t n_specs, cap_specs;
	struct kind_tree *trees;
	bool used;
};

struct kind_tree {
	struct gvk gvk;
	struct spec_tree root;
	struct kind_tree *next;
};

struct spec_forest {
	struct spec *v;
	uint32_t n, cap;
	struct kind_specs *kinds; /* open addressing; size is a power of two */
	size_t n_kinds, size;
};

/* ---- by kind ---- */

static struct kind_specs *kind_slot(const struct spec_forest *f, pl_str kind, uint64_t hash)
{
	size_t i = hash & (f->size - 1);
	while (f->kinds[i].used && (f->kinds[i].hash != hash || !str_eq(f->kinds[i].kind, kind)))
		i = (i + 1) & (f->size - 1);
	return &f->kinds[i];
}

static void kinds_grow(struct build *b, struct spec_forest *f)
{
	struct kind_specs *old = f->kinds;
	size_t n = f->size;
	f->size = n ? n * 2 : 64;
	f->kinds = arena_alloc(b->mem, f->size * sizeof(*f->kinds));
	for (size_t i = 0; i < n; i++) {
		if (old[i].used)
			*kind_slot(f, old[i].kind, old[i].hash) = old[i];
	}
}

static struct kind_specs *kind_specs(struct build *b, struct spec_forest *f, pl_str kind)
{
	uint64_t hash = str_hash(kind);
	if (f->n_kinds * 2 >= f->size)
		kinds_grow(b, f);
	struct kind_specs *k = kind_slot(f, kind, hash);
	if (!k->used) {
		*k = (struct kind_specs){.kind = kind, .hash = hash, .used = true};
		f->n_kinds++;
	}
	return k;
}

struct spec_forest *forest_new(struct build *b)
{
	return arena_alloc(b->mem, sizeof(struct spec_forest));
}

void forest_add(struct build *b, struct spec_forest *f, const struct fieldspec *spec, const void *payload)
{
	struct kind_specs *k = kind_specs(b, f, spec->gvk.kind);
	f->v = arena_grow(b->mem, f->v, f->n, &f->cap, sizeof(*f->v));
	k->specs = arena_grow(b->mem, k->specs, k->n_specs, &k->cap_specs, sizeof(*k->specs));
	k->specs[k->n_specs++] = f->n;
	f->v[f->n++] = (struct spec){spec, payload};
}

/* ---- growing a tree ---- */

/* Most fields of a tree are not there, and most of those are not even looked for. */
static uint64_t key_bit(pl_str key)
{
	unsigned c = key.n ? (unsigned char)key.p[0] + 5u * (unsigned char)key.p[key.n - 1] : 0;
	return (uint64_t)1 << ((c + 11u * (unsigned)key.n) & 63);
}

static struct spec_tree *child_for(struct build *b, struct spec_tree *t, const struct field_step *step,
				   const struct fieldspec *spec)
{
	for (struct spec_tree *c = t->child; c; c = c->next) {
		if (c->step.list == step->list && str_eq(c->step.name, step->name))
			return c;
	}
	struct spec_tree *c = arena_alloc(b->mem, sizeof(*c));
	c->step = *step;
	c->bit = key_bit(step->name);
	c->spec = spec;
	if (t->last_child)
		t->last_child->next = c;
	else
		t->child = c;
	t->last_child = c;
	return c;
}

static void tree_add(struct build *b, struct spec_tree *t, const struct spec *s)
{
	struct field_path path = {.spec = s->spec};
	struct leaf *leaf = arena_alloc(b->mem, sizeof(*leaf));
	field_path_split(b, s->spec->path, &path);
	for (uint32_t i = 0; i < path.n; i++)
		t = child_for(b, t, &path.steps[i], s->spec);
	*leaf = (struct leaf){.spec = s->spec, .payload = s->payload};
	if (t->last_leaf)
		t->last_leaf->next = leaf;
	else
		t->leaves = leaf;
	t->last_leaf = leaf;
}

/* The specs of the kind and those of any kind, in the order of adding. */
static void tree_grow(struct build *b, struct spec_forest *f, const struct kind_specs *mine,
		      const struct kind_specs *any, struct kind_tree *t)
{
	uint32_t i = 0, j = 0, n = mine == any ? 0 : any->n_specs;
	while (i < mine->n_specs || j < n) {
		bool first = j == n || (i < mine->n_specs && mine->specs[i] < any->specs[j]);
		const struct spec *s = &f->v[first ? mine->specs[i++] : any->specs[j++]];
		if (gvk_selects(&s->spec->gvk, &t->gvk))
			tree_add(b, &t->root, s);
	}
}

const struct spec_tree *forest_tree(struct build *b, struct spec_forest *f, const struct gvk *g)
{
	/* Both are made first: making one may move the other. */
	(void)kind_specs(b, f, g->kind);
	(void)kind_specs(b, f, S(""));
	struct kind_specs *k = kind_slot(f, g->kind, str_hash(g->kind));
	struct kind_specs *any = kind_slot(f, S(""), str_hash(S("")));
	for (struct kind_tree *t = k->trees; t; t = t->next) {
		if (gvk_equal(&t->gvk, g))
			return &t->root;
	}
	struct kind_tree *t = arena_alloc(b->mem, sizeof(*t));
	t->gvk = *g;
	t->next = k->trees;
	k->trees = t;
	tree_grow(b, f, k, any, t);
	return &t->root;
}

/* ---- walking ---- */

struct walk {
	struct build *b;
	leaf_fn leaf;
	void *ctx;
};

static pl_status walk_node(struct walk *w, const struct spec_tree *t, pl_node *n);

static pl_status in_field(struct walk *w, const struct fieldspec *spec)
{
	return pl_err_in(w->b->err, "field '%.*s'", F(spec->path));
}

static pl_status walk_leaves(struct walk *w, const struct spec_tree *t, pl_node *map, pl_node **n)
{
	pl_node *was = *n;
	for (const struct leaf *l = t->leaves; l; l = l->next) {
		if (pl_kind(*n) == PL_NULL)
			break;
		if (w->leaf(w->b, w->ctx, l->spec, l->payload, n))
			return in_field(w, l->spec);
	}
	return *n == was ? PL_OK : pl_set(w->b->doc, map, t->step.name, *n);
}

static pl_status walk_child(struct walk *w, const struct spec_tree *t, pl_node *map)
{
	if (t->step.odd) {
		fail(w->b, PL_EINVAL, map, "'%.*s' is no name of a field", F(t->step.name));
		return in_field(w, t->spec);
	}
	pl_node *n = pl_get(map, t->step.name);
	if (!n)
		return PL_OK;
	if (pl_kind(n) == PL_NULL && t->step.list) {
		n = pl_new_list(w->b->doc);
		pl_status st = pl_set(w->b->doc, map, t->step.name, n);
		if (st)
			return st;
	}
	pl_status st = walk_leaves(w, t, map, &n);
	return st || !t->child ? st : walk_node(w, t, n);
}

static pl_status walk_node(struct walk *w, const struct spec_tree *t, pl_node *n)
{
	int kind = pl_kind(n);
	pl_status st = PL_OK;
	if (kind == PL_NULL)
		return PL_OK;
	if (kind == PL_LIST) {
		for (size_t i = 0; !st && i < pl_len(n); i++)
			st = walk_node(w, t, pl_item(n, i));
		return st;
	}
	if (kind != PL_MAP) {
		fail(w->b, PL_EINVAL, n, "the path goes on with '%.*s', but there is %s, not a map or a list",
		     F(t->child->step.name), node_kind_name(n));
		return in_field(w, t->child->spec);
	}
	uint64_t bits = 0;
	for (size_t i = 0; i < pl_len(n); i++)
		bits |= key_bit(pl_text(pl_key(n, i)));
	for (const struct spec_tree *c = t->child; !st && c; c = c->next)
		if (c->bit & bits || c->step.odd)
			st = walk_child(w, c, n);
	return st;
}

pl_status tree_walk(struct build *b, const struct spec_tree *t, pl_node *object, leaf_fn leaf, void *ctx)
{
	struct walk w = {b, leaf, ctx};
	return t->child ? walk_node(&w, t, object) : PL_OK;
}
