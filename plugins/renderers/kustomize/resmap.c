/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resources of one accumulation, and how they are found.
 *
 * Two tables, both of entries that are only hints: whoever finds one looks whether it is still true. So a rename adds
 * entries and never looks for old ones. `ids` answers "is this id there" for any id that a resource has or had; `names`
 * keeps a list for each name, in the map's order, which is put in order when it is asked for after a change.
 */
#include "resmap.h"

#include "origin.h"

struct id_entry {
	uint64_t hash;
	struct resource *r;
	struct id_entry *next; /* of the same slot */
};

struct name_entry {
	uint64_t hash;
	pl_str name;
	struct resource **v;
	uint32_t n, cap;
	uint64_t clean_at; /* index.change when v was last known to be true and in order */
	struct name_entry *next;
};

struct name_index {
	struct id_entry **ids;
	struct name_entry **names; /* NULL until a name is asked for */
	uint32_t id_slots, n_ids, name_slots, n_names;
	uint64_t change;
};

struct resmap *resmap_new(struct build *b)
{
	return arena_alloc(b->mem, sizeof(struct resmap));
}

/* ---- by id ---- */

static uint64_t id_hash(const struct id *id)
{
	pl_str ns = id->cluster ? S("_") : id->ns.n ? id->ns : S("default");
	uint64_t h = str_hash(id->name);
	h = h * 31 + str_hash(id->gvk.kind);
	h = h * 31 + str_hash(id->gvk.group);
	h = h * 31 + str_hash(id->gvk.version);
	h = h * 31 + str_hash(ns);
	return h ^ h >> 32;
}

static void ids_grow(struct build *b, struct name_index *x)
{
	uint32_t slots = x->id_slots ? x->id_slots * 2 : 64;
	struct id_entry **v = arena_alloc(b->mem, slots * sizeof(struct id_entry *));
	for (uint32_t i = 0; i < x->id_slots; i++) {
		for (struct id_entry *e = x->ids[i], *next; e; e = next) {
			next = e->next;
			e->next = v[e->hash & (slots - 1)];
			v[e->hash & (slots - 1)] = e;
		}
	}
	x->ids = v;
	x->id_slots = slots;
}

static void ids_add(struct build *b, struct name_index *x, struct resource *r, const struct id *id)
{
	uint64_t hash = id_hash(id);
	for (struct id_entry *e = x->id_slots ? x->ids[hash & (x->id_slots - 1)] : NULL; e; e = e->next)
		if (e->r == r && e->hash == hash)
			return;
	if (x->n_ids >= x->id_slots)
		ids_grow(b, x);
	struct id_entry *e = arena_alloc(b->mem, sizeof(*e)), **slot = &x->ids[hash & (x->id_slots - 1)];
	*e = (struct id_entry){hash, r, *slot};
	*slot = e;
	x->n_ids++;
}

static bool holds(const struct resmap *m, const struct resource *r)
{
	return r->at < m->n && m->v[r->at] == r;
}

static bool had_id(const struct resource *r, const struct id *id)
{
	for (uint32_t i = 0; i < r->n_previous; i++)
		if (id_equal(&r->previous[i], id))
			return true;
	return id_equal(&r->id, id);
}

/* The first resource in order whose current id (any: or an earlier one) is id, and how many there are. */
static struct resource *by_id(const struct resmap *m, const struct id *id, bool any, size_t *n)
{
	const struct name_index *x = m->index;
	struct resource *first = NULL;
	uint64_t hash = id_hash(id);
	*n = 0;
	for (struct id_entry *e = x && x->id_slots ? x->ids[hash & (x->id_slots - 1)] : NULL; e; e = e->next) {
		struct resource *r = e->r;
		if (e->hash != hash || !r->node || !holds(m, r) || !(any ? had_id(r, id) : id_equal(&r->id, id)))
			continue;
		if (!first || r->at < first->at)
			first = r;
		++*n;
	}
	return first;
}

/* ---- by name ---- */

static void names_grow(struct build *b, struct name_index *x)
{
	uint32_t slots = x->name_slots ? x->name_slots * 2 : 64;
	struct name_entry **v = arena_alloc(b->mem, slots * sizeof(struct name_entry *));
	for (uint32_t i = 0; i < x->name_slots; i++) {
		for (struct name_entry *e = x->names[i], *next; e; e = next) {
			next = e->next;
			e->next = v[e->hash & (slots - 1)];
			v[e->hash & (slots - 1)] = e;
		}
	}
	x->names = v;
	x->name_slots = slots;
}

static struct name_entry *names_find(const struct name_index *x, pl_str name, uint64_t hash)
{
	struct name_entry *e = x->name_slots ? x->names[hash & (x->name_slots - 1)] : NULL;
	while (e && (e->hash != hash || !str_eq(e->name, name)))
		e = e->next;
	return e;
}

static void names_add(struct build *b, struct name_index *x, struct resource *r, pl_str name)
{
	uint64_t hash = str_hash(name);
	struct name_entry *e = names_find(x, name, hash);
	if (!e) {
		if (x->n_names >= x->name_slots)
			names_grow(b, x);
		e = arena_alloc(b->mem, sizeof(*e));
		struct name_entry **slot = &x->names[hash & (x->name_slots - 1)];
		*e = (struct name_entry){.hash = hash, .name = name, .clean_at = x->change, .next = *slot};
		*slot = e;
		x->n_names++;
	}
	if (e->n && e->v[e->n - 1] == r)
		return;
	if (e->n && e->v[e->n - 1]->at > r->at)
		e->clean_at = UINT64_MAX;
	e->v = arena_grow(b->mem, e->v, e->n, &e->cap, sizeof(*e->v));
	e->v[e->n++] = r;
}

static bool had_name(const struct resource *r, pl_str name)
{
	for (uint32_t i = 0; i < r->n_previous; i++)
		if (str_eq(r->previous[i].name, name))
			return true;
	return str_eq(r->id.name, name);
}

static int by_place(const void *a, const void *b)
{
	const struct resource *const *x = a, *const *y = b;
	return ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static void name_clean(const struct resmap *m, struct name_entry *e)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < e->n; i++)
		if (holds(m, e->v[i]) && e->v[i]->node && had_name(e->v[i], e->name))
			e->v[n++] = e->v[i];
	if (n > 1)
		qsort(e->v, n, sizeof(struct resource *), by_place);
	e->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!e->n || e->v[e->n - 1] != e->v[i])
			e->v[e->n++] = e->v[i];
	e->clean_at = m->index->change;
}

static void names_add_all(struct build *b, struct name_index *x, struct resource *r)
{
	for (uint32_t i = 0; i < r->n_previous; i++)
		names_add(b, x, r, r->previous[i].name);
	names_add(b, x, r, r->id.name);
}

size_t resmap_named(struct build *b, struct resmap *m, pl_str name, struct resource *const **out)
{
	struct name_index *x = m->index;
	*out = NULL;
	if (!x)
		return 0;
	if (!x->names) {
		names_grow(b, x);
		for (uint32_t i = 0; i < m->n; i++)
			names_add_all(b, x, m->v[i]);
	}
	struct name_entry *e = names_find(x, name, str_hash(name));
	if (!e)
		return 0;
	if (e->clean_at != x->change)
		name_clean(m, e);
	*out = e->v;
	return e->n;
}

/* ---- changes ---- */

static void index_add(struct build *b, struct resmap *m, struct resource *r)
{
	if (!m->index)
		m->index = arena_alloc(b->mem, sizeof(*m->index));
	for (uint32_t i = 0; i < r->n_previous; i++)
		ids_add(b, m->index, r, &r->previous[i]);
	ids_add(b, m->index, r, &r->id);
	if (m->index->names)
		names_add_all(b, m->index, r);
}

void resmap_renamed(struct build *b, struct resmap *m, struct resource *r, const struct id *old)
{
	if (!m->index || !holds(m, r))
		return;
	index_add(b, m, r);
	if (!had_name(r, old->name))
		m->index->change++;
}

static void put(struct build *b, struct resmap *m, struct resource *r)
{
	m->v = arena_grow(b->mem, m->v, m->n, &m->cap, sizeof(struct resource *));
	r->at = m->n;
	m->v[m->n++] = r;
	index_add(b, m, r);
}

pl_status resmap_append(struct build *b, struct resmap *m, struct resource *r)
{
	size_t n;
	const struct resource *there = by_id(m, &r->id, false, &n);
	if (there) {
		pl_place first = pl_at(b->doc, there->node);
		if (first.file)
			return fail(b, PL_EEXIST, r->node,
				    "may not add resource with an already registered id: %.*s (the other one: %s:%u)",
				    F(id_text(b, &r->id)), first.file, first.line);
		return fail(b, PL_EEXIST, r->node, "may not add resource with an already registered id: %.*s",
			    F(id_text(b, &r->id)));
	}
	put(b, m, r);
	return PL_OK;
}

pl_status resmap_append_all(struct build *b, struct resmap *m, struct resmap *from)
{
	pl_status st = PL_OK;
	if (!m->n) {
		*m = *from;
		*from = (struct resmap){NULL, 0, 0, NULL};
		return PL_OK;
	}
	for (uint32_t i = 0; i < from->n && !st; i++)
		st = resmap_append(b, m, from->v[i]);
	from->n = 0;
	from->index = NULL;
	return st;
}

void resmap_compact(struct resmap *m)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		if (!m->v[i]->node)
			continue;
		m->v[i]->at = n;
		m->v[n++] = m->v[i];
	}
	if (n != m->n && m->index)
		m->index->change++;
	m->n = n;
}

/* ---- generated resources ---- */

/* from's pairs that `into` lacks, in the order that from has them, then into's: the newer wins. */
static void merge_map(struct build *b, pl_node *into, const pl_node *from, const char *key)
{
	const pl_node *old = pl_gets(from, key), *new = pl_gets(into, key);
	if (pl_kind(old) != PL_MAP || !pl_len(old))
		return;
	pl_node *merged = pl_new_map(b->doc);
	for (size_t i = 0; i < pl_len(old); i++)
		(void)pl_set(b->doc, merged, pl_text(pl_key(old, i)), pl_value(old, i));
	for (size_t i = 0; i < pl_len(new); i++)
		(void)pl_set(b->doc, merged, pl_text(pl_key(new, i)), pl_value(new, i));
	(void)pl_sets(b->doc, into, key, merged);
}

/* new takes over old's name, namespace and history, and its labels and annotations below its own. */
static void take_over(struct build *b, struct resource *new, const struct resource *old)
{
	pl_node *meta = pl_gets(new->node, "metadata");
	const pl_node *old_meta = pl_gets(old->node, "metadata");
	merge_map(b, meta, old_meta, "labels");
	merge_map(b, meta, old_meta, "annotations");
	resource_set_name(b, NULL, new, old->id.name);
	resource_set_namespace(b, NULL, new, old->id.ns);
	new->previous = old->previous;
	new->n_previous = old->n_previous;
	new->cap_previous = old->cap_previous;
	new->prefixes = old->prefixes;
	new->suffixes = old->suffixes;
	new->ref_vars = old->ref_vars;
	new->allow_name_change = old->allow_name_change;
	new->allow_kind_change = old->allow_kind_change;
}

static void replace(struct build *b, struct resmap *m, struct resource *old, struct resource *r)
{
	r->at = old->at;
	m->v[old->at] = r;
	old->at = UINT32_MAX;
	m->index->change++;
	index_add(b, m, r);
}

static const char *behavior_name(uint8_t behavior)
{
	static const char *const names[] = {"unspecified", "create", "replace", "merge"};
	return names[behavior];
}

pl_status resmap_absorb(struct build *b, struct resmap *m, struct resource *r)
{
	size_t n;
	struct resource *old = by_id(m, &r->id, true, &n);
	bool joins = r->behavior == BEHAVIOR_MERGE || r->behavior == BEHAVIOR_REPLACE;
	if (!old && joins)
		return fail(b, PL_ENOTFOUND, r->node, "id '%.*s' does not exist; cannot merge or replace",
			    F(id_text(b, &r->id)));
	if (!old)
		return resmap_append(b, m, r);
	if (n > 1)
		return fail(b, PL_EINVAL, r->node, "found %zu objects that could accept %s of '%.*s'", n,
			    joins ? behavior_name(r->behavior) : "merge", F(id_text(b, &r->id)));
	if (!joins)
		return fail(b, PL_EEXIST, r->node,
			    "id '%.*s' exists; can not use behavior '%s', behavior must be merge or replace",
			    F(id_text(b, &r->id)), behavior_name(r->behavior));
	take_over(b, r, old);
	origin_take_over(b, r, old, r->behavior == BEHAVIOR_MERGE);
	if (r->behavior == BEHAVIOR_MERGE) {
		merge_map(b, r->node, old->node, "data");
		merge_map(b, r->node, old->node, "binaryData");
	}
	replace(b, m, old, r);
	return PL_OK;
}
