/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a largest size. Past it the buffer keeps what it has and remembers the
 * overflow: writers go on, and the one who hands the result over asks buf_full() once.
 * Always NUL-terminated once something was added. Out of memory aborts.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "core/base/str.h"

#include <stdarg.h>

struct buf {
	char *p;
	size_t n, cap, max;
	bool full;
};

#define BUF_INIT(limit) ((struct buf){.max = (limit)})

void buf_add(struct buf *b, pl_str s);
void buf_addz(struct buf *b, const char *z);
void buf_addc(struct buf *b, char c);
void buf_addn(struct buf *b, char c, size_t times);
void buf_addf(struct buf *b, const char *fmt, ...) PL_PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PL_PRINTF(2, 0);
void buf_add_u32(struct buf *b, uint32_t v); /* little endian */
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_str(struct buf *b, pl_str s); /* u32 length + bytes */
void buf_clear(struct buf *b);		   /* keeps the memory */
void buf_free(struct buf *b);
char *buf_detach(struct buf *b, size_t *n); /* the caller frees with free(); b is empty then */
void buf_cut(struct buf *b, size_t n);	    /* shortens to n bytes */
bool buf_full(const struct buf *b);

static inline pl_str buf_str(const struct buf *b)
{
	return (pl_str){b->p, b->n};
}

/* Reads what buf_add_* wrote. A read past the end sets bad and answers zero. */
struct reader {
	const char *p;
	size_t n;
	bool bad;
};

uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
pl_str read_str(struct reader *r); /* points into the input */

#endif
