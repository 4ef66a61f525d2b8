/* SPDX-License-Identifier: Apache-2.0 */
/* util.h - memory and texts of one build. */
#ifndef KUSTOMIZE_UTIL_H
#define KUSTOMIZE_UTIL_H

#include "plumb/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define S(lit) ((pl_str){(lit), sizeof(lit) - 1})
#define F(s)   (int)(s).n, (s).p ? (s).p : ""

/* Everything of one build, freed at once. Never NULL: out of memory aborts. Zeroed. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);
pl_str arena_dup(struct arena *a, pl_str s); /* NUL-terminated behind its end, as all texts made here */
pl_str arena_printf(struct arena *a, const char *fmt, ...) PL_PRINTF(2, 3);
pl_str arena_vprintf(struct arena *a, const char *fmt, va_list ap) PL_PRINTF(2, 0);
/* free_fn(p) is called by arena_free(), the last one first. */
void arena_defer(struct arena *a, void (*free_fn)(void *), void *p);
/* v with room for at least one more than n items; grows by halves, the old one stays in the arena. */
void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t item);

/* A text that is put together piece by piece, at a cost that grows with its length. */
struct text {
	struct arena *mem;
	char *p;
	size_t n, cap;
};
void text_add(struct text *t, pl_str s);
pl_str text_str(const struct text *t); /* lives as long as the arena; not NUL-terminated */

bool str_eq(pl_str a, pl_str b);
bool str_is(pl_str a, const char *b);
int str_cmp(pl_str a, pl_str b); /* bytewise */
bool str_starts(pl_str s, pl_str prefix);
bool str_ends(pl_str s, pl_str suffix);
pl_str str_of(const char *s);
pl_str str_trim(pl_str s);	       /* without blanks and line ends around it */
pl_str str_cut(pl_str *rest, char at); /* what stands before the first `at`; *rest is behind it, p NULL at the end */
uint64_t str_hash(pl_str s);
/* The candidate nearest to s (a slip of the hand), or NULL: for "did you mean". */
const char *str_nearest(pl_str s, const char *const *candidates, size_t n);

#endif
