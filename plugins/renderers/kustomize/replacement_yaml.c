/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replacement_yaml.c - writes a document inside a text again as the reference does: each scalar in the style that it
 * had, flow collections on one line, everything else in block style with lists not indented.
 */
#include "replacement.h"

struct out {
	struct build *b;
	struct text text;
};

static void put(struct out *o, pl_str s)
{
	text_add(&o->text, s);
}

static void put_indent(struct out *o, size_t n)
{
	while (n--)
		put(o, S(" "));
}

static bool is_container(const pl_node *n)
{
	return pl_kind(n) == PL_LIST || pl_kind(n) == PL_MAP;
}

static bool in_flow(const pl_node *n)
{
	return !pl_len(n) || pl_style(n) == PL_STYLE_FLOW;
}

/* Written without quotes and not changed since: it can be written so again. */
static bool raw(const pl_node *n)
{
	pl_str s = pl_text(n);
	return pl_style(n) == PL_STYLE_PLAIN && s.n && !memchr(s.p, '\n', s.n);
}

static pl_str written(struct out *o, const pl_node *n, uint32_t flags)
{
	char *text;
	size_t len;
	if (pl_yaml_write(n, flags, &text, &len, NULL))
		return S("");
	while (len && text[len - 1] == '\n')
		len--;
	pl_str s = arena_dup(o->b->mem, (pl_str){text, len});
	pl_free(text);
	return s;
}

static uint32_t flags_for(const pl_node *n)
{
	return pl_style(n) == PL_STYLE_ANY ? PL_PRINT_FIELD : PL_PRINT_KEEP_STYLE;
}

/* Plain texts with these have another meaning within a flow collection. */
static bool needs_quotes(const pl_node *n)
{
	pl_str s = pl_text(n);
	for (size_t i = 0; i < s.n; i++) {
		if (strchr(",[]{}", s.p[i]))
			return true;
	}
	return false;
}

static void put_flow_scalar(struct out *o, const pl_node *n)
{
	int style = pl_style(n);
	pl_node *copy = pl_copy(o->b->doc, o->b->doc, n);
	if (raw(n)) {
		put(o, pl_text(n));
		return;
	}
	if (style == PL_STYLE_LITERAL || style == PL_STYLE_FOLDED || memchr(pl_text(n).p, '\n', pl_text(n).n))
		pl_set_style(copy, PL_STYLE_DOUBLE);
	else if (style == PL_STYLE_ANY && pl_kind(n) == PL_STRING && needs_quotes(n))
		pl_set_style(copy, PL_STYLE_SINGLE);
	put(o, written(o, copy, flags_for(copy)));
}

static void put_flow(struct out *o, const pl_node *n)
{
	bool map = pl_kind(n) == PL_MAP;
	if (!is_container(n)) {
		put_flow_scalar(o, n);
		return;
	}
	put(o, map ? S("{") : S("["));
	for (size_t i = 0; i < pl_len(n); i++) {
		if (i)
			put(o, S(", "));
		if (map) {
			put_flow_scalar(o, pl_key(n, i));
			put(o, S(": "));
		}
		put_flow(o, map ? pl_value(n, i) : pl_item(n, i));
	}
	put(o, map ? S("}") : S("]"));
}

static void put_key(struct out *o, const pl_node *key)
{
	put(o, raw(key) ? pl_text(key) : written(o, key, flags_for(key)));
}

/* A scalar behind "KEY: " or "- "; its further lines are indented. */
static void put_scalar(struct out *o, const pl_node *n, size_t indent)
{
	if (raw(n)) {
		put(o, pl_text(n));
		return;
	}
	pl_node *pair = pl_new_map(o->b->doc);
	(void)pl_sets(o->b->doc, pair, "k", pl_copy(o->b->doc, o->b->doc, n));
	pl_str all = written(o, pair, flags_for(n)), line = str_cut(&all, '\n');
	put(o, line.n > 3 ? (pl_str){line.p + 3, line.n - 3} : S("\"\""));
	while (all.p) {
		line = str_cut(&all, '\n');
		put(o, S("\n"));
		if (line.n)
			put_indent(o, indent);
		put(o, line);
	}
}

static void put_map(struct out *o, const pl_node *n, size_t indent);

static void put_list(struct out *o, const pl_node *n, size_t indent)
{
	for (size_t i = 0; i < pl_len(n); i++) {
		const pl_node *item = pl_item(n, i);
		if (i) {
			put(o, S("\n"));
			put_indent(o, indent);
		}
		put(o, S("- "));
		if (!is_container(item))
			put_scalar(o, item, indent);
		else if (in_flow(item))
			put_flow(o, item);
		else if (pl_kind(item) == PL_MAP)
			put_map(o, item, indent + 2);
		else
			put_list(o, item, indent + 2);
	}
}

static void put_value(struct out *o, const pl_node *value, size_t indent)
{
	if (!is_container(value) || in_flow(value)) {
		put(o, S(" "));
		if (is_container(value))
			put_flow(o, value);
		else
			put_scalar(o, value, indent);
		return;
	}
	bool map = pl_kind(value) == PL_MAP;
	put(o, S("\n"));
	put_indent(o, map ? indent + 2 : indent);
	if (map)
		put_map(o, value, indent + 2);
	else
		put_list(o, value, indent);
}

static void put_map(struct out *o, const pl_node *n, size_t indent)
{
	for (size_t i = 0; i < pl_len(n); i++) {
		if (i) {
			put(o, S("\n"));
			put_indent(o, indent);
		}
		put_key(o, pl_key(n, i));
		put(o, S(":"));
		put_value(o, pl_value(n, i), indent);
	}
}

pl_str replacement_yaml(struct build *b, const pl_node *root)
{
	struct out o = {.b = b, .text = {.mem = b->mem}};
	if (in_flow(root))
		put_flow(&o, root);
	else if (pl_kind(root) == PL_MAP)
		put_map(&o, root, 0);
	else
		put_list(&o, root, 0);
	return text_str(&o.text);
}
