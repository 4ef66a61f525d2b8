/* SPDX-License-Identifier: Apache-2.0 */
/* vars_expand.c - $(NAME) in texts: $$ is a single $, and what is no name of a var stays as it is. */
#include "vars.h"

struct buf {
	struct build *b;
	char *p;
	size_t n, cap;
};

static void put(struct buf *o, pl_str s)
{
	if (o->n + s.n > o->cap) {
		size_t cap = (o->n + s.n) * 2;
		char *p = arena_alloc(o->b->mem, cap + 1);
		if (o->n)
			memcpy(p, o->p, o->n);
		o->p = p;
		o->cap = cap;
	}
	if (s.n)
		memcpy(o->p + o->n, s.p, s.n);
	o->n += s.n;
}

/* text[i] is a $ that is not the last byte: writes what it stands for, returns how many bytes it took. */
static size_t put_dollar(struct buf *o, struct var_values *vars, pl_str text, size_t i)
{
	const char *rest = text.p + i;
	size_t left = text.n - i;
	if (rest[1] == '$') {
		put(o, S("$"));
		return 2;
	}
	const char *end = rest[1] == '(' ? memchr(rest, ')', left) : NULL;
	if (!end) {
		put(o, (pl_str){rest, 2});
		return 2;
	}
	size_t whole = (size_t)(end - rest) + 1;
	struct var_value *v = var_find(vars, (pl_str){rest + 2, whole - 3});
	if (v)
		v->used = true;
	put(o, v && v->value ? v->text : (pl_str){rest, whole});
	return whole;
}

pl_node *vars_expand(struct build *b, struct var_values *vars, pl_str text)
{
	struct buf o = {.b = b};
	if (!text.n || !memchr(text.p, '$', text.n))
		return NULL;
	if (text.n > 3 && text.p[0] == '$' && text.p[1] == '(' && memchr(text.p, ')', text.n) == text.p + text.n - 1) {
		struct var_value *v = var_find(vars, (pl_str){text.p + 2, text.n - 3});
		if (v)
			v->used = true;
		return v && v->value ? pl_copy(b->doc, b->doc, v->value) : NULL;
	}
	for (size_t i = 0; i < text.n;) {
		const char *next = memchr(text.p + i, '$', text.n - i - 1);
		size_t at = next ? (size_t)(next - text.p) : text.n;
		put(&o, (pl_str){text.p + i, at - i});
		i = at + (next ? put_dollar(&o, vars, text, at) : 0);
	}
	return o.n == text.n && !memcmp(o.p, text.p, o.n) ? NULL : pl_new_string(b->doc, (pl_str){o.p, o.n});
}
