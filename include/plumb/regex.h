/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plumb/regex.h - regular expressions in the syntax of Go and RE2, matched in time linear in the text.
 *
 * Source: https://github.com/google/re2/wiki/Syntax. A compiled expression is immutable: any number of threads may
 * match with it. Texts are UTF-8; invalid bytes match nothing but themselves.
 */
#ifndef PLUMB_REGEX_H
#define PLUMB_REGEX_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pl_regex pl_regex;

/*
 * Compiles a pattern. PL_EINVAL with what is wrong with it; PL_ETOOBIG when it would need more than 8 MiB. A pattern
 * without special characters costs no more than its copy. Freed by pl_regex_free().
 */
PL_API pl_status pl_regex_new(pl_str pattern, pl_regex **out, pl_err *e);
PL_API void pl_regex_free(pl_regex *r); /* NULL is allowed */

/* 1: the whole text matches. */
PL_API int pl_regex_full(const pl_regex *r, pl_str text);
/*
 * 1: the pattern is found in text. groups[0] is what was found (leftmost, first alternative wins), groups[1…] the
 * parentheses; p is NULL for one that took no part. n may be 0.
 */
PL_API int pl_regex_find(const pl_regex *r, pl_str text, pl_str *groups, size_t n);
/* 1 when the pattern matches nothing but itself; then *text is that, valid as long as r. */
PL_API int pl_regex_literal(const pl_regex *r, pl_str *text);

#ifdef __cplusplus
}
#endif
#endif
