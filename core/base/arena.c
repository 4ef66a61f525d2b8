/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <sys/mman.h>
#include <unistd.h>

/*
 * Blocks double from 1 KiB to 256 KiB: a small arena costs little, a large one few mallocs. What does not fit a
 * quarter of a block gets a block of its own, behind the current one, so that the current one's rest is not lost.
 * Most of the time of reading a big text went into faulting in pages one by one: an arena past BIG has the pages of a
 * block at once, one past LARGE takes huge ones where the system grants them. What is held and not used stays a small
 * part of what is.
 */
enum {
	BLOCK_MIN = 1024,
	BLOCK_MAX = 256 * 1024,
	BIG = 1024 * 1024,
	LARGE = 8 * 1024 * 1024,
	HUGE_PAGE = 2 * 1024 * 1024
};

struct block {
	struct block *next;
	size_t size;
};

struct defer {
	struct defer *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *blocks;
	char *at, *end;
	size_t next_size, memory;
	struct defer *defers;
};

#define BLOCK_HEAD ((sizeof(struct block) + 15) / 16 * 16)

struct arena *arena_new(void)
{
	struct arena *a = mem_zalloc(sizeof *a);
	a->next_size = BLOCK_MIN;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct defer *d = a->defers; d; d = d->next)
		d->fn(d->arg);
	for (struct block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static void *huge_alloc(size_t n)
{
	void *p = aligned_alloc(HUGE_PAGE, (n + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	if (!p)
		BUG("out of memory (%zu bytes)", n);
	/* Only a hint: a kernel without huge pages refuses it. Not behind n, so that no more is taken than was asked.
	 */
	(void)madvise(p, n / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return p;
}

/* Only a hint, too: where the system can't, each page comes when it is touched. */
static void populate(void *p, size_t n)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), skip = (0 - (uintptr_t)p) & (page - 1);
	if (n > skip)
		(void)madvise((char *)p + skip, (n - skip) / page * page, MADV_POPULATE_WRITE);
#else
	(void)p;
	(void)n;
#endif
}

static struct block *block_new(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		BUG("an allocation of %zu bytes", size);
	struct block *b = BLOCK_HEAD + size < HUGE_PAGE ? mem_alloc(BLOCK_HEAD + size) : huge_alloc(BLOCK_HEAD + size);
	if (size > BIG || (a->memory >= BIG && size >= BLOCK_MAX))
		populate(b, BLOCK_HEAD + size);
	b->size = size;
	a->memory += BLOCK_HEAD + size;
	return b;
}

static void *alloc_slow(struct arena *a, size_t n)
{
	if (n > a->next_size / 4) {
		struct block *own = block_new(a, n);
		if (a->blocks) {
			own->next = a->blocks->next;
			a->blocks->next = own;
		} else {
			own->next = NULL;
			a->blocks = own;
		}
		return (char *)own + BLOCK_HEAD;
	}
	struct block *b = block_new(a, a->next_size);
	b->next = a->blocks;
	a->blocks = b;
	a->at = (char *)b + BLOCK_HEAD;
	a->end = a->at + b->size;
	if (a->next_size < BLOCK_MAX)
		a->next_size *= 2;
	else if (a->memory >= LARGE)
		a->next_size = HUGE_PAGE - BLOCK_HEAD;
	void *p = a->at;
	a->at += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t align = n >= 16 ? 16 : 8;
	size_t gap = (0 - (uintptr_t)a->at) & (align - 1), left = (size_t)(a->end - a->at);
	if (a->at && gap <= left && n <= left - gap) {
		char *p = a->at + gap;
		a->at = p + n;
		return p;
	}
	return alloc_slow(a, n);
}

void *arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 2 / size)
		BUG("an array of %zu items of %zu bytes", count, size);
	return arena_zalloc(a, count * size);
}

pl_str arena_dup(struct arena *a, pl_str s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return (pl_str){p, s.n};
}

char *arena_dupz(struct arena *a, const char *z)
{
	if (!z)
		return NULL;
	size_t n = strlen(z) + 1;
	return memcpy(arena_alloc(a, n), z, n);
}

pl_str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	char small[256]; /* most texts are short: formatted once */
	int n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("a format that can't be printed: %s", fmt);
	char *p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof small)
		memcpy(p, small, (size_t)n + 1);
	else
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return (pl_str){p, (size_t)n};
}

void arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct defer *d = arena_alloc(a, sizeof *d);
	*d = (struct defer){a->defers, fn, arg};
	a->defers = d;
}

size_t arena_memory(const struct arena *a)
{
	return a->memory;
}
