/* SPDX-License-Identifier: Apache-2.0 */
/* Directives, and values that a patch brings into a document. */
#include "core/doc/patch_strategic.h"

#include "core/base/mem.h"

static const char *const words[] = {"delete", "replace", "merge"};

/* "PREFIX/FIELD"; the prefix alone or with more letters is meant as one, too. */
static bool prefixed(pl_str key, pl_str prefix, pl_str *field)
{
	if (!str_starts(key, prefix))
		return false;
	*field = (pl_str){NULL, 0};
	if (key.n > prefix.n + 1 && key.p[prefix.n] == '/')
		*field = (pl_str){key.p + prefix.n + 1, key.n - prefix.n - 1};
	return true;
}

enum directive directive_of(pl_str key, pl_str *field)
{
	*field = key;
	if (key.n == 0 || key.p[0] != '$')
		return DIRECTIVE_NONE;
	if (str_eqz(key, "$patch"))
		return DIRECTIVE_PATCH;
	if (str_eqz(key, "$retainKeys"))
		return DIRECTIVE_RETAIN;
	if (prefixed(key, S("$setElementOrder"), field))
		return DIRECTIVE_ORDER;
	return prefixed(key, S("$deleteFromPrimitiveList"), field) ? DIRECTIVE_REMOVE : DIRECTIVE_NONE;
}

pl_status directive_patch(const struct strategic *s, const pl_node *n, pl_str *word)
{
	const pl_node *w = pl_gets(n, "$patch");
	const char *near;
	size_t i;

	*word = (pl_str){NULL, 0};
	if (!w)
		return PL_OK;
	*word = pl_text(w);
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (node_kind(w) == PL_STRING && str_eqz(*word, words[i]))
			return PL_OK;
	if (node_kind(w) != PL_STRING)
		return pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, w), "'$patch' must be delete or replace");
	pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, w), "unknown '$patch: %.*s'", F(*word));
	near = str_nearest(*word, words, 2);
	if (near && s->e)
		pl_err_hint(s->e, "did you mean '%s'?", near);
	else if (s->e)
		pl_err_hint(s->e, "there are delete and replace");
	return PL_EINVAL;
}

pl_node *strategic_shell(struct strategic *s, const pl_node *n, pl_node *const *kids, size_t n_kids)
{
	pl_node *shell = doc_node(s->d, node_kind(n), node_file(n), n->line, n->col);

	shell->meta |= n->meta & NODE_STYLE;
	if (n->meta & NODE_TAG)
		doc_set_tag(s->d, shell, pl_tag(s->d, n));
	doc_set_kids(s->d, shell, kids, n_kids);
	return shell;
}

/* ---- taking ---- */

static bool has_patch(const pl_node *n)
{
	return node_kind(n) == PL_MAP && pl_gets(n, "$patch");
}

static bool left_out(const pl_node *key, const pl_node *value, bool drop_nulls)
{
	pl_str field;

	if (drop_nulls && node_kind(value) == PL_NULL)
		return true;
	if (has_patch(value))
		return true;
	switch (node_is_container(key) ? DIRECTIVE_NONE : directive_of(node_text(key), &field)) {
	case DIRECTIVE_PATCH:
	case DIRECTIVE_RETAIN:
		return true;
	case DIRECTIVE_ORDER:
	case DIRECTIVE_REMOVE:
		return field.p != NULL;
	default:
		return false;
	}
}

/* Nothing else points to a copy, so its children's array may be thinned out in place. */
static void thin_out(pl_node *n, bool drop_nulls)
{
	size_t step = node_kind(n) == PL_MAP ? 2 : 1, end = node_kids(n), to = 0, i;

	for (i = 0; i < end; i += step) {
		const pl_node *value = n->u.kids[i + step - 1];

		if (step == 2 ? left_out(n->u.kids[i], value, drop_nulls) : has_patch(value))
			continue;
		n->u.kids[to++] = n->u.kids[i];
		if (step == 2)
			n->u.kids[to++] = n->u.kids[i + 1];
	}
	n->len = (uint32_t)(to / step);
}

static void thin_out_all(pl_node *top, bool drop_nulls)
{
	pl_node **stack = NULL;
	size_t n = 0, cap = 0, i;

	for (;;) {
		thin_out(top, drop_nulls);
		for (i = 0; i < node_kids(top); i++) {
			if (!node_is_container(top->u.kids[i]))
				continue;
			stack = mem_grow(stack, &cap, n + 1, sizeof(*stack));
			stack[n++] = top->u.kids[i];
		}
		if (n == 0)
			break;
		top = stack[--n];
	}
	free(stack);
}

pl_node *strategic_contents(struct strategic *s, const pl_node *n, bool drop_nulls)
{
	pl_node *copy = pl_copy(s->d, s->pd, n);

	if (node_is_container(copy))
		thin_out_all(copy, drop_nulls);
	return copy;
}

pl_node *strategic_take(struct strategic *s, const pl_node *n, bool drop_nulls)
{
	return has_patch(n) ? NULL : strategic_contents(s, n, drop_nulls);
}
