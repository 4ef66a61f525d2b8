/* SPDX-License-Identifier: Apache-2.0 */
/* references_names.c - finds resources by a name and a kind that they had before. */
#include "references.h"

struct entry {
	pl_str name, kind, ns;
	uint64_t hash;
	enum ns_of which;
	struct candidates list;
	bool used;
};

struct place { /* of one resource */
	pl_str now, first;
	bool cluster;
};

struct names {
	struct entry *entries; /* open addressing; size is a power of two */
	size_t n, size;
	struct place *places; /* by the resource's index */
};

static uint64_t entry_hash(pl_str name, pl_str kind, enum ns_of which, pl_str ns)
{
	uint64_t h = str_hash(name);
	h = h * 31 + str_hash(kind);
	h = h * 31 + str_hash(ns);
	return (h ^ (h >> 29)) * 31 + (uint64_t)which;
}

static struct entry *entry_slot(const struct names *x, pl_str name, pl_str kind, enum ns_of which, pl_str ns)
{
	uint64_t hash = entry_hash(name, kind, which, ns);
	size_t i = hash & (x->size - 1);
	for (; x->entries[i].used; i = (i + 1) & (x->size - 1)) {
		const struct entry *e = &x->entries[i];
		if (e->hash == hash && e->which == which && str_eq(e->name, name) && str_eq(e->kind, kind) &&
		    str_eq(e->ns, ns))
			break;
	}
	return &x->entries[i];
}

static void grow(struct build *b, struct names *x)
{
	struct entry *old = x->entries;
	size_t n = x->size;
	x->size = n ? n * 2 : 64;
	x->entries = arena_alloc(b->mem, x->size * sizeof(*x->entries));
	for (size_t i = 0; i < n; i++) {
		if (old[i].used)
			*entry_slot(x, old[i].name, old[i].kind, old[i].which, old[i].ns) = old[i];
	}
}

static struct entry *entry(struct build *b, struct names *x, pl_str name, pl_str kind, enum ns_of which, pl_str ns)
{
	if (x->n * 2 >= x->size)
		grow(b, x);
	struct entry *e = entry_slot(x, name, kind, which, ns);
	if (!e->used) {
		*e = (struct entry){name, kind, ns, entry_hash(name, kind, which, ns), which, {0}, true};
		x->n++;
	}
	return e;
}

/* A resource comes once to each list: its names are added one after another. */
static void list_add(struct build *b, struct entry *e, struct resource *r)
{
	struct candidates *l = &e->list;
	if (l->n && l->v[l->n - 1] == r)
		return;
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(struct resource *));
	l->v[l->n++] = r;
}

static void add(struct build *b, struct names *x, struct resource *r, pl_str name, pl_str kind)
{
	const struct place *p = &x->places[r->at];
	list_add(b, entry(b, x, name, kind, NS_ANY, S("")), r);
	list_add(b, entry(b, x, name, kind, NS_CURRENT, p->now), r);
	list_add(b, entry(b, x, name, kind, NS_ORIGINAL, p->first), r);
}

/* Any of its former names with any of its former kinds. */
static void add_all(struct build *b, struct names *x, struct resource *r)
{
	for (uint32_t i = 0; i < r->n_previous; i++) {
		pl_str name = r->previous[i].name;
		if (i && str_eq(name, r->previous[i - 1].name))
			continue;
		add(b, x, r, name, S(""));
		for (uint32_t k = 0; k < r->n_previous; k++) {
			pl_str kind = r->previous[k].gvk.kind;
			if (!k || !str_eq(kind, r->previous[k - 1].gvk.kind))
				add(b, x, r, name, kind);
		}
	}
}

/* Which namespaces there were stands in entries of a kind that can't be: name is the first one, ns the present one. */
#define MOVED S("\n")

static void locate(struct build *b, struct names *x, struct resource *r)
{
	struct place *p = &x->places[r->at];
	p->cluster = r->id.cluster || gvk_cluster_scoped(b, &r->id.gvk);
	p->now = id_namespace(b, &r->id);
	p->first = r->n_previous ? id_namespace(b, resource_original(r)) : p->now;
	(void)entry(b, x, p->first, MOVED, NS_ANY, S(""));
	(void)entry(b, x, p->first, MOVED, NS_CURRENT, p->now);
}

struct names *names_new(struct build *b, struct resmap *m)
{
	struct names *x = arena_alloc(b->mem, sizeof(*x));
	x->places = arena_alloc(b->mem, m->n * sizeof(*x->places));
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i]->at = i;
		locate(b, x, m->v[i]);
		add_all(b, x, m->v[i]);
	}
	return x;
}

struct candidates *names_find(const struct names *x, pl_str name, pl_str kind, enum ns_of which, pl_str ns)
{
	if (!x->size)
		return NULL;
	return &entry_slot(x, name, kind, which, ns)->list;
}

/* ---- by prefix and suffix ---- */

struct bucket {
	pl_str affix;
	uint64_t hash;
	struct candidates list;
	bool used;
};

struct buckets {
	size_t size; /* a power of two, more than there can be buckets */
	struct bucket v[];
};

static pl_str outermost(const struct strings *l)
{
	return l->n ? l->v[l->n - 1] : S("");
}

static struct bucket *bucket_slot(struct buckets *x, pl_str affix)
{
	uint64_t hash = str_hash(affix);
	size_t i = hash & (x->size - 1);
	while (x->v[i].used && (x->v[i].hash != hash || !str_eq(x->v[i].affix, affix)))
		i = (i + 1) & (x->size - 1);
	x->v[i].hash = hash;
	x->v[i].affix = affix;
	return &x->v[i];
}

static struct buckets *buckets_new(struct build *b, const struct candidates *l, bool prefix)
{
	size_t size = 16;
	while (size < (size_t)l->n * 2)
		size *= 2;
	struct buckets *x = arena_alloc(b->mem, sizeof(*x) + size * sizeof(x->v[0]));
	x->size = size;
	for (uint32_t i = 0; i < l->n; i++) {
		struct resource *r = l->v[i];
		struct bucket *k = bucket_slot(x, outermost(prefix ? &r->prefixes : &r->suffixes));
		k->used = true;
		k->list.v = arena_grow(b->mem, k->list.v, k->list.n, &k->list.cap, sizeof(struct resource *));
		k->list.v[k->list.n++] = r;
	}
	return x;
}

const struct candidates *names_bucket(struct build *b, struct candidates *l, bool prefix, pl_str affix)
{
	struct buckets **x = prefix ? &l->prefixes : &l->suffixes;
	if (!*x)
		*x = buckets_new(b, l, prefix);
	return &bucket_slot(*x, affix)->list;
}

pl_str names_ns(const struct names *x, const struct resource *r, enum ns_of which)
{
	return which == NS_ORIGINAL ? x->places[r->at].first : x->places[r->at].now;
}

bool names_cluster(const struct names *x, const struct resource *r)
{
	return x->places[r->at].cluster;
}

bool names_moved(const struct names *x, pl_str original, const pl_str *current)
{
	return x->size &&
	       entry_slot(x, original, MOVED, current ? NS_CURRENT : NS_ANY, current ? *current : S(""))->used;
}
