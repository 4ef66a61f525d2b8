/* SPDX-License-Identifier: Apache-2.0 */
#include "kustomize.h"

#include <stdarg.h>
#include <stdio.h>

pl_status fail(struct build *b, pl_status code, const pl_node *at, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *text = arena_alloc(b->mem, n < 0 ? 1 : (size_t)n + 1);
	if (n >= 0)
		(void)vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	pl_place place = at ? pl_at(b->doc, at) : (pl_place){NULL, 0, 0};
	return pl_err_set(b->err, code, place, "%s", text);
}
