/* SPDX-License-Identifier: Apache-2.0 */
#include "fieldpath.h"
#include "budget.h"
#include "fieldspec.h"
#include "select.h"

/* ---- reading ---- */

/* A number as the reference takes one: digits, with a sign or zeros before them. */
static bool read_number(pl_str s, int64_t *out)
{
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');
	int64_t n = 0;
	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || n > INT64_MAX / 10 - 1)
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	*out = s.p[0] == '-' ? -n : n;
	return true;
}

static struct path_step step_of(pl_str text)
{
	struct path_step s = {.text = text, .index = -1};
	s.bracketed = text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';
	s.number = read_number(text, &s.index);
	const char *eq = s.bracketed ? memchr(text.p, '=', text.n) : NULL;
	if (eq) {
		s.select = true;
		s.field = (pl_str){text.p + 1, (size_t)(eq - text.p) - 1};
		s.want = (pl_str){eq + 1, (size_t)(text.p + text.n - 1 - (eq + 1))};
	}
	return s;
}

/* The text up to the next dot that no backslash stands before, without those backslashes. */
static bool next_piece(struct build *b, pl_str text, size_t *pos, pl_str *out)
{
	size_t start = *pos, end = start, n = 0;
	if (start > text.n)
		return false;
	while (end < text.n && text.p[end] != '.')
		end += text.p[end] == '\\' && end + 1 < text.n && text.p[end + 1] == '.' ? 2 : 1;
	*pos = end + 1;
	*out = (pl_str){text.p + start, end - start};
	if (!out->n || !memchr(out->p, '\\', out->n))
		return true;
	char *piece = arena_alloc(b->mem, out->n + 1);
	for (size_t i = start; i < end; i++) {
		i += text.p[i] == '\\' && i + 1 < end && text.p[i + 1] == '.';
		piece[n++] = text.p[i];
	}
	*out = (pl_str){piece, n};
	return true;
}

static pl_str trim_brackets(pl_str s)
{
	while (s.n && (s.p[0] == '[' || s.p[0] == ']'))
		s = (pl_str){s.p + 1, s.n - 1};
	while (s.n && (s.p[s.n - 1] == '[' || s.p[s.n - 1] == ']'))
		s.n--;
	return s;
}

/* "[a" was read: goes on to the piece that ends with "]", with the dots between. */
static pl_str read_bracketed(struct build *b, pl_str text, size_t *pos, pl_str first)
{
	size_t end = *pos, n = first.n;
	pl_str piece = first;
	while (!str_ends(piece, S("]")) && next_piece(b, text, &end, &piece))
		n += piece.n + 1;
	char *out = arena_alloc(b->mem, n + 1);
	memcpy(out, first.p, first.n);
	n = first.n;
	for (piece = first; *pos < end && next_piece(b, text, pos, &piece); n += piece.n) {
		out[n++] = '.';
		if (piece.n)
			memcpy(out + n, piece.p, piece.n);
	}
	pl_str whole = {out, n};
	return memchr(out, '=', n) ? whole : trim_brackets(whole);
}

void path_read(struct build *b, pl_str text, const pl_node *at, struct path *out)
{
	size_t pos = 0, most = 1;
	pl_str piece;
	for (size_t i = 0; i < text.n; i++)
		most += text.p[i] == '.';
	*out = (struct path){.at = at, .text = text, .steps = arena_alloc(b->mem, most * sizeof(*out->steps))};
	while (next_piece(b, text, &pos, &piece)) {
		if (str_starts(piece, S("[")) && !str_ends(piece, S("]")))
			piece = read_bracketed(b, text, &pos, piece);
		out->steps[out->n++] = step_of(piece);
	}
}

/* ---- places ---- */

pl_node *slot_node(const struct slot *s)
{
	return pl_kind(s->parent) == PL_MAP ? pl_get(s->parent, s->key) : pl_item(s->parent, s->item);
}

pl_status slot_put(struct build *b, const struct slot *s, pl_node *value)
{
	pl_node *old = slot_node(s);
	if (old && pl_become(b->doc, old, value) == PL_OK) /* in all its places: see resource.shares */
		return PL_OK;
	pl_status st = pl_kind(s->parent) == PL_MAP ? pl_set(b->doc, s->parent, s->key, value)
						    : pl_set_item(b->doc, s->parent, s->item, value);
	return st ? fail(b, st, s->parent, "a field can't be set: %s", pl_status_name(st)) : PL_OK;
}

static bool is_scalar(const pl_node *n)
{
	int kind = pl_kind(n);
	return kind == PL_STRING || kind == PL_NUMBER || kind == PL_BOOL;
}

/* Most texts are seen at once to be strings; the rest are shown to the reader. */
static bool may_be_other(pl_str s)
{
	static const char *const words[] = {"null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE"};
	if (!s.n || s.n > 128)
		return false;
	if (strchr("0123456789+-.~", s.p[0]))
		return !memchr(s.p, '\n', s.n) && !memchr(s.p, ' ', s.n) && !memchr(s.p, '#', s.n);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_is(s, words[i]))
			return true;
	}
	return false;
}

pl_node *plain_scalar(struct build *b, pl_str text)
{
	pl_node **roots;
	size_t n;
	if (!may_be_other(text) || pl_yaml_read(b->doc, text, NULL, PL_SCHEMA_KUSTOMIZE, 0, &roots, &n, NULL) ||
	    n != 1 || !is_scalar(roots[0]) || pl_text(roots[0]).n != text.n)
		return pl_new_string(b->doc, text);
	return roots[0];
}

/* ---- one node ---- */

static pl_status wrong_kind(struct build *b, const struct path *p, uint32_t step, const pl_node *n, const char *want)
{
	pl_str s = p->steps[step].text;
	return fail(b, PL_EINVAL, p->at, "'%.*s' at '%.*s' needs %s, but there is %s", F(p->text), F(s), want,
		    node_kind_name(n));
}

static bool text_is(const pl_node *n, pl_str want)
{
	return (is_scalar(n) || pl_kind(n) == PL_NULL) && str_eq(pl_text(n), want);
}

/* The first item with the text itself, or with a field that has the text. */
static pl_node *select_first(pl_node *list, const struct path_step *s, size_t *item)
{
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_node *n = pl_item(list, i);
		const pl_node *of = s->field.n ? pl_get(n, s->field) : n;
		if ((!s->field.n || pl_kind(n) == PL_MAP) && of && text_is(of, s->want)) {
			*item = i;
			return n;
		}
	}
	return NULL;
}

static pl_status get_item(struct build *b, const struct path *p, uint32_t step, pl_node *n, struct slot *where,
			  pl_node **out)
{
	const struct path_step *s = &p->steps[step];
	*out = NULL;
	if (pl_kind(n) == PL_NULL)
		return PL_OK;
	if (pl_kind(n) != PL_LIST)
		return wrong_kind(b, p, step, n, "a list");
	if (s->number && s->index < 0)
		return fail(b, PL_EINVAL, p->at, "the index %.*s in '%.*s' is negative", F(s->text), F(p->text));
	if (s->bracketed && !s->select)
		return fail(b, PL_EINVAL, p->at, "'%.*s' in '%.*s' must have the form [field=value]", F(s->text),
			    F(p->text));
	*where = (struct slot){.parent = n};
	if (s->select) {
		*out = select_first(n, s, &where->item);
		return PL_OK;
	}
	where->item = s->number ? (size_t)s->index : pl_len(n) - 1;
	*out = pl_len(n) ? pl_item(n, where->item) : NULL;
	return PL_OK;
}

pl_status path_get(struct build *b, pl_node *root, const struct path *p, struct slot *where, pl_node **out)
{
	pl_node *n = root;
	*out = NULL;
	for (uint32_t i = 0; n && i < p->n; i++) {
		struct path_step s = step_of(str_trim(p->steps[i].text));
		if (!s.text.n)
			continue;
		if (s.number || s.bracketed || str_is(s.text, "-")) {
			pl_status st = get_item(b, p, i, n, where, &n);
			if (st)
				return st;
			continue;
		}
		if (pl_kind(n) == PL_NULL)
			return PL_OK;
		if (pl_kind(n) != PL_MAP)
			return wrong_kind(b, p, i, n, "a map");
		*where = (struct slot){.parent = n, .key = s.text};
		n = pl_get(n, s.text);
	}
	*out = n;
	return PL_OK;
}

/* ---- all nodes ---- */

struct find {
	struct build *b;
	struct path *p;
	int create;
	struct slots *out;
	pl_node *miss; /* the map that a name was looked for in vain in, for "did you mean" */
	uint32_t miss_step;
};

static pl_status find_in(struct find *f, pl_node *n, uint32_t step, struct slot at);

/* What an absent node must be for the next step to be taken. */
static pl_node *make_for(struct find *f, uint32_t next)
{
	const struct path_step *s = next < f->p->n ? &f->p->steps[next] : NULL;
	if (s && (s->bracketed || (s->number && s->index >= 0)))
		return pl_new_list(f->b->doc);
	if (s && s->text.n)
		return pl_new_map(f->b->doc);
	if (f->create == PL_MAP)
		return pl_new_map(f->b->doc);
	return f->create == PL_LIST ? pl_new_list(f->b->doc) : pl_new_string(f->b->doc, S(""));
}

static void add_slot(struct find *f, const struct slot *s)
{
	struct slots *o = f->out;
	o->v = arena_grow(f->b->mem, o->v, o->n, &o->cap, sizeof(*o->v));
	o->v[o->n++] = *s;
}

static pl_status find_field(struct find *f, pl_node *n, uint32_t step)
{
	const struct path_step *s = &f->p->steps[step];
	struct slot at = {.parent = n, .key = s->text};
	if (!s->text.n)
		return fail(f->b, PL_EINVAL, f->p->at, "'%.*s' has an empty step", F(f->p->text));
	if (pl_kind(n) != PL_MAP)
		return wrong_kind(f->b, f->p, step, n, "a map");
	pl_node *child = pl_get(n, s->text);
	if (!child && f->create < 0) {
		f->miss = n;
		f->miss_step = step;
		return PL_OK;
	}
	if (!child) {
		child = make_for(f, step + 1);
		at.made = true;
		pl_status st = slot_put(f->b, &at, child);
		if (st)
			return st;
	}
	return find_in(f, child, step + 1, at);
}

static pl_status find_index(struct find *f, pl_node *n, uint32_t step)
{
	const struct path_step *s = &f->p->steps[step];
	size_t len = pl_len(n), i = (size_t)s->index;
	struct slot at = {.parent = n, .item = i};
	if (i == len && f->create >= 0) {
		at.made = true;
		pl_status st = pl_append(f->b->doc, n, make_for(f, step + 1));
		if (st)
			return fail(f->b, st, n, "an item can't be added: %s", pl_status_name(st));
		len++;
	}
	if (i >= len)
		return fail(f->b, PL_EINVAL, f->p->at, "the index %zu in '%.*s' is past the end of a list of %zu", i,
			    F(f->p->text), len);
	return find_in(f, pl_item(n, i), step + 1, at);
}

static pl_status find_every(struct find *f, pl_node *n, uint32_t step)
{
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < pl_len(n); i++)
		st = find_in(f, pl_item(n, i), step + 1, (struct slot){.parent = n, .item = i});
	return st;
}

/* The text that a regular expression is tried on: the scalar as YAML has it, with its quotes. */
static pl_str match_text(struct build *b, const pl_node *n)
{
	int style = pl_style(n), kind = pl_kind(n);
	char *text;
	size_t len;
	if (kind == PL_STRING && (style == PL_STYLE_DOUBLE || style == PL_STYLE_SINGLE))
		return arena_printf(b->mem, style == PL_STYLE_DOUBLE ? "\"%.*s\"" : "'%.*s'", F(pl_text(n)));
	if (is_scalar(n))
		return pl_text(n);
	if (kind == PL_NULL || pl_yaml_write(n, PL_PRINT_KEEP_STYLE, &text, &len, NULL))
		return kind == PL_NULL ? S("null") : S("");
	pl_str out = arena_dup(b->mem, str_trim((pl_str){text, len}));
	pl_free(text);
	return out;
}

static bool selected(struct find *f, const struct path_step *s, const pl_node *item)
{
	if (!s->field.n)
		return pl_regex_find(s->re, match_text(f->b, item), NULL, 0);
	const pl_node *of = pl_get(item, s->field);
	return of && pl_regex_find(s->re, match_text(f->b, of), NULL, 0);
}

static pl_status compile(struct find *f, struct path_step *s)
{
	if (s->re)
		return PL_OK;
	return regex_read(f->b, f->p->at, arena_printf(f->b->mem, "in '%.*s'", F(f->p->text)).p, s->want, &s->re);
}

static pl_status make_selected(struct find *f, pl_node *list, const struct path_step *s)
{
	pl_node *value = plain_scalar(f->b, s->want), *item = value;
	if (s->field.n) {
		item = pl_new_map(f->b->doc);
		(void)pl_set(f->b->doc, item, s->field, value);
	}
	pl_status st = pl_append(f->b->doc, list, item);
	return st ? fail(f->b, st, list, "an item can't be added: %s", pl_status_name(st)) : PL_OK;
}

static pl_status find_selected(struct find *f, pl_node *n, uint32_t step)
{
	struct path_step *s = &f->p->steps[step];
	uint32_t before = f->out->n;
	pl_status st = PL_OK;
	if (!s->select)
		return fail(f->b, PL_EINVAL, f->p->at, "'%.*s' in '%.*s' must have the form [field=value]", F(s->text),
			    F(f->p->text));
	st = compile(f, s);
	for (size_t i = 0; !st && i < pl_len(n); i++) {
		struct slot at = {.parent = n, .item = i};
		/* Behind [=value] nothing more is looked at. */
		if (selected(f, s, pl_item(n, i)))
			st = find_in(f, pl_item(n, i), s->field.n ? step + 1 : f->p->n, at);
	}
	if (st || f->create < 0 || f->out->n > before)
		return st;
	st = make_selected(f, n, s);
	struct slot at = {.parent = n, .item = pl_len(n) - 1, .made = true};
	return st ? st : find_in(f, slot_node(&at), s->field.n ? step + 1 : f->p->n, at);
}

/* Null stands for an empty list or map, but what is made in it is lost, as the reference loses it. */
static pl_node *instead_of_null(struct find *f, const struct path_step *s)
{
	bool list = s->bracketed || s->number || str_is(s->text, "*");
	return list ? pl_new_list(f->b->doc) : pl_new_map(f->b->doc);
}

static pl_status find_in(struct find *f, pl_node *n, uint32_t step, struct slot at)
{
	if (step == f->p->n) {
		add_slot(f, &at);
		return PL_OK;
	}
	const struct path_step *s = &f->p->steps[step];
	if (pl_kind(n) == PL_STRING && at.parent && !at.made && s->text.n) {
		at.rest = step;
		add_slot(f, &at);
		return PL_OK;
	}
	if (pl_kind(n) == PL_NULL && s->text.n)
		n = instead_of_null(f, s);
	bool index = s->number && s->index >= 0, every = str_is(s->text, "*");
	if (!index && !s->bracketed && !every)
		return find_field(f, n, step);
	if (pl_kind(n) != PL_LIST)
		return wrong_kind(f->b, f->p, step, n, "a list");
	return index ? find_index(f, n, step) : every ? find_every(f, n, step) : find_selected(f, n, step);
}

bool path_suggest(struct build *b, const pl_node *map, pl_str name)
{
	size_t n = pl_len(map);
	if (pl_kind(map) != PL_MAP || !n)
		return false;
	const char **keys = arena_alloc(b->mem, n * sizeof(*keys));
	for (size_t i = 0; i < n; i++)
		keys[i] = arena_dup(b->mem, pl_text(pl_key(map, i))).p;
	const char *nearest = str_nearest(name, keys, n);
	if (nearest)
		pl_err_hint(b->err, "did you mean '%s'?", nearest);
	return nearest;
}

pl_status path_find(struct build *b, pl_node *root, struct path *p, uint32_t from, int create, struct slots *out)
{
	struct find f = {.b = b, .p = p, .create = create, .out = out};
	if (p->n > OBJECT_DEPTH_MAX) /* fields would be made below each other */
		return fail(b, PL_ETOOBIG, p->at, "a field path has more than %d steps", OBJECT_DEPTH_MAX);
	uint32_t before = out->n;
	pl_status st = find_in(&f, root, from, (struct slot){0});
	if (st || out->n > before)
		return st;
	if (f.miss) {
		fail(b, PL_ENOTFOUND, p->at, "there is no '%.*s' for '%.*s'", F(p->steps[f.miss_step].text),
		     F(p->text));
		if (!path_suggest(b, f.miss, p->steps[f.miss_step].text))
			pl_err_hint(b->err, "with options.create: true the field is made");
		return PL_ENOTFOUND;
	}
	return fail(b, PL_ENOTFOUND, p->at, "nothing is found at '%.*s'", F(p->text));
}
