/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replacement_structured.c - fields inside a text that is a JSON or YAML document itself, such as a ConfigMap's
 * `app.yaml`. The text is read, changed and written again: JSON with sorted keys, on one line or indented as it was;
 * YAML in its own order and with its own quotes.
 */
#include "replacement.h"
#include "budget.h"
#include "fieldspec.h"

/* ---- JSON as Go's encoder writes it ---- */

/* A number that is no plain integer, in the one form that a float has. */
static pl_node *settle_number(struct build *b, pl_node *n)
{
	char *text;
	size_t len;
	if (!strpbrk(arena_dup(b->mem, pl_text(n)).p, ".eExXoO_+") ||
	    pl_yaml_write(n, PL_PRINT_FIELD, &text, &len, NULL))
		return n;
	pl_node *out = pl_new_number(b->doc, str_trim((pl_str){text, len}));
	pl_free(text);
	return out ? out : n;
}

static pl_node *settle_numbers(struct build *b, pl_node *n)
{
	for (size_t i = 0; i < pl_len(n); i++) {
		if (pl_kind(n) == PL_LIST)
			(void)pl_set_item(b->doc, n, i, settle_numbers(b, pl_item(n, i)));
		else
			(void)pl_set(b->doc, n, pl_text(pl_key(n, i)), settle_numbers(b, pl_value(n, i)));
	}
	return pl_kind(n) == PL_NUMBER ? settle_number(b, n) : n;
}

/* The encoder makes its output safe for HTML: <, > and & never stand in it, nor do the two odd line ends. */
static size_t html_unsafe(const char *p, size_t left, const char **escape)
{
	static const struct {
		const char *text, *escape;
	} all[] = {{"<", "\\u003c"},
		   {">", "\\u003e"},
		   {"&", "\\u0026"},
		   {"\xe2\x80\xa8", "\\u2028"},
		   {"\xe2\x80\xa9", "\\u2029"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		size_t n = strlen(all[i].text);
		if (left >= n && !memcmp(p, all[i].text, n)) {
			*escape = all[i].escape;
			return n;
		}
	}
	return 0;
}

static pl_str escape_html(struct build *b, pl_str s)
{
	const char *escape;
	char *out = arena_alloc(b->mem, s.n * 6 + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n;) {
		size_t taken = html_unsafe(s.p + i, s.n - i, &escape);
		if (!taken) {
			out[n++] = s.p[i++];
			continue;
		}
		memcpy(out + n, escape, 6);
		n += 6;
		i += taken;
	}
	return (pl_str){out, n};
}

static pl_status write_json(struct build *b, pl_node *root, pl_str was, pl_str *out)
{
	char *text;
	size_t len;
	bool indented = memchr(was.p, '\n', was.n) && memmem(was.p, was.n, "  ", 2);
	pl_status st = pl_json_write(settle_numbers(b, root), PL_PRINT_SORTED | (indented ? PL_PRINT_INDENT : 0), &text,
				     &len, b->err);
	if (st)
		return st;
	*out = escape_html(b, str_trim((pl_str){text, len}));
	pl_free(text);
	return PL_OK;
}

/* ---- the text ---- */

/* The document in the text; anything but a map or a list is not one. */
static pl_status read_inside(struct build *b, pl_str text, const struct path *p, uint32_t rest, pl_node **out)
{
	pl_node **roots;
	size_t n;
	pl_str where = p->steps[rest - 1].text;
	if (!pl_yaml_read(b->doc, text, NULL, PL_SCHEMA_KUSTOMIZE, 0, &roots, &n, b->err)) {
		*out = n ? roots[0] : NULL;
		int kind = pl_kind(*out);
		if (kind == PL_MAP || kind == PL_LIST)
			return PL_OK;
	}
	fail(b, PL_EINVAL, p->at, "'%.*s' goes on behind '%.*s', which is a text that holds neither JSON nor YAML",
	     F(p->text), F(where));
	return PL_EINVAL;
}

/* ---- texts with comments ---- */

struct span { /* a scalar in the text */
	size_t at, n;
	const struct slot *slot;
};

static bool has_comments(pl_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '#' && (!i || strchr(" \t\n", s.p[i - 1])))
			return true;
	}
	return false;
}

/* Where the scalar at the node's place ends; false unless it stands on one line as it was read. */
static bool find_span(struct build *b, pl_str text, const pl_node *n, struct span *out)
{
	pl_place at = pl_at(b->doc, n);
	pl_str value = pl_text(n);
	size_t i = 0;
	for (uint32_t line = 1; line < at.line; line++) {
		const char *end = memchr(text.p + i, '\n', text.n - i);
		if (!end)
			return false;
		i = (size_t)(end - text.p) + 1;
	}
	int style = pl_style(n);
	size_t quote = style == PL_STYLE_SINGLE || style == PL_STYLE_DOUBLE;
	i += at.col ? at.col - 1 : 0;
	if (!at.line || (!quote && style != PL_STYLE_PLAIN) || !value.n || i + value.n + 2 * quote > text.n)
		return false;
	*out = (struct span){.at = i, .n = value.n + 2 * quote};
	char mark = style == PL_STYLE_SINGLE ? '\'' : '"';
	return !memcmp(text.p + i + quote, value.p, value.n) &&
	       (!quote || (text.p[i] == mark && text.p[i + out->n - 1] == mark));
}

static int by_offset(const void *x, const void *y)
{
	const struct span *a = x, *b = y;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* The spans of all places in order, or NULL when the text has no comments or not every place has one. */
static struct span *find_spans(struct build *b, pl_str text, const struct slots *places)
{
	if (!has_comments(text))
		return NULL;
	struct span *v = arena_alloc(b->mem, (places->n + 1) * sizeof(*v));
	for (uint32_t i = 0; i < places->n; i++) {
		if (places->v[i].rest || places->v[i].made || !find_span(b, text, slot_node(&places->v[i]), &v[i]))
			return NULL;
		v[i].slot = &places->v[i];
	}
	qsort(v, places->n, sizeof(*v), by_offset);
	return v;
}

/* Only the scalars change, so that the comments stay. NULL text: a new one needs more than a line. */
static pl_str splice(struct build *b, pl_str text, const struct span *v, uint32_t n)
{
	struct text out = {.mem = b->mem};
	size_t from = 0;
	for (uint32_t i = 0; i < n; i++) {
		pl_node *pair = pl_new_map(b->doc);
		(void)pl_sets(b->doc, pair, "k", pl_copy(b->doc, b->doc, slot_node(v[i].slot)));
		pl_str line = replacement_yaml(b, pair);
		if (line.n < 4 || memchr(line.p, '\n', line.n) || v[i].at < from)
			return (pl_str){NULL, 0};
		text_add(&out, (pl_str){text.p + from, v[i].at - from});
		text_add(&out, (pl_str){line.p + 3, line.n - 3});
		from = v[i].at + v[i].n;
	}
	text_add(&out, (pl_str){text.p + from, text.n - from});
	return text_str(&out);
}

pl_status replacement_put_inside(struct build *b, const struct slot *s, struct path *p, const struct repl_value *v,
				 const struct repl_options *o, int create)
{
	pl_node *old = slot_node(s), *root;
	struct slots places = {0};
	pl_str text = pl_text(old), out = S(""), start = str_trim(text);
	pl_status st = read_inside(b, text, p, s->rest, &root);
	if (!st)
		st = path_find(b, root, p, s->rest, create, &places);
	bool json = start.n && (start.p[0] == '{' || start.p[0] == '[');
	struct span *spans = st || json ? NULL : find_spans(b, text, &places);
	for (uint32_t i = 0; !st && i < places.n; i++) {
		const struct slot *at = &places.v[i];
		st = at->rest ? replacement_put_inside(b, at, p, v, o, create) : replacement_put(b, at, v, o, p->at);
	}
	if (st)
		return st;
	if (spans)
		out = splice(b, (pl_str){text.p, (size_t)(start.p + start.n - text.p)}, spans, places.n);
	if (!json && (!spans || !out.p))
		out = replacement_yaml(b, root);
	if (json && write_json(b, root, text, &out))
		return fail(b, PL_EINVAL, p->at, "the text at '%.*s' can't be written again", F(p->text));
	st = budget_text(b, p->at, out.n);
	if (st)
		return st;
	pl_node *new = pl_new_string(b->doc, out);
	pl_set_at(b->doc, new, b->doc, old);
	pl_set_style(new, pl_style(old));
	return slot_put(b, s, new);
}
