/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resources of one accumulation, and how they are found.
 *
 * Three tables, all of entries that are only hints: whoever finds one looks whether it is still true. So a rename adds
 * entries and never looks for old ones. `ids` answers "is this id there", `past` the same for any id that a resource
 * has or had; `names` keeps a list for each name, in the map's order, which is put in order when it is asked for after
 * a change. Each is made when it is first asked for; of few resources the first is not worth it.
 */
#include "resmap.h"

#include "generate.h"
#include "origin.h"

enum { FEW = 8 };

struct id_entry {
	struct resource *r;
	uint32_t hash;
	uint32_t next; /* of the same slot + 1 */
};

struct id_table {
	struct id_entry *v;
	uint32_t *slots;  /* the newest entry + 1 */
	uint32_t n, size; /* size: of both, a power of two */
};

struct name_entry {
	struct resource *one, **v; /* v is &one at first */
	uint64_t hash;
	pl_str name;
	uint32_t n, cap;
	uint64_t clean_at; /* index.change when v was last known to be true and in order */
	struct name_entry *next;
};

struct name_index {
	struct id_table ids, past;
	struct name_entry **names; /* NULL until a name is asked for */
	uint32_t name_slots, n_names;
	uint64_t change;
};

struct resmap *resmap_new(struct build *b)
{
	return arena_alloc(b->mem, sizeof(struct resmap));
}

static bool holds(const struct resmap *m, const struct resource *r)
{
	return r->at < m->n && m->v[r->at] == r;
}

static struct name_index *index_of(struct build *b, struct resmap *m)
{
	if (!m->index)
		m->index = arena_alloc(b->mem, sizeof(*m->index));
	return m->index;
}

/* ---- by id ---- */

static uint32_t id_hash(const struct id *id)
{
	pl_str ns = id->cluster ? S("_") : id->ns.n ? id->ns : S("default");
	uint64_t h = str_hash(id->name);
	h = h * 31 + str_hash(id->gvk.kind);
	h = h * 31 + str_hash(id->gvk.group);
	h = h * 31 + str_hash(id->gvk.version);
	h = h * 31 + str_hash(ns);
	return (uint32_t)(h ^ h >> 32);
}

static void ids_grow(struct build *b, struct id_table *x, uint32_t size)
{
	struct id_entry *v = arena_alloc(b->mem, size * sizeof(*v));
	if (x->n)
		memcpy(v, x->v, x->n * sizeof(*v));
	x->v = v;
	x->size = size;
	x->slots = arena_alloc(b->mem, size * sizeof(*x->slots));
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t *slot = &x->slots[v[i].hash & (size - 1)];
		v[i].next = *slot;
		*slot = i + 1;
	}
}

static void ids_add(struct build *b, struct id_table *x, struct resource *r, uint32_t hash)
{
	if (x->n == UINT32_MAX / 2)
		abort();
	if (x->n == x->size)
		ids_grow(b, x, x->size ? x->size * 2 : 2 * FEW);
	uint32_t *slot = &x->slots[hash & (x->size - 1)];
	x->v[x->n] = (struct id_entry){r, hash, *slot};
	*slot = ++x->n;
}

static uint32_t room_for(uint32_t n)
{
	uint32_t size = 2 * FEW;
	while (size < n)
		size *= 2;
	return size;
}

static void add_past(struct build *b, struct id_table *x, struct resource *r)
{
	for (uint32_t i = 0; i < r->n_previous; i++)
		ids_add(b, x, r, id_hash(&r->previous[i]));
	ids_add(b, x, r, id_hash(&r->id));
}

static void make_ids(struct build *b, struct resmap *m)
{
	struct id_table *x = &index_of(b, m)->ids;
	if (x->size)
		return;
	ids_grow(b, x, room_for(m->n));
	for (uint32_t i = 0; i < m->n; i++)
		ids_add(b, x, m->v[i], id_hash(&m->v[i]->id));
}

static void make_past(struct build *b, struct resmap *m)
{
	struct id_table *x = &index_of(b, m)->past;
	if (x->size)
		return;
	ids_grow(b, x, room_for(m->n));
	for (uint32_t i = 0; i < m->n; i++)
		add_past(b, x, m->v[i]);
}

/* The first resource in order whose current id is id. */
static struct resource *by_id(struct build *b, struct resmap *m, const struct id *id, uint32_t hash)
{
	struct resource *first = NULL;
	if (m->n <= FEW && !m->index) {
		for (uint32_t i = 0; i < m->n && !first; i++)
			if (m->v[i]->node && id_equal(&m->v[i]->id, id))
				first = m->v[i];
		return first;
	}
	make_ids(b, m);
	const struct id_table *x = &m->index->ids;
	for (uint32_t i = x->slots[hash & (x->size - 1)]; i; i = x->v[i - 1].next) {
		struct resource *r = x->v[i - 1].r;
		if (x->v[i - 1].hash == hash && r->node && holds(m, r) && id_equal(&r->id, id) &&
		    (!first || r->at < first->at))
			first = r;
	}
	return first;
}

static size_t count_had(const struct resmap *m, const struct id *id)
{
	size_t n = 0;
	for (uint32_t i = 0; i < m->n; i++)
		n += m->v[i]->node && resource_had_id(m->v[i], id);
	return n;
}

/* A resource whose current or earlier id is id, and how many there are: several are an error, and only then counted. */
static struct resource *by_any_id(struct build *b, struct resmap *m, const struct id *id, size_t *n)
{
	uint32_t hash = id_hash(id);
	struct resource *found = NULL;
	*n = 0;
	if (!m->n)
		return NULL;
	make_past(b, m);
	const struct id_table *x = &m->index->past;
	for (uint32_t i = x->slots[hash & (x->size - 1)]; i; i = x->v[i - 1].next) {
		struct resource *r = x->v[i - 1].r;
		if (x->v[i - 1].hash != hash || r == found || !r->node || !holds(m, r) || !resource_had_id(r, id))
			continue;
		if (found) {
			*n = count_had(m, id);
			return found;
		}
		found = r;
		*n = 1;
	}
	return found;
}

/* ---- by name ---- */

static void names_grow(struct build *b, struct name_index *x)
{
	uint32_t slots = x->name_slots ? x->name_slots * 2 : 2 * FEW;
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

static struct name_entry *name_entry(struct build *b, struct name_index *x, pl_str name)
{
	uint64_t hash = str_hash(name);
	struct name_entry *e = names_find(x, name, hash);
	if (e)
		return e;
	if (x->n_names >= x->name_slots)
		names_grow(b, x);
	e = arena_alloc(b->mem, sizeof(*e));
	struct name_entry **slot = &x->names[hash & (x->name_slots - 1)];
	*e = (struct name_entry){.hash = hash, .name = name, .cap = 1, .clean_at = x->change, .next = *slot};
	e->v = &e->one;
	*slot = e;
	x->n_names++;
	return e;
}

static void names_add(struct build *b, struct name_index *x, struct resource *r, pl_str name)
{
	struct name_entry *e = name_entry(b, x, name);
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
	struct name_index *x = index_of(b, m);
	*out = NULL;
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

/* What tables there are learn of a resource. */
static void index_add(struct build *b, struct resmap *m, struct resource *r, uint32_t hash)
{
	struct name_index *x = m->index;
	if (x && x->ids.size)
		ids_add(b, &x->ids, r, hash);
	if (x && x->past.size)
		add_past(b, &x->past, r);
	if (x && x->names)
		names_add_all(b, x, r);
}

/* Its earlier ids are there, but for what resource_refresh() changes in all of them. */
void resmap_renamed(struct build *b, struct resmap *m, struct resource *r, const struct id *old)
{
	struct name_index *x = m->index;
	if (!x || !holds(m, r))
		return;
	uint32_t hash = id_hash(&r->id);
	if (x->ids.size)
		ids_add(b, &x->ids, r, hash);
	if (x->past.size && str_eq(r->id.gvk.group, old->gvk.group) && str_eq(r->id.gvk.version, old->gvk.version))
		ids_add(b, &x->past, r, hash);
	else if (x->past.size)
		add_past(b, &x->past, r);
	if (x->names)
		names_add(b, x, r, r->id.name);
	if (!had_name(r, old->name))
		x->change++;
}

pl_status resmap_append(struct build *b, struct resmap *m, struct resource *r)
{
	uint32_t hash = id_hash(&r->id);
	const struct resource *there = by_id(b, m, &r->id, hash);
	if (there) {
		pl_place first = pl_at(b->doc, there->node);
		if (first.file)
			return fail(b, PL_EEXIST, r->node,
				    "may not add resource with an already registered id: %.*s (the other one: %s:%u)",
				    F(id_text(b, &r->id)), first.file, first.line);
		return fail(b, PL_EEXIST, r->node, "may not add resource with an already registered id: %.*s",
			    F(id_text(b, &r->id)));
	}
	m->v = arena_grow(b->mem, m->v, m->n, &m->cap, sizeof(struct resource *));
	r->at = m->n;
	m->v[m->n++] = r;
	index_add(b, m, r, hash);
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

/* Whatever stood there, it goes on as the text that it was written as; null as nothing. */
static pl_node *as_text(struct build *b, const pl_node *n)
{
	pl_node *text = pl_new_string(b->doc, pl_kind(n) == PL_NULL ? S("") : pl_text(n));
	pl_set_at(b->doc, text, b->doc, n);
	return text;
}

/* from's pairs that `into` lacks, in the order that from has them, then into's: the newer wins. */
static void merge_map(struct build *b, pl_node *into, const pl_node *from, const char *key)
{
	const pl_node *old = pl_gets(from, key), *new = pl_gets(into, key);
	if (pl_kind(old) != PL_MAP || !pl_len(old))
		return;
	pl_node *merged = pl_new_map(b->doc);
	for (size_t i = 0; i < pl_len(old); i++)
		(void)pl_add(b->doc, merged, pl_text(pl_key(old, i)), as_text(b, pl_value(old, i)));
	for (size_t i = 0; i < pl_len(new); i++)
		(void)pl_set(b->doc, merged, pl_text(pl_key(new, i)), pl_value(new, i));
	(void)pl_sets(b->doc, into, key, merged);
}

/*
 * A Secret's stringData are its data, too (an API server writes them over), and a generated Secret has only data:
 * without this they would be lost. As the reference does since 2026.
 */
static const pl_node *with_secret_texts(struct build *b, const struct resource *old)
{
	const pl_node *texts = pl_gets(old->node, "stringData");
	const struct gvk *g = &old->id.gvk;
	if (!str_is(g->kind, "Secret") || g->group.n || !str_is(g->version, "v1") || pl_kind(texts) != PL_MAP)
		return old->node;
	pl_node *both = pl_new_map(b->doc), *data = pl_new_map(b->doc);
	for (size_t i = 0; i < pl_len(texts); i++)
		(void)pl_add(b->doc, data, pl_text(pl_key(texts, i)), base64_node(b, pl_text(pl_value(texts, i))));
	(void)pl_sets(b->doc, both, "data", data);
	merge_map(b, both, old->node, "data");
	return both;
}

/*
 * new takes over old's name, namespace and history, and its labels and annotations below its own. Its name gets a hash
 * where both want one: what was written by hand, or without a hash, keeps the name that others may rely on.
 */
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
	new->needs_hash = new->needs_hash && old->needs_hash; /* what was not generated keeps its name */
	new->allow_name_change = old->allow_name_change;
	new->allow_kind_change = old->allow_kind_change;
}

static void replace(struct build *b, struct resmap *m, struct resource *old, struct resource *r)
{
	r->at = old->at;
	m->v[old->at] = r;
	old->at = UINT32_MAX;
	index_of(b, m)->change++;
	index_add(b, m, r, id_hash(&r->id));
}

static const char *behavior_name(uint8_t behavior)
{
	static const char *const names[] = {"unspecified", "create", "replace", "merge"};
	return names[behavior];
}

static pl_status exists_already(struct build *b, const struct resource *r, const struct resource *old)
{
	pl_place at = pl_at(b->doc, old->node);
	pl_str there = at.file ? arena_printf(b->mem, " (%s:%u)", at.file, at.line) : S("");
	if (r->behavior == BEHAVIOR_CREATE)
		return fail(b, PL_EEXIST, r->node,
			    "id '%.*s' exists%.*s; can not use behavior 'create', behavior must be merge or replace",
			    F(id_text(b, &r->id)), F(there));
	return fail(b, PL_EEXIST, r->node, "id '%.*s' exists%.*s; behavior must be merge or replace",
		    F(id_text(b, &r->id)), F(there));
}

pl_status resmap_absorb(struct build *b, struct resmap *m, struct resource *r)
{
	size_t n;
	struct resource *old = by_any_id(b, m, &r->id, &n);
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
		return exists_already(b, r, old);
	take_over(b, r, old);
	origin_take_over(b, r, old, r->behavior == BEHAVIOR_MERGE);
	if (r->behavior == BEHAVIOR_MERGE) {
		merge_map(b, r->node, with_secret_texts(b, old), "data");
		merge_map(b, r->node, old->node, "binaryData");
	}
	replace(b, m, old, r);
	return PL_OK;
}
