/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions, a module of its own (modules/regex.so): RE2 and the C++ library behind it take longer to load
 * than most commands take to run, so only a pattern with special characters loads it (core/base/regex.c). Only plain
 * values cross the border; out of memory ends the process, as everywhere.
 */
#ifndef BASE_REGEX_MODULE_H
#define BASE_REGEX_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* p is NULL for a group that took no part. */
struct regex_span {
	const char *p;
	size_t n;
};

struct regex_options {
	uint32_t size; /* of this struct */
	int64_t max_mem;
};

enum { REGEX_REASON = 256 }; /* room for a reason, with its NUL */

struct regex_module {
	uint32_t size; /* of this struct */
	/* NULL: reason says why, *too_big whether it is only a matter of size. */
	void *(*compile)(const char *pattern, size_t n, const struct regex_options *o, char *reason, int *too_big);
	void (*free)(void *compiled);
	/* 1 when found; whole: only when all of text matches. Thread-safe. */
	int (*match)(const void *compiled, const char *text, size_t n, int whole, struct regex_span *groups,
		     size_t n_groups);
};

/* The module's one symbol, regex_module_table(). */
typedef const struct regex_module *(*regex_module_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
