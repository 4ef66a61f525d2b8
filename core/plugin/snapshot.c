/* SPDX-License-Identifier: Apache-2.0 */
/* One revision's folders, each read once and shared by every tree over it. */
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/plugin/private.h"

#include <limits.h>
#include <pthread.h>

struct slot {
	struct slot *next;
	pl_str id;
	struct listing listing;
	char digest[HASH_TEXT]; /* empty until it is asked for: only traces do */
};

/* What stands at a path, of snapshots that can find single entries. */
struct place {
	struct place *next;
	pl_str path;
	pl_entry entry;	       /* type PL_ABSENT: nothing */
	struct listing folder; /* of a folder: its path only */
};

struct snapshot {
	atomic_int refs;
	bool whole;
	const struct snapshot_ops *ops;
	void *ctx;
	char *id;
	pthread_rwlock_t lock; /* everything below */
	struct arena *arena;
	struct slot **slots; /* a table by folder id */
	size_t n_slots, n_listings;
	struct place **places; /* a table by path */
	size_t cap_places, n_places;
};

struct snapshot *snapshot_new(const struct snapshot_ops *ops, void *ctx, pl_str id)
{
	struct snapshot *s = mem_zalloc(sizeof(*s));
	atomic_init(&s->refs, 1);
	s->ops = ops;
	s->ctx = ctx;
	s->id = str_dup(id);
	pthread_rwlock_init(&s->lock, NULL);
	s->arena = arena_new();
	s->n_slots = 64;
	s->slots = mem_zalloc(s->n_slots * sizeof(struct slot *));
	return s;
}

void *snapshot_ctx(const struct snapshot *s)
{
	return s->ctx;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	s->ops->close(s);
	arena_free(s->arena);
	pthread_rwlock_destroy(&s->lock);
	free(s->slots);
	free(s->places);
	free(s->id);
	free(s);
}

pl_str snapshot_id(const struct snapshot *s)
{
	return str_of(s->id);
}

/* ---- the table ---- */

static const struct listing *find(const struct snapshot *s, pl_str id)
{
	for (const struct slot *l = s->slots[str_hash(id) & (s->n_slots - 1)]; l; l = l->next) {
		if (str_eq(l->id, id))
			return &l->listing;
	}
	return NULL;
}

static void grow(struct snapshot *s)
{
	size_t n = s->n_slots * 4;
	struct slot **to = mem_zalloc(n * sizeof(struct slot *));
	for (size_t i = 0; i < s->n_slots; i++) {
		while (s->slots[i]) {
			struct slot *l = s->slots[i];
			s->slots[i] = l->next;
			size_t at = str_hash(l->id) & (n - 1);
			l->next = to[at];
			to[at] = l;
		}
	}
	free(s->slots);
	s->slots = to;
	s->n_slots = n;
}

/* ---- taking a listing over ---- */

static int by_name(const void *a, const void *b)
{
	const pl_entry *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

static bool name_ok(pl_str name)
{
	if (name.n == 0 || !name.p || str_eq(name, S(".")) || str_eq(name, S("..")))
		return false;
	return !memchr(name.p, '/', name.n) && !memchr(name.p, 0, name.n);
}

static pl_status take(struct snapshot *s, const pl_entry *v, size_t n, struct listing *out, struct pl_err *e)
{
	pl_entry *to = arena_array(s->arena, n + 1, sizeof(*to));
	bool sorted = true;
	for (size_t i = 0; i < n; i++) {
		if (!name_ok(v[i].name) || v[i].type < PL_FILE || v[i].type > PL_SUBMODULE || v[i].id.n == 0)
			return err_set(e, PL_EPLUGIN, "a folder's listing has an entry '%.*s' of type %u that can't be",
				       F(v[i].name), v[i].type);
		to[i] = v[i];
		to[i].size = sizeof(*to);
		to[i].name = arena_dup(s->arena, v[i].name);
		to[i].id = arena_dup(s->arena, v[i].id);
		sorted = sorted && (i == 0 || str_cmp(to[i - 1].name, to[i].name) < 0);
	}
	if (!sorted)
		qsort(to, n, sizeof(*to), by_name);
	for (size_t i = 1; i < n && !sorted; i++) {
		if (str_eq(to[i - 1].name, to[i].name))
			return err_set(e, PL_EPLUGIN, "a folder's listing has '%.*s' twice", F(to[i].name));
	}
	out->v = to;
	out->n = n;
	return PL_OK;
}

static pl_status read_listing(struct snapshot *s, pl_str id, pl_str dir, const struct listing **out, struct pl_err *e)
{
	struct arena *a = arena_new();
	const pl_entry *v = NULL;
	size_t n = 0;
	struct listing l = {0};
	pl_status st = s->ops->list(s, id, dir, a, &v, &n, e);
	st = st ? st : take(s, v, n, &l, e);
	arena_free(a);
	if (st)
		return st;
	if (s->ops->find)
		l.path = arena_dup(s->arena, dir);
	if (s->n_listings++ == s->n_slots)
		grow(s);
	struct slot *slot = arena_zalloc(s->arena, sizeof(*slot));
	size_t at = str_hash(id) & (s->n_slots - 1);
	*slot = (struct slot){.next = s->slots[at], .id = arena_dup(s->arena, id), .listing = l};
	s->slots[at] = slot;
	*out = &slot->listing;
	return PL_OK;
}

pl_status snapshot_list(struct snapshot *s, pl_str id, pl_str dir, const struct listing **out, struct pl_err *e)
{
	pthread_rwlock_rdlock(&s->lock);
	*out = find(s, id);
	pthread_rwlock_unlock(&s->lock);
	if (*out)
		return PL_OK;
	/* Held while the folder is read, so that it is read once however many ask. */
	pthread_rwlock_wrlock(&s->lock);
	*out = find(s, id);
	pl_status st = *out ? PL_OK : read_listing(s, id, dir, out, e);
	pthread_rwlock_unlock(&s->lock);
	return st;
}

static void digest(const struct listing *l, char to[HASH_TEXT])
{
	struct hash *h = hash_new();
	for (size_t i = 0; i < l->n; i++) {
		char type = (char)l->v[i].type;
		hash_add_field(h, l->v[i].name);
		hash_add(h, (pl_str){&type, 1});
	}
	uint8_t sum[HASH_SIZE];
	hash_end(h, sum);
	hash_hex(sum, to);
}

pl_str snapshot_digest(struct snapshot *s, const struct listing *l)
{
	struct slot *slot = (struct slot *)((char *)(uintptr_t)l - offsetof(struct slot, listing));
	pthread_rwlock_rdlock(&s->lock);
	bool there = slot->digest[0] != 0;
	pthread_rwlock_unlock(&s->lock);
	if (!there) {
		pthread_rwlock_wrlock(&s->lock);
		if (!slot->digest[0])
			digest(l, slot->digest);
		pthread_rwlock_unlock(&s->lock);
	}
	return str_of(slot->digest);
}

const pl_entry *listing_find(const struct listing *l, pl_str name)
{
	size_t from = 0, to = l->n;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = str_cmp(name, l->v[mid].name);
		if (c == 0)
			return &l->v[mid];
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

/* ---- single entries ---- */

bool snapshot_is_whole(const struct snapshot *s)
{
	return s->whole;
}

void snapshot_set_whole(struct snapshot *s)
{
	s->whole = true;
}

static struct place *place_at(const struct snapshot *s, pl_str path)
{
	struct place *p = s->cap_places ? s->places[str_hash(path) & (s->cap_places - 1)] : NULL;
	while (p && !str_eq(p->path, path))
		p = p->next;
	return p;
}

static void grow_places(struct snapshot *s)
{
	size_t cap = s->cap_places ? s->cap_places * 4 : 64;
	struct place **to = mem_zalloc(cap * sizeof(struct place *));
	for (size_t i = 0; i < s->cap_places; i++) {
		while (s->places[i]) {
			struct place *p = s->places[i];
			s->places[i] = p->next;
			size_t at = str_hash(p->path) & (cap - 1);
			p->next = to[at];
			to[at] = p;
		}
	}
	free(s->places);
	s->places = to;
	s->cap_places = cap;
}

static struct place *add_place(struct snapshot *s, pl_str path)
{
	if (s->n_places++ == s->cap_places)
		grow_places(s);
	struct place *p = arena_zalloc(s->arena, sizeof(*p));
	size_t at = str_hash(path) & (s->cap_places - 1);
	p->path = arena_dup(s->arena, path);
	p->folder.path = p->path;
	p->next = s->places[at];
	s->places[at] = p;
	return p;
}

static pl_status look(struct snapshot *s, const struct listing *dir, pl_str name, pl_str path, struct place **out,
		      struct pl_err *e)
{
	pl_entry found = {.size = sizeof(found)};
	pl_status st = s->ops->find(s, dir->path, name, s->arena, &found, e);
	if (st)
		return st;
	*out = add_place(s, path);
	(*out)->entry = found;
	return PL_OK;
}

pl_status snapshot_find(struct snapshot *s, const struct listing *dir, pl_str name, const pl_entry **out,
			struct pl_err *e)
{
	if (!s->ops->find) {
		*out = listing_find(dir, name);
		return PL_OK;
	}
	char key[PATH_MAX];
	size_t n = dir->path.n ? dir->path.n + 1 : 0;
	*out = NULL;
	if (n + name.n > sizeof(key))
		return PL_OK; /* no file has so long a name */
	if (n) {
		memcpy(key, dir->path.p, n - 1);
		key[n - 1] = '/';
	}
	memcpy(key + n, name.p, name.n);
	pl_str path = {key, n + name.n};
	pthread_rwlock_rdlock(&s->lock);
	struct place *p = place_at(s, path);
	pthread_rwlock_unlock(&s->lock);
	pl_status st = PL_OK;
	if (!p) {
		pthread_rwlock_wrlock(&s->lock);
		p = place_at(s, path);
		st = p ? PL_OK : look(s, dir, name, path, &p, e);
		pthread_rwlock_unlock(&s->lock);
	}
	if (!st && p->entry.type != PL_ABSENT)
		*out = &p->entry;
	return st;
}

pl_status snapshot_enter(struct snapshot *s, pl_str id, pl_str dir, const struct listing **out, struct pl_err *e)
{
	if (!s->ops->find)
		return snapshot_list(s, id, dir, out, e);
	pthread_rwlock_wrlock(&s->lock);
	struct place *p = place_at(s, dir);
	if (!p) {
		p = add_place(s, dir);
		p->entry = (pl_entry){.size = sizeof(pl_entry), .type = PL_DIR, .id = S("root")};
	}
	pthread_rwlock_unlock(&s->lock);
	*out = &p->folder;
	return PL_OK;
}

const struct listing *snapshot_entered(struct snapshot *s, pl_str dir)
{
	if (!s->ops->find)
		return NULL;
	pthread_rwlock_rdlock(&s->lock);
	const struct place *p = place_at(s, dir);
	pthread_rwlock_unlock(&s->lock);
	return p && p->entry.type == PL_DIR ? &p->folder : NULL;
}

pl_status snapshot_read(struct snapshot *s, const struct listing *dir, const pl_entry *f, struct arena *a, pl_str *out,
			struct pl_err *e)
{
	return s->ops->read(s, dir, f, a, out, e);
}
