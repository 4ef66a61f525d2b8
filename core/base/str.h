/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed slices. A pl_str never owns; who owns it is said where it is stored. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "plumb/error.h"

#include <stdbool.h>
#include <string.h>

#define S(lit) ((pl_str){(lit), sizeof(lit) - 1})
/* clang-format off: it opens the braces */
#define S_INIT(lit)                                                                                                    \
	{                                                                                                              \
		(lit), sizeof(lit) - 1                                                                                 \
	}
/* clang-format on */
#define F(s) (int)(s).n, (s).p ? (s).p : "" /* printf("%.*s", F(name)) */

static inline pl_str str_of(const char *z)
{
	return (pl_str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(pl_str a, pl_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eqz(pl_str a, const char *z)
{
	return str_eq(a, str_of(z));
}

int str_cmp(pl_str a, pl_str b); /* byte order */
bool str_starts(pl_str s, pl_str prefix);
bool str_ends(pl_str s, pl_str suffix);
pl_str str_trim(pl_str s); /* blanks, tabs and line ends at both ends */
/* Cuts s at the first c: *head is what stands before, *tail what comes after (empty without c). Was c there? */
bool str_cut(pl_str s, char c, pl_str *head, pl_str *tail);
char *str_dup(pl_str s); /* malloc'ed, NUL-terminated */

/* Valid UTF-8 without surrogates or overlong forms (RFC 3629). */
bool str_utf8(pl_str s);

/* The candidate nearest to s by edits, or NULL when none is near (at most a third of its length). */
const char *str_nearest(pl_str s, const char *const *candidates, size_t n);

uint64_t str_hash(pl_str s); /* for tables in memory; not stable between versions */

#endif
