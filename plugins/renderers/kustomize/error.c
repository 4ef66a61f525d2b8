/* SPDX-License-Identifier: Apache-2.0 */
#include "kustomize.h"

pl_status(fail)(struct build *b, pl_status code, const pl_node *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	pl_str text = arena_vprintf(b->mem, fmt, ap);
	va_end(ap);
	pl_place place = at ? pl_at(b->doc, at) : (pl_place){NULL, 0, 0};
	return pl_err_set(b->err, code, place, "%s", text.p);
}
