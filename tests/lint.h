/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before everything else by `make lint` alone. The analyzer sees one file at a time and so thinks that
 * "return err_set(…)" might return PL_OK; here it is told that the makers of errors never do. A plugin (LINT_PLUGIN)
 * has helpers of its own, some under names that core/base has too: there only the public header is included.
 */
#ifndef TESTS_LINT_H
#define TESTS_LINT_H

#ifdef LINT_PLUGIN
#include "plumb/error.h"
#else
#include "core/base/err.h"
#endif

static inline pl_status lint_failed(pl_status st)
{
	if (st == PL_OK)
		__builtin_unreachable();
	return st;
}

#ifndef LINT_PLUGIN
#define err_set(...)   lint_failed(err_set(__VA_ARGS__))
#define err_errno(...) lint_failed(err_errno(__VA_ARGS__))
#endif
#define pl_err_set(...) lint_failed(pl_err_set(__VA_ARGS__))
#ifdef LINT_PLUGIN
#define pl_err_in(...) lint_failed(pl_err_in(__VA_ARGS__))
#endif

#endif
