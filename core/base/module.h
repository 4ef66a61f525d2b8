/* SPDX-License-Identifier: Apache-2.0 */
/* Modules that libplumb opens itself: wrappers of libraries that take longer to load than most commands take to run. */
#ifndef BASE_MODULE_H
#define BASE_MODULE_H

#include "core/base/err.h"

/*
 * The symbol of modules/NAME.so, which lies beside libplumb in the build tree, else below PREFIX/lib/plumb. NULL: why
 * says it. The module is never let go: any thread may be within it.
 */
void *module_symbol(const char *name, const char *symbol, struct pl_err *why);

#endif
