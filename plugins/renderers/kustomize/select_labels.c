/* SPDX-License-Identifier: Apache-2.0 */
/* select_labels.c - label selectors: their grammar, and whether they hold. */
#include "select.h"

#include <ctype.h>

enum { LABEL_MAX = 63, PREFIX_MAX = 253 };

enum token { T_END, T_WORD, T_COMMA, T_OPEN, T_CLOSE, T_NOT, T_EQUAL, T_UNEQUAL, T_GREATER, T_LESS, T_IN, T_NOTIN };

enum operator{ OP_EXISTS, OP_ABSENT, OP_IN, OP_NOT_IN, OP_GREATER, OP_LESS };

struct requirement {
	pl_str key;
	enum operator op;
	struct strings values;
	int64_t number; /* OP_GREATER, OP_LESS */
};

struct requirements {
	struct requirement *v;
	uint32_t n, cap;
};

struct parser {
	struct build *b;
	const pl_node *at;
	const char *field;
	pl_str text, rest;
	enum token token;
	pl_str word; /* the token as written */
};

/* ---- tokens ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_symbol(char c)
{
	return c && strchr("=!(),><", c) != NULL;
}

static const struct {
	const char *text;
	enum token token;
} tokens[] = {
	{"==", T_EQUAL}, {"!=", T_UNEQUAL}, {"=", T_EQUAL},   {"!", T_NOT},  {"(", T_OPEN},
	{")", T_CLOSE},	 {",", T_COMMA},    {">", T_GREATER}, {"<", T_LESS},
};

static void take(struct parser *p, size_t n)
{
	p->word = (pl_str){p->rest.p, n};
	p->rest = (pl_str){p->rest.p + n, p->rest.n - n};
}

static void next(struct parser *p)
{
	while (p->rest.n && is_space(p->rest.p[0]))
		p->rest = (pl_str){p->rest.p + 1, p->rest.n - 1};
	p->token = T_END;
	p->word = S("end of string");
	if (!p->rest.n)
		return;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		if (!str_starts(p->rest, str_of(tokens[i].text)))
			continue;
		p->token = tokens[i].token;
		take(p, strlen(tokens[i].text));
		return;
	}
	size_t n = 0;
	while (n < p->rest.n && !is_space(p->rest.p[n]) && !is_symbol(p->rest.p[n]))
		n++;
	take(p, n);
	p->token = str_is(p->word, "in") ? T_IN : str_is(p->word, "notin") ? T_NOTIN : T_WORD;
}

/* Keys and values may be called "in". */
static bool at_value(const struct parser *p)
{
	return p->token == T_WORD || p->token == T_IN || p->token == T_NOTIN;
}

static pl_status wrong(struct parser *p, const char *expected)
{
	return fail(p->b, PL_EINVAL, p->at, "%s '%.*s': found '%.*s', expected %s", p->field, F(p->text), F(p->word),
		    expected);
}

/* ---- what keys and values may be ---- */

static bool is_name(pl_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool edge = i == 0 || i + 1 == s.n, word = isalnum((unsigned char)s.p[i]) && !(s.p[i] & 0x80);
		if (!word && (edge || !strchr("-_.", s.p[i])))
			return false;
	}
	return s.n <= LABEL_MAX;
}

static bool is_subdomain(pl_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		bool edge = i == 0 || i + 1 == s.n || s.p[i - 1] == '.' || s.p[i + 1] == '.';
		if (!word && (edge || (c != '-' && c != '.')))
			return false;
	}
	return s.n && s.n <= PREFIX_MAX;
}

static bool is_key(pl_str s)
{
	pl_str rest = s, head = str_cut(&rest, '/');
	if (!rest.p)
		return head.n && is_name(head);
	return is_subdomain(head) && rest.n && is_name(rest);
}

static pl_status check_key(struct parser *p, pl_str key)
{
	if (is_key(key))
		return PL_OK;
	return fail(p->b, PL_EINVAL, p->at, "%s '%.*s': '%.*s' is no label's key", p->field, F(p->text), F(key));
}

static pl_status add_value(struct parser *p, struct requirement *r, pl_str value)
{
	struct strings *l = &r->values;
	if (!is_name(value))
		return fail(p->b, PL_EINVAL, p->at, "%s '%.*s': '%.*s' is no label's value", p->field, F(p->text),
			    F(value));
	l->v = arena_grow(p->b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = value;
	return PL_OK;
}

/* ---- grammar ---- */

static pl_status read_value(struct parser *p, struct requirement *r)
{
	pl_str value = S("");
	next(p);
	if (at_value(p)) {
		value = p->word;
		next(p);
	} else if (p->token != T_END && p->token != T_COMMA) {
		return wrong(p, "a value");
	}
	return add_value(p, r, value);
}

/* "(a, b)"; two commas in a row have an empty value between them, and "()" holds one */
static pl_status read_values(struct parser *p, struct requirement *r)
{
	bool wanted = true;
	pl_status st = PL_OK;
	next(p);
	if (p->token != T_OPEN)
		return wrong(p, "'('");
	for (next(p); p->token != T_CLOSE && !st; next(p)) {
		if (p->token == T_COMMA) {
			st = wanted ? add_value(p, r, S("")) : PL_OK;
			wanted = true;
		} else if (!at_value(p) || !wanted) {
			return wrong(p, wanted ? "a value or ')'" : "',' or ')'");
		} else {
			st = add_value(p, r, p->word);
			wanted = false;
		}
	}
	if (st)
		return st;
	next(p);
	return wanted ? add_value(p, r, S("")) : PL_OK;
}

static bool whole_number(pl_str s, int64_t *out)
{
	char text[24], *end;
	if (!s.n || s.n >= sizeof(text) || !(isdigit((unsigned char)s.p[0]) || s.p[0] == '-' || s.p[0] == '+'))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*out = strtoll(text, &end, 10);
	return !*end;
}

static pl_status read_number(struct parser *p, struct requirement *r)
{
	pl_status st = read_value(p, r);
	if (!st && r->values.n && !whole_number(r->values.v[0], &r->number))
		return fail(p->b, PL_EINVAL, p->at, "%s '%.*s': '%.*s' must be a whole number", p->field, F(p->text),
			    F(r->values.v[0]));
	return st;
}

static pl_status read_operator(struct parser *p, struct requirement *r)
{
	switch (p->token) {
	case T_END:
	case T_COMMA:
		r->op = OP_EXISTS;
		return PL_OK;
	case T_EQUAL:
	case T_UNEQUAL:
		r->op = p->token == T_EQUAL ? OP_IN : OP_NOT_IN;
		return read_value(p, r);
	case T_IN:
	case T_NOTIN:
		r->op = p->token == T_IN ? OP_IN : OP_NOT_IN;
		return read_values(p, r);
	case T_GREATER:
	case T_LESS:
		r->op = p->token == T_GREATER ? OP_GREATER : OP_LESS;
		return read_number(p, r);
	default:
		return wrong(p, "one of '=', '==', '!=', 'in', 'notin', '>', '<'");
	}
}

static pl_status read_requirement(struct parser *p, struct requirement *r)
{
	bool absent = p->token == T_NOT;
	if (absent)
		next(p);
	if (!at_value(p))
		return wrong(p, "a key");
	r->key = p->word;
	pl_status st = check_key(p, r->key);
	next(p);
	if (st || !absent)
		return st ? st : read_operator(p, r);
	r->op = OP_ABSENT;
	return PL_OK;
}

pl_status requirements_read(struct build *b, const pl_node *at, const char *field, pl_str text,
			    struct requirements **out)
{
	struct parser p = {.b = b, .at = at, .field = field, .text = text, .rest = text};
	*out = NULL;
	next(&p);
	if (p.token == T_END)
		return PL_OK;
	struct requirements *l = arena_alloc(b->mem, sizeof(*l));
	for (;;) {
		struct requirement r = {0};
		pl_status st = read_requirement(&p, &r);
		if (st)
			return st;
		l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
		l->v[l->n++] = r;
		if (p.token == T_END)
			break;
		if (p.token != T_COMMA)
			return wrong(&p, "',' or the end");
		next(&p);
	}
	*out = l;
	return PL_OK;
}

/* ---- matching ---- */

static bool has_value(const struct requirement *r, pl_str value)
{
	for (uint32_t i = 0; i < r->values.n; i++)
		if (str_eq(r->values.v[i], value))
			return true;
	return false;
}

static bool holds(const struct requirement *r, const pl_node *labels)
{
	const pl_node *label = pl_get(labels, r->key);
	int64_t number;
	switch (r->op) {
	case OP_EXISTS:
		return label;
	case OP_ABSENT:
		return !label;
	case OP_IN:
		return label && has_value(r, pl_text(label));
	case OP_NOT_IN:
		return !label || !has_value(r, pl_text(label));
	case OP_GREATER:
		return label && whole_number(pl_text(label), &number) && number > r->number;
	default:
		return label && whole_number(pl_text(label), &number) && number < r->number;
	}
}

bool requirements_hold(const struct requirements *r, const pl_node *labels)
{
	for (uint32_t i = 0; r && i < r->n; i++)
		if (!holds(&r->v[i], labels))
			return false;
	return true;
}
