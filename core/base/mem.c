/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/mem.h"

#include "core/base/err.h"

#include <stdint.h>

static void *check(void *p)
{
	if (!p) {
		fputs("plumb: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t n)
{
	return check(malloc(n ? n : 1));
}

void *mem_zalloc(size_t n)
{
	return check(calloc(1, n ? n : 1));
}

void *mem_realloc(void *p, size_t n)
{
	return check(realloc(p, n ? n : 1));
}

void *mem_grow(void *p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return p;
	size_t c = *cap ? *cap : 8;
	while (c < need)
		c *= 2;
	if (size && c > SIZE_MAX / 2 / size)
		BUG("an array of %zu items of %zu bytes", c, size);
	p = mem_realloc(p, c * size);
	*cap = c;
	return p;
}
