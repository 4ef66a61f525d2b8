/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Duplicate keys. Most maps have a handful of keys: those are compared with a 64-bit filter in front. Bigger ones use a
 * hash set whose seed is drawn per document, so that a hostile file cannot choose keys that all collide.
 */
#include "core/doc/node.h"

#include "core/base/mem.h"

#include <sys/random.h>

enum { SMALL = 16 };

static uint64_t load64(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n < 8 ? n : 8);
	return v;
}

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t a, uint64_t b)
{
	wide m = (wide)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t key_hash(uint64_t seed, pl_str k)
{
	uint64_t h = seed ^ (k.n * 0x9e3779b97f4a7c15u);

	for (; k.n > 16; k.p += 16, k.n -= 16)
		h = mix(load64(k.p, 8) ^ seed ^ 0xa0761d6478bd642fu, load64(k.p + 8, 8) ^ h);
	h = mix(load64(k.p, k.n) ^ seed ^ 0xe7037ed1a0b428dbu, (k.n > 8 ? load64(k.p + 8, k.n - 8) : 0) ^ h);
	return mix(h ^ 0x8ebc6af09c88c6e3u, seed ^ 0x589965cc75374cc3u);
}

static uint64_t doc_seed(pl_doc *d)
{
	if (!d->seed) {
		/* Without a random source the address still differs from run to run. */
		if (getrandom(&d->seed, sizeof(d->seed), GRND_NONBLOCK) != (ssize_t)sizeof(d->seed))
			d->seed = (uintptr_t)d;
		d->seed |= 1;
	}
	return d->seed;
}

/* ---- the set ---- */

void keyset_init(struct keyset *k, pl_doc *d)
{
	*k = (struct keyset){.seed = doc_seed(d)};
}

static struct keyset_slot *slot_of(const struct keyset *k, pl_str key, uint32_t hash)
{
	size_t mask = k->cap - 1, i = hash & mask;

	while (k->slots[i].used && !(k->slots[i].hash == hash && str_eq(k->slots[i].key, key)))
		i = (i + 1) & mask;
	return &k->slots[i];
}

static void keyset_grow(struct keyset *k, size_t cap)
{
	struct keyset_slot *old = k->slots;
	size_t n = k->cap, i;

	k->cap = cap;
	k->slots = mem_zalloc(cap * sizeof(*k->slots));
	for (i = 0; i < n; i++)
		if (old[i].used)
			*slot_of(k, old[i].key, old[i].hash) = old[i];
	free(old);
}

/* The key's slot, in use or to be filled. */
static struct keyset_slot *slot_for(struct keyset *k, pl_str key, uint32_t *hash)
{
	*hash = (uint32_t)key_hash(k->seed, key);
	if ((k->n + 1) * 2 > k->cap)
		keyset_grow(k, k->cap ? k->cap * 2 : 32);
	return slot_of(k, key, *hash);
}

size_t keyset_add(struct keyset *k, pl_str key, size_t pos)
{
	uint32_t hash;
	struct keyset_slot *s = slot_for(k, key, &hash);

	if (s->used)
		return s->pos;
	*s = (struct keyset_slot){.key = key, .hash = hash, .used = 1, .pos = pos};
	k->n++;
	return SIZE_MAX;
}

void keyset_put(struct keyset *k, pl_str key, size_t pos)
{
	uint32_t hash;
	struct keyset_slot *s = slot_for(k, key, &hash);

	k->n += !s->used;
	*s = (struct keyset_slot){.key = key, .hash = hash, .used = 1, .pos = pos};
}

size_t keyset_find(const struct keyset *k, pl_str key)
{
	const struct keyset_slot *s;

	if (k->n == 0)
		return SIZE_MAX;
	s = slot_of(k, key, (uint32_t)key_hash(k->seed, key));
	return s->used ? s->pos : SIZE_MAX;
}

void keyset_free(struct keyset *k)
{
	free(k->slots);
	k->slots = NULL;
	k->n = k->cap = 0;
}

/* ---- the check ---- */

/* Names the key as far as it is fit for an error text. */
pl_status doc_duplicate_key(const pl_doc *d, const pl_node *first, const pl_node *second, pl_err *e)
{
	pl_place at = pl_at(d, first);
	pl_str key = node_text(second);
	int shown = key.n > 200 ? 200 : (int)key.n;

	if (at.file && node_file(first) != node_file(second))
		return pl_err_set(e, PL_EINVAL, pl_at(d, second), "duplicate key '%.*s', first at %s:%u:%u", shown,
				  key.p, at.file, at.line, at.col);
	return pl_err_set(e, PL_EINVAL, pl_at(d, second), "duplicate key '%.*s', first at line %u, column %u", shown,
			  key.p, at.line, at.col);
}

static pl_status check_small(const pl_doc *d, const pl_node *map, pl_err *e)
{
	pl_node *const *k = map->u.kids;
	uint64_t seen = 0;
	size_t i, j;

	for (i = 0; i < map->len; i++, k += 2) {
		pl_str key = node_text(*k);
		uint64_t bit;

		if (node_is_container(*k))
			continue;
		bit = key.n ? (unsigned char)key.p[0] + 7u * (unsigned char)key.p[key.n - 1] + 13u * (unsigned)key.n
			    : 0;
		bit = (uint64_t)1 << (bit & 63);
		if (seen & bit) {
			for (j = 0; j < i; j++) {
				const pl_node *other = map->u.kids[2 * j];

				if (other->len == key.n && !node_is_container(other) &&
				    memcmp(other->u.s, key.p, key.n) == 0)
					return doc_duplicate_key(d, other, *k, e);
			}
		}
		seen |= bit;
	}
	return PL_OK;
}

pl_status doc_check_keys(pl_doc *d, const pl_node *map, pl_err *e)
{
	struct keyset set;
	pl_status st = PL_OK;
	size_t i, cap = 32, first;

	if (map->len <= SMALL)
		return check_small(d, map, e);
	keyset_init(&set, d);
	while (cap < (size_t)map->len * 2)
		cap *= 2;
	keyset_grow(&set, cap);
	for (i = 0; i < map->len && st == PL_OK; i++) {
		const pl_node *k = map->u.kids[2 * i];

		if (node_is_container(k))
			continue;
		first = keyset_add(&set, node_text(k), i);
		if (first != SIZE_MAX)
			st = doc_duplicate_key(d, map->u.kids[2 * first], k, e);
	}
	keyset_free(&set);
	return st;
}
