/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that lives and dies together, with clean-up handlers that run when it dies (newest
 * first). One thread at a time. Out of memory aborts; arena_alloc of 0 bytes gives a valid pointer.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "core/base/str.h"

#include <stdarg.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);	      /* NULL is allowed */
void *arena_alloc(struct arena *a, size_t n); /* 16-byte aligned from 16 bytes on, else 8; not zeroed */
void *arena_zalloc(struct arena *a, size_t n);
void *arena_array(struct arena *a, size_t count, size_t size); /* zeroed, overflow checked */
char *arena_dupz(struct arena *a, const char *z);	       /* NULL gives NULL */
pl_str arena_dup(struct arena *a, pl_str s);		       /* NUL-terminated copy */
pl_str arena_printf(struct arena *a, const char *fmt, ...) PL_PRINTF(2, 3);
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);
size_t arena_memory(const struct arena *a); /* bytes held from the system */

#endif
