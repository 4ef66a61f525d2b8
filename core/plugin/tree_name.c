/* SPDX-License-Identifier: Apache-2.0 */
/* What people call a file of a tree: in places, errors and log lines. */
#include "core/plugin/private.h"

enum { UP_MAX = 3 }; /* more "../" than this tell less than the absolute path */

void tree_told_from(pl_tree *t, pl_str top, pl_str cwd)
{
	t->top = top;
	t->cwd = cwd;
}

void tree_told_as(pl_tree *t, pl_str before, pl_str behind)
{
	t->before = before;
	t->behind = behind;
}

/* How many bytes both paths have in common, up to the end of a step. */
static size_t common(pl_str a, pl_str b)
{
	size_t end = 0, i = 0;
	for (; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '/')
			end = i;
	bool a_ends = i == a.n || a.p[i] == '/', b_ends = i == b.n || b.p[i] == '/';
	return a_ends && b_ends ? i : end;
}

static pl_str seen_from(struct arena *a, pl_str cwd, pl_str path)
{
	size_t same = common(cwd, path), up = 0;
	for (size_t i = same; i < cwd.n; i++)
		up += cwd.p[i] == '/' && i + 1 < cwd.n;
	/* With nothing in common but the root, the way up says nothing. */
	if (up > UP_MAX || (same == 0 && cwd.n > 1))
		return path;
	pl_str down = same < path.n ? (pl_str){path.p + same + 1, path.n - same - 1} : S("");
	if (!up)
		return down.n ? down : S(".");
	return arena_printf(a, "%.*s%.*s", (int)(up * 3 - (down.n == 0)), "../../../../", F(down));
}

pl_str tree_name(pl_tree *t, pl_str path)
{
	if (t->before.n)
		return arena_printf(t->arena, "%.*s%s%.*s%.*s", F(t->before), path.n ? "//" : "", F(path),
				    F(t->behind));
	if (!t->top.n)
		return path;
	pl_str top = str_eq(t->top, S("/")) ? S("") : t->top;
	pl_str whole = path.n ? arena_printf(t->arena, "%.*s/%.*s", F(top), F(path)) : t->top;
	return t->cwd.n ? seen_from(t->arena, t->cwd, whole) : whole;
}
