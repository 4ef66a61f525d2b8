/* SPDX-License-Identifier: Apache-2.0 */
/* The body of pl_err, for errors on the stack: struct pl_err e = ERR_INIT; … err_clear(&e); */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "core/base/buf.h"

#include <stdarg.h>

struct pl_err {
	pl_status code;
	uint32_t line, col;
	char *file;	/* owned */
	struct buf msg; /* grows outward */
	struct buf hint;
	struct buf text; /* what pl_err_text() made last */
};

/* clang-format off: it opens the braces */
#define ERR_INIT                                                                                                       \
	{                                                                                                              \
		.code = PL_OK                                                                                          \
	}
/* clang-format on */
#define NOWHERE ((pl_place){NULL, 0, 0})

void err_clear(struct pl_err *e); /* frees what it holds; usable again */
pl_status err_set(struct pl_err *e, pl_status code, const char *fmt, ...) PL_PRINTF(3, 4); /* no place */
/* "FMT: strerror"; picks the code */
pl_status err_errno(struct pl_err *e, int error, const char *fmt, ...) PL_PRINTF(3, 4);
void err_copy(struct pl_err *to, const struct pl_err *from);
void err_pack(const struct pl_err *e, struct buf *b); /* across a process border */
void err_unpack(struct pl_err *e, struct reader *r);  /* r->bad: damaged */

/* A list of errors, for inputs where every mistake is told at once. */
struct err_list {
	struct pl_err *v;
	size_t n, cap;
	size_t max; /* past it only counted; 0: 50 */
	size_t more;
};

struct pl_err *err_list_add(struct err_list *l); /* a fresh error to fill; never NULL */
void err_list_free(struct err_list *l);

/* A broken invariant of plumb's own: prints where and aborts. */
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) PL_PRINTF(3, 4);
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)

#endif
