/* SPDX-License-Identifier: Apache-2.0 */
/* malloc that never gives NULL: a program that has no memory left stops at once instead of half-way. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *mem_alloc(size_t n);
void *mem_zalloc(size_t n);
void *mem_realloc(void *p, size_t n);
void *mem_grow(void *p, size_t *cap, size_t need, size_t size); /* an array that doubles */

#endif
