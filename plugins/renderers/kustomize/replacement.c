/* SPDX-License-Identifier: Apache-2.0 */
/* replacement.c - copies a value from one resource into fields of others. */
#include "replacement.h"
#include "budget.h"
#include "fieldspec.h"

/* ---- the source ---- */

static pl_str or_default(pl_str ns)
{
	return ns.n ? ns : S("default");
}

static bool id_selected(const struct id *want, const struct id *id)
{
	return (!want->name.n || str_eq(want->name, id->name)) &&
	       (!want->ns.n || str_eq(or_default(want->ns), or_default(id->ns))) && gvk_selects(&want->gvk, &id->gvk);
}

static bool source_selects(const struct id *want, const struct resource *r)
{
	if (id_selected(want, &r->id))
		return true;
	for (uint32_t i = 0; i < r->n_previous; i++) {
		if (id_selected(want, &r->previous[i]))
			return true;
	}
	return false;
}

static pl_status two_sources(struct build *b, const struct repl_source *s, const struct resource *x,
			     const struct resource *y)
{
	pl_str first = id_text(b, &x->id), second = id_text(b, &y->id);
	fail(b, PL_EINVAL, s->at, "multiple matches for the source: %.*s and %.*s", F(first), F(second));
	pl_err_hint(b->err, "say more of it: group, version, kind, name, namespace");
	return PL_EINVAL;
}

/* Of the resources that differ in the name only, the one whose name is nearest. */
static void no_source(struct build *b, const struct repl_source *s, const struct resmap *m)
{
	const char **names = arena_alloc(b->mem, (m->n + 1) * sizeof(*names));
	struct repl_source any = *s;
	size_t n = 0;
	any.id.name = S("");
	for (uint32_t i = 0; i < m->n; i++) {
		if (source_selects(&any.id, m->v[i]))
			names[n++] = arena_dup(b->mem, m->v[i]->id.name).p;
	}
	pl_str text = id_text(b, &s->id);
	fail(b, PL_ENOTFOUND, s->at, "nothing is selected by the source %.*s", F(text));
	const char *nearest = s->id.name.n ? str_nearest(s->id.name, names, n) : NULL;
	if (nearest)
		pl_err_hint(b->err, "did you mean '%s'?", nearest);
	else if (n)
		pl_err_hint(b->err, "there is '%s'", names[0]);
}

static pl_status source_resource(struct build *b, const struct repl_source *s, struct resmap *m, struct resource **out)
{
	struct resource *const *v = m->v;
	size_t n = s->id.name.n ? resmap_named(b, m, s->id.name, &v) : m->n;
	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!v[i]->node || !source_selects(&s->id, v[i]))
			continue;
		if (*out)
			return two_sources(b, s, *out, v[i]);
		*out = v[i];
	}
	if (*out)
		return PL_OK;
	no_source(b, s, m);
	return PL_ENOTFOUND;
}

static bool nothing(const pl_node *n)
{
	int kind = pl_kind(n);
	return !n || kind == PL_NULL || ((kind == PL_MAP || kind == PL_LIST) && !pl_len(n));
}

struct source_value {
	struct slot where; /* read again for each target: a target may change it */
	struct repl_value fixed;
	bool moving;
};

static struct repl_value value_of(const pl_node *n)
{
	int kind = pl_kind(n);
	bool scalar = kind != PL_LIST && kind != PL_MAP;
	return (struct repl_value){n, scalar ? pl_text(n) : S(""), scalar};
}

/* The piece of text that stands at index between delimiters. */
static bool cut_piece(pl_str text, pl_str delimiter, int64_t index, pl_str *out)
{
	for (; index >= 0; index--) {
		const char *end = memmem(text.p, text.n, delimiter.p, delimiter.n);
		*out = (pl_str){text.p, end ? (size_t)(end - text.p) : text.n};
		if (!index)
			return true;
		if (!end)
			return false;
		text = (pl_str){end + delimiter.n, (size_t)(text.p + text.n - end) - delimiter.n};
	}
	return false;
}

static pl_status refine(struct build *b, const struct repl_source *s, const pl_node *n, struct source_value *out)
{
	const struct repl_options *o = &s->options;
	out->fixed = value_of(n);
	out->moving = !o->delimiter.n;
	if (out->moving)
		return PL_OK;
	if (!out->fixed.scalar)
		return fail(b, PL_EINVAL, o->at, "delimiter can only be used with a single value, but '%.*s' is %s",
			    F(s->path.text), node_kind_name(n));
	if (!cut_piece(out->fixed.text, o->delimiter, o->index, &out->fixed.text))
		return fail(b, PL_EINVAL, o->at, "options.index %lld is out of bounds for the value of '%.*s'",
			    (long long)o->index, F(s->path.text));
	return PL_OK;
}

static pl_status source_value(struct build *b, const struct replacement *x, struct resmap *m, struct source_value *out)
{
	struct resource *r;
	pl_node *n;
	*out = (struct source_value){.fixed = value_of(x->value)};
	if (x->value)
		return PL_OK;
	pl_status st = source_resource(b, &x->source, m, &r);
	if (st)
		return st;
	st = path_get(b, r->node, &x->source.path, &out->where, &n);
	pl_str id = id_text(b, &r->id);
	if (st)
		return pl_err_in(b->err, "in the source %.*s", F(id));
	if (nothing(n)) {
		fail(b, PL_ENOTFOUND, x->source.path.at, "there is no value at '%.*s' in the source %.*s",
		     F(x->source.path.text), F(id));
		if (!n)
			(void)path_suggest(b, out->where.parent, out->where.key);
		return PL_ENOTFOUND;
	}
	return refine(b, &x->source, n, out);
}

/* ---- putting ---- */

static pl_str join(struct build *b, pl_str a, pl_str delimiter, pl_str c)
{
	return arena_printf(b->mem, "%.*s%.*s%.*s", F(a), F(delimiter), F(c));
}

/* old with the piece at index replaced; before the first and behind the last one value is added. */
static pl_str replace_piece(struct build *b, pl_str old, const struct repl_options *o, pl_str value)
{
	pl_str piece;
	if (o->index < 0)
		return join(b, value, o->delimiter, old);
	if (!cut_piece(old, o->delimiter, o->index, &piece))
		return join(b, old, o->delimiter, value);
	pl_str head = {old.p, (size_t)(piece.p - old.p)};
	pl_str tail = {piece.p + piece.n, (size_t)(old.p + old.n - (piece.p + piece.n))};
	return arena_printf(b->mem, "%.*s%.*s%.*s", F(head), F(value), F(tail));
}

/* Not of a float's form: 1.0 and 1e3 are floats to YAML, 0x1e3 is not. */
static bool is_whole(pl_str s)
{
	bool hex = s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X');
	for (size_t i = 0; !hex && i < s.n; i++) {
		if (strchr(".eEnN", s.p[i]))
			return false;
	}
	return true;
}

static bool is_null(pl_str s)
{
	return str_is(s, "~") || str_is(s, "null") || str_is(s, "Null") || str_is(s, "NULL");
}

/*
 * A scalar that stays of old's kind, whatever the source's was. What an earlier replacement has made is in no file: it
 * has no kind of its own, only that of its text.
 */
static pl_status retext(struct build *b, const pl_node *old, pl_str text, const pl_node *at, pl_node **out)
{
	int kind = pl_kind(old);
	if (kind == PL_NULL && (!text.n || is_null(text))) {
		*out = text.n ? pl_new_null(b->doc) : pl_new_string(b->doc, text);
		return PL_OK;
	}
	*out = kind == PL_STRING ? pl_new_string(b->doc, text) : plain_scalar(b, text);
	bool whole = kind == PL_NUMBER && is_whole(pl_text(old));
	bool made = !pl_at(b->doc, old).line;
	if (!made && (pl_kind(*out) != kind || (whole && !is_whole(text)))) {
		fail(b, PL_EINVAL, at, "the field holds %s, which the value can't become",
		     whole ? "a whole number" : node_kind_name(old));
		pl_err_hint(b->err, "its own kind is kept; make it a string by quotes");
		return PL_EINVAL;
	}
	return PL_OK;
}

pl_status replacement_put(struct build *b, const struct slot *s, const struct repl_value *v,
			  const struct repl_options *o, const pl_node *at)
{
	pl_node *old = slot_node(s), *new;
	int kind = pl_kind(old);
	pl_str text = v->text;
	pl_status st = PL_OK;
	if (o->delimiter.n && (kind == PL_LIST || kind == PL_MAP))
		return fail(b, PL_EINVAL, at, "delimiter can only be used with a single value, but there is %s",
			    node_kind_name(old));
	if (o->delimiter.n) {
		st = budget_text(b, at, pl_text(old).n + o->delimiter.n + text.n);
		text = st ? text : replace_piece(b, pl_text(old), o, text);
	}
	if (st)
		return st;
	if (kind == PL_LIST || kind == PL_MAP)
		new = pl_copy(b->doc, b->doc, v->node);
	else if (s->made)
		new = plain_scalar(b, text);
	else
		st = retext(b, old, text, at, &new);
	if (st)
		return st;
	if (kind != PL_LIST && kind != PL_MAP && !s->made) {
		pl_set_at(b->doc, new, b->doc, old);
		/* Only what is not touched stays PLAIN: see replacement_yaml(). */
		pl_set_style(new, pl_style(old) == PL_STYLE_PLAIN ? PL_STYLE_ANY : pl_style(old));
	}
	return slot_put(b, s, new);
}

static int kind_to_make(const struct repl_value *v, const struct repl_options *o)
{
	if (!o->create)
		return -1;
	return v->scalar ? PL_STRING : pl_kind(v->node);
}

static pl_status put_path(struct build *b, struct resource *r, const struct repl_target *t, struct path *p,
			  const struct source_value *source)
{
	struct repl_value v = source->moving ? value_of(slot_node(&source->where)) : source->fixed;
	struct slots places = {0};
	int create = kind_to_make(&v, &t->options);
	pl_status st = path_find(b, r->node, p, 0, create, &places);
	for (uint32_t i = 0; !st && i < places.n; i++) {
		const struct slot *s = &places.v[i];
		/* Every step of the path is a level. */
		st = v.scalar ? budget_text(b, p->at, v.text.n) : budget_copy(b, p->at, v.node, p->n);
		if (st)
			break;
		st = s->rest ? replacement_put_inside(b, s, p, &v, &t->options, create)
			     : replacement_put(b, s, &v, &t->options, p->at);
	}
	if (!st)
		return PL_OK;
	pl_str id = id_text(b, &r->id);
	return pl_err_in(b->err, "field '%.*s' of %.*s", F(p->text), F(id));
}

/* ---- the targets ---- */

static bool wanted(struct build *b, const struct repl_target *t, const struct resource *r)
{
	if (!repl_select_matches(b, t->select, r))
		return false;
	for (uint32_t i = 0; i < t->n_rejects; i++) {
		if (repl_select_rejects(b, t->rejects[i], r))
			return false;
	}
	return true;
}

/* All of them first: what is put into one may change the map's index. */
static struct resource **wanted_ones(struct build *b, const struct repl_target *t, struct resmap *m, size_t *n)
{
	struct resource *const *from, **out = NULL;
	size_t most = repl_select_from(b, t->select, m, &from);
	uint32_t cap = 0, found = 0;
	for (size_t i = 0; i < most; i++) {
		if (!wanted(b, t, from[i]))
			continue;
		out = arena_grow(b->mem, out, found, &cap, sizeof(*out));
		out[found++] = from[i];
	}
	*n = found;
	return out;
}

static bool names_identity(const struct path *p)
{
	pl_str first = p->n ? p->steps[0].text : S("");
	return str_is(first, "metadata") || str_is(first, "kind") || str_is(first, "apiVersion");
}

static pl_status put_target(struct build *b, const struct repl_target *t, const struct source_value *v,
			    struct resmap *m)
{
	size_t n;
	struct resource **found = wanted_ones(b, t, m, &n);
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < n; i++) {
		bool renamed = false;
		for (uint32_t p = 0; !st && p < t->n_paths; p++) {
			st = put_path(b, found[i], t, &t->paths[p], v);
			renamed |= names_identity(&t->paths[p]);
		}
		if (renamed)
			resource_refresh(b, m, found[i]);
	}
	return st;
}

static pl_status apply(struct build *b, struct replacements *all, struct resmap *m)
{
	for (uint32_t i = 0; i < all->n; i++) {
		const struct replacement *x = &all->v[i];
		struct source_value v;
		pl_status st = source_value(b, x, m, &v);
		for (uint32_t t = 0; !st && t < x->n_targets; t++)
			st = put_target(b, &x->targets[t], &v, m);
		if (st)
			return st;
	}
	return PL_OK;
}

pl_status transform_replacement(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
				struct resmap *m)
{
	struct replacements all;
	pl_status st = replacements_read(b, t, cfg, fields != NULL, &all);
	return st ? st : apply(b, &all, m);
}
