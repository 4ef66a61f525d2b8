/* SPDX-License-Identifier: Apache-2.0 */
/* vars_expand.c - $(NAME) in texts: $$ is a single $, and what is no name of a var stays as it is. */
#include "vars.h"

#include "budget.h"

/* text[i] is a $ that is not the last byte: writes what it stands for, returns how many bytes it took. */
static size_t put_dollar(struct text *o, struct var_values *vars, pl_str text, size_t i)
{
	const char *rest = text.p + i;
	size_t left = text.n - i;
	if (rest[1] == '$') {
		text_add(o, S("$"));
		return 2;
	}
	const char *end = rest[1] == '(' ? memchr(rest, ')', left) : NULL;
	if (!end) {
		text_add(o, (pl_str){rest, 2});
		return 2;
	}
	size_t whole = (size_t)(end - rest) + 1;
	struct var_value *v = var_find(vars, (pl_str){rest + 2, whole - 3});
	if (v)
		v->used = true;
	text_add(o, v && v->value ? v->text : (pl_str){rest, whole});
	return whole;
}

/* The var that is all of the text; *alone: it has the form of one. */
static struct var_value *only_var(struct var_values *vars, pl_str text, bool *alone)
{
	*alone = text.n > 3 && text.p[0] == '$' && text.p[1] == '(' &&
		 memchr(text.p, ')', text.n) == text.p + text.n - 1;
	struct var_value *v = *alone ? var_find(vars, (pl_str){text.p + 2, text.n - 3}) : NULL;
	if (v)
		v->used = true;
	return v && v->value ? v : NULL;
}

pl_status vars_expand(struct build *b, struct var_values *vars, const pl_node *n, pl_node **out)
{
	struct text o = {.mem = b->mem};
	pl_str text = pl_text(n);
	bool alone;
	*out = NULL;
	if (!text.n || !memchr(text.p, '$', text.n))
		return PL_OK;
	const struct var_value *v = only_var(vars, text, &alone);
	if (v)
		*out = pl_copy(b->doc, b->doc, v->value);
	if (alone)
		return v ? budget_text(b, n, v->text.n) : PL_OK;
	for (size_t i = 0; i < text.n && o.n <= budget_left(b);) {
		const char *next = memchr(text.p + i, '$', text.n - i - 1);
		size_t at = next ? (size_t)(next - text.p) : text.n;
		text_add(&o, (pl_str){text.p + i, at - i});
		i = at + (next ? put_dollar(&o, vars, text, at) : 0);
	}
	pl_status st = budget_text(b, n, o.n);
	if (!st && (o.n != text.n || memcmp(o.p, text.p, o.n) != 0))
		*out = pl_new_string(b->doc, text_str(&o));
	return st;
}
