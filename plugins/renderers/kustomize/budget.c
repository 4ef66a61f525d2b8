/* SPDX-License-Identifier: Apache-2.0 */
#include "budget.h"

enum { NODE_BYTES = 24, MADE_MAX_MB = 256 };

#define MADE_MAX ((uint64_t)MADE_MAX_MB << 20)

uint64_t budget_left(const struct build *b)
{
	return b->made < MADE_MAX ? MADE_MAX - b->made : 0;
}

pl_status budget_text(struct build *b, const pl_node *at, uint64_t bytes)
{
	if (bytes > budget_left(b))
		return fail(b, PL_ETOOBIG, at, "patches, replacements and vars make more than %d MiB of copies",
			    MADE_MAX_MB);
	b->made += bytes;
	return PL_OK;
}

/* False: deeper than allowed. Recursion goes no deeper than that either. */
static bool measure(const pl_node *n, size_t depth, uint64_t *bytes)
{
	bool list = pl_kind(n) == PL_LIST;
	if (depth > OBJECT_DEPTH_MAX)
		return false;
	*bytes += NODE_BYTES;
	if (!list && pl_kind(n) != PL_MAP) {
		*bytes += pl_text(n).n;
		return true;
	}
	for (size_t i = 0; i < pl_len(n); i++)
		if (!measure(list ? pl_item(n, i) : pl_value(n, i), depth + 1, bytes))
			return false;
	return true;
}

static pl_status too_deep(struct build *b, const pl_node *at)
{
	return fail(b, PL_ETOOBIG, at, "the object would be nested more than %d deep", OBJECT_DEPTH_MAX);
}

pl_status budget_depth(struct build *b, const pl_node *at, const pl_node *n, size_t depth)
{
	uint64_t bytes = 0;
	return measure(n, depth, &bytes) ? PL_OK : too_deep(b, at);
}

pl_status budget_copy(struct build *b, const pl_node *at, const pl_node *n, size_t depth)
{
	uint64_t bytes = 0;
	return measure(n, depth, &bytes) ? budget_text(b, at, bytes) : too_deep(b, at);
}
