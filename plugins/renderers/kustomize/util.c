/* SPDX-License-Identifier: Apache-2.0 */
#include "util.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_FIRST = 16 * 1024, CHUNK_MAX = 1024 * 1024, ALIGN = 16, NEAREST_MAX = 64 };

struct chunk {
	struct chunk *next;
	size_t used, size; /* of what follows this header */
};

struct deferred {
	struct deferred *next;
	void (*free_fn)(void *);
	void *p;
};

struct arena {
	struct chunk *chunks; /* the first is the one that is filled */
	size_t next;	      /* size of the chunk after it */
	struct deferred *deferred;
};

static void *zeroed(size_t n)
{
	void *p = calloc(1, n);
	if (!p)
		abort();
	return p;
}

struct arena *arena_new(void)
{
	struct arena *a = zeroed(sizeof(*a));
	a->next = CHUNK_FIRST;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (const struct deferred *d = a->deferred; d; d = d->next)
		d->free_fn(d->p);
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static size_t header(void)
{
	return (sizeof(struct chunk) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static struct chunk *chunk_add(struct arena *a, size_t size)
{
	struct chunk *c = zeroed(header() + size);
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 2)
		abort();
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct chunk *c = a->chunks;
	if (c && c->size - c->used >= n) {
		c->used += n;
		return (char *)c + header() + c->used - n;
	}
	if (n >= a->next / 4) { /* a chunk of its own, behind the one that still has room */
		struct chunk *own = chunk_add(a, n);
		own->used = n;
		if (c) {
			a->chunks = c;
			own->next = c->next;
			c->next = own;
		}
		return (char *)own + header();
	}
	c = chunk_add(a, a->next);
	if (a->next < CHUNK_MAX)
		a->next *= 2;
	c->used = n;
	return (char *)c + header();
}

void arena_defer(struct arena *a, void (*free_fn)(void *), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));
	*d = (struct deferred){a->deferred, free_fn, p};
	a->deferred = d;
}

pl_str arena_dup(struct arena *a, pl_str s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return (pl_str){p, s.n};
}

pl_str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char small[256]; /* what fits is formatted once */
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0)
		abort();
	char *p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(small))
		memcpy(p, small, (size_t)n);
	else
		(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return (pl_str){p, (size_t)n};
}

pl_str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	pl_str s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

/* The last piece of the chunk that is filled is made longer in its place. */
static bool lengthen(struct arena *a, const void *v, size_t old, size_t new)
{
	struct chunk *c = a->chunks;
	size_t more = new - old;
	if (!v || !c || (const char *)v + old != (char *)c + header() + c->used || c->size - c->used < more)
		return false;
	c->used += more;
	return true;
}

static size_t in_steps(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t item)
{
	if (n < *cap)
		return v;
	size_t first = item < ALIGN ? 4 : item < 4 * ALIGN ? 2 : 1;
	size_t more = n < first ? first : (size_t)n + n / 2 + 1;
	if (more > UINT32_MAX || more > SIZE_MAX / 2 / item)
		abort();
	if (*cap && lengthen(a, v, in_steps(*cap * item), in_steps(more * item))) {
		*cap = (uint32_t)more;
		return v;
	}
	void *p = arena_alloc(a, more * item);
	if (n)
		memcpy(p, v, n * item);
	*cap = (uint32_t)more;
	return p;
}

void text_add(struct text *t, pl_str s)
{
	if (s.n > t->cap - t->n) {
		size_t cap = (t->n + s.n) * 2 + 64;
		char *p = arena_alloc(t->mem, cap);
		if (t->n)
			memcpy(p, t->p, t->n);
		t->p = p;
		t->cap = cap;
	}
	if (s.n)
		memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

pl_str text_str(const struct text *t)
{
	return (pl_str){t->p, t->n};
}

bool str_eq(pl_str a, pl_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(pl_str a, const char *b)
{
	return str_eq(a, str_of(b));
}

int str_cmp(pl_str a, pl_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(pl_str s, pl_str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(pl_str s, pl_str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

pl_str str_of(const char *s)
{
	return (pl_str){s, s ? strlen(s) : 0};
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

pl_str str_trim(pl_str s)
{
	while (s.n && is_blank(s.p[0]))
		s = (pl_str){s.p + 1, s.n - 1};
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

pl_str str_cut(pl_str *rest, char at)
{
	const char *end = rest->n ? memchr(rest->p, at, rest->n) : NULL;
	pl_str head = *rest;
	if (!end) {
		*rest = (pl_str){NULL, 0};
		return head;
	}
	head.n = (size_t)(end - head.p);
	*rest = (pl_str){end + 1, rest->n - head.n - 1};
	return head;
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 29;
}

uint64_t str_hash(pl_str s)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ s.n, word;
	for (; s.n >= sizeof(word); s.p += sizeof(word), s.n -= sizeof(word)) {
		memcpy(&word, s.p, sizeof(word));
		h = mix(h ^ word) * 0x9fb21c651e98df25u;
	}
	word = 0;
	if (s.n)
		memcpy(&word, s.p, s.n);
	return mix(mix(h ^ word) * 0x9fb21c651e98df25u);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters have to be put in, taken out, exchanged or swapped; case does not count. */
static size_t distance(pl_str a, pl_str b)
{
	size_t row[3][NEAREST_MAX + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];
	for (size_t j = 0; j <= b.n; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			int x = tolower((unsigned char)a.p[i - 1]), y = tolower((unsigned char)b.p[j - 1]);
			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b.p[j - 2]) &&
			    y == tolower((unsigned char)a.p[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		size_t *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[b.n];
}

const char *str_nearest(pl_str s, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t best_far = 1 + s.n / 3;
	if (s.n > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		pl_str c = str_of(candidates[i]);
		size_t far = c.n > NEAREST_MAX ? SIZE_MAX : distance(s, c);
		if (far < best_far || (far == best_far && !best && far < s.n)) {
			best = candidates[i];
			best_far = far;
		}
	}
	return best;
}
