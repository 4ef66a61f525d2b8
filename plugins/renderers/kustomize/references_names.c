/* SPDX-License-Identifier: Apache-2.0 */
/*
 * references_names.c - finds resources by a name and a kind that they had before.
 *
 * There are six keys a resource and more, and most are never asked for: the table holds no keys, only their hashes, and
 * who looks compares. A list that was asked for is kept.
 */
#include "references.h"

struct posting {       /* a resource of one slot */
	uint32_t at;   /* its index in the map */
	uint32_t next; /* the one behind it + 1; 0: none */
};

struct slot {
	uint32_t hash;
	uint32_t first; /* posting + 1, in the map's order; 0: the slot is free */
	uint32_t asked; /* the first of the lists that were made from it + 1 */
};

struct asked {
	struct candidates list;
	pl_str name, kind, ns;
	enum ns_of which;
	uint32_t next; /* of the same slot + 1 */
};

struct place { /* of one resource */
	pl_str now, first;
	bool cluster;
};

struct move {
	pl_str first, now;
	uint64_t hash;
	bool used;
};

struct names {
	const struct resmap *m;
	struct place *places; /* by the resource's index */
	struct slot *slots;   /* open addressing; NULL until something is looked for */
	size_t size;	      /* a power of two */
	struct posting *postings;
	uint32_t n_postings;
	struct asked **asked;
	uint32_t n_asked, cap_asked;
	struct move *moves; /* open addressing */
	size_t n_moves, size_moves;
};

/* ---- keys ---- */

static uint32_t key_hash(uint64_t name, uint64_t kind, enum ns_of which, uint64_t ns)
{
	uint64_t h = ((name * 31 + kind) * 31 + ns) * 31 + (uint64_t)which;
	h = (h ^ h >> 29) * 0x9fb21c651e98df25u;
	return (uint32_t)(h >> 32);
}

static bool new_name(const struct resource *r, uint32_t i)
{
	return !i || !str_eq(r->previous[i].name, r->previous[i - 1].name);
}

static bool new_kind(const struct resource *r, uint32_t i)
{
	return !i || !str_eq(r->previous[i].gvk.kind, r->previous[i - 1].gvk.kind);
}

static size_t keys_of(const struct resource *r)
{
	size_t names = 0, kinds = 1;
	for (uint32_t i = 0; i < r->n_previous; i++) {
		names += new_name(r, i);
		kinds += new_kind(r, i);
	}
	return names * kinds * 3;
}

static bool has_key(const struct names *x, uint32_t at, const struct asked *key)
{
	const struct resource *r = x->m->v[at];
	bool name = false, kind = !key->kind.n;
	for (uint32_t i = 0; i < r->n_previous; i++) {
		name = name || str_eq(r->previous[i].name, key->name);
		kind = kind || str_eq(r->previous[i].gvk.kind, key->kind);
	}
	return name && kind && (key->which == NS_ANY || str_eq(names_ns(x, r, key->which), key->ns));
}

/* ---- the table ---- */

static struct slot *slot_of(const struct names *x, uint32_t hash)
{
	size_t i = hash & (x->size - 1);
	while (x->slots[i].first && x->slots[i].hash != hash)
		i = (i + 1) & (x->size - 1);
	return &x->slots[i];
}

static void put(struct names *x, uint32_t at, uint32_t hash)
{
	struct slot *s = slot_of(x, hash);
	if (s->first && x->postings[s->first - 1].at == at)
		return;
	x->postings[x->n_postings] = (struct posting){at, s->first};
	s->hash = hash;
	s->first = ++x->n_postings;
}

static void put_key(struct names *x, uint32_t at, uint64_t name, uint64_t kind, uint64_t now, uint64_t first)
{
	put(x, at, key_hash(name, kind, NS_ANY, 0));
	put(x, at, key_hash(name, kind, NS_CURRENT, now));
	put(x, at, key_hash(name, kind, NS_ORIGINAL, first));
}

/* Any of its former names with any of its former kinds. */
static void put_all(struct names *x, uint32_t at)
{
	const struct resource *r = x->m->v[at];
	uint64_t any = str_hash(S("")), now = str_hash(x->places[at].now), first = str_hash(x->places[at].first);
	for (uint32_t i = 0; i < r->n_previous; i++) {
		if (!new_name(r, i))
			continue;
		uint64_t name = str_hash(r->previous[i].name);
		put_key(x, at, name, any, now, first);
		for (uint32_t k = 0; k < r->n_previous; k++)
			if (new_kind(r, k))
				put_key(x, at, name, str_hash(r->previous[k].gvk.kind), now, first);
	}
}

/* From the last resource to the first: each one is put in front. */
static void fill(struct build *b, struct names *x)
{
	size_t keys = 0;
	for (uint32_t i = 0; i < x->m->n; i++)
		keys += keys_of(x->m->v[i]);
	if (keys > UINT32_MAX - 1)
		abort();
	for (x->size = 16; x->size < keys + keys / 3; x->size *= 2)
		;
	x->slots = arena_alloc(b->mem, x->size * sizeof(*x->slots));
	x->postings = arena_alloc(b->mem, keys * sizeof(*x->postings));
	for (uint32_t i = x->m->n; i-- > 0;)
		put_all(x, i);
}

static struct asked *gather(struct build *b, struct names *x, struct slot *s, const struct asked *key)
{
	struct asked *a = arena_alloc(b->mem, sizeof(*a));
	uint32_t n = 0;
	*a = *key;
	for (uint32_t p = s->first; p; p = x->postings[p - 1].next)
		n += has_key(x, x->postings[p - 1].at, key);
	a->list.v = arena_alloc(b->mem, n * sizeof(struct resource *));
	for (uint32_t p = s->first; p; p = x->postings[p - 1].next)
		if (has_key(x, x->postings[p - 1].at, key))
			a->list.v[a->list.n++] = x->m->v[x->postings[p - 1].at];
	a->list.cap = n;
	x->asked = arena_grow(b->mem, x->asked, x->n_asked, &x->cap_asked, sizeof(struct asked *));
	x->asked[x->n_asked++] = a;
	a->next = s->asked;
	s->asked = x->n_asked;
	return a;
}

struct candidates *names_find(struct build *b, struct names *x, pl_str name, pl_str kind, enum ns_of which, pl_str ns)
{
	const struct asked key = {.name = name, .kind = kind, .which = which, .ns = which == NS_ANY ? S("") : ns};
	if (!x->slots)
		fill(b, x);
	struct slot *s =
		slot_of(x, key_hash(str_hash(name), str_hash(kind), which, which == NS_ANY ? 0 : str_hash(key.ns)));
	if (!s->first)
		return NULL;
	for (uint32_t i = s->asked; i; i = x->asked[i - 1]->next) {
		struct asked *a = x->asked[i - 1];
		if (a->which == which && str_eq(a->name, name) && str_eq(a->kind, kind) && str_eq(a->ns, key.ns))
			return &a->list;
	}
	return &gather(b, x, s, &key)->list;
}

/* ---- namespaces ---- */

static struct move *move_slot(const struct names *x, pl_str first, const pl_str *now)
{
	uint64_t hash = str_hash(first) * 31 + (now ? str_hash(*now) : 1);
	size_t i = (hash ^ hash >> 32) & (x->size_moves - 1);
	for (; x->moves[i].used; i = (i + 1) & (x->size_moves - 1)) {
		const struct move *m = &x->moves[i];
		if (m->hash == hash && str_eq(m->first, first) && (now ? str_eq(m->now, *now) : !m->now.p))
			break;
	}
	x->moves[i].hash = hash;
	return &x->moves[i];
}

static void add_move(struct build *b, struct names *x, pl_str first, const pl_str *now)
{
	if (x->n_moves * 2 >= x->size_moves) {
		struct move *old = x->moves;
		size_t n = x->size_moves;
		x->size_moves = n ? n * 2 : 16;
		x->moves = arena_alloc(b->mem, x->size_moves * sizeof(*x->moves));
		for (size_t i = 0; i < n; i++)
			if (old[i].used)
				*move_slot(x, old[i].first, old[i].now.p ? &old[i].now : NULL) = old[i];
	}
	struct move *m = move_slot(x, first, now);
	x->n_moves += !m->used;
	*m = (struct move){first, now ? *now : (pl_str){NULL, 0}, m->hash, true};
}

static void locate(struct build *b, struct names *x, uint32_t at)
{
	const struct resource *r = x->m->v[at];
	struct place *p = &x->places[at];
	p->cluster = r->id.cluster || gvk_cluster_scoped(b, &r->id.gvk);
	p->now = id_namespace(b, &r->id);
	p->first = r->n_previous ? id_namespace(b, resource_original(r)) : p->now;
	if (at && str_eq(p->now, p[-1].now) && str_eq(p->first, p[-1].first))
		return;
	add_move(b, x, p->first, NULL);
	add_move(b, x, p->first, &p->now);
}

struct names *names_new(struct build *b, struct resmap *m)
{
	struct names *x = arena_alloc(b->mem, sizeof(*x));
	x->m = m;
	x->places = arena_alloc(b->mem, m->n * sizeof(*x->places));
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i]->at = i;
		locate(b, x, i);
	}
	return x;
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
	return x->n_moves && move_slot(x, original, current)->used;
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
