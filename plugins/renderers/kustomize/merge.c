/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c - strategic merge as Kustomize does it: maps, scalars, nulls and directives.
 *
 * The rules differ from an API server's: fields that are null are taken out, but a null that the object spelled out
 * ("null", "~") stays; a scalar keeps the quotes that the object had, so that a number put in place of a quoted one is
 * a string again; and a directive at the top of a patch can delete the object but not replace it.
 */
#include "merge.h"

enum {
	SMALL_MAP = 48, /* pairs; above, keys are looked up by hash and the map is built anew */
	SHORT_PATCH = 8 /* pairs; up to here that does not pay */
};

bool merge_is_null(const pl_node *n)
{
	return !n || pl_kind(n) == PL_NULL;
}

/* ---- directives ---- */

enum directive directive_read(const pl_node *map)
{
	const pl_node *n = pl_gets(map, DIRECTIVE_KEY);
	if (!n)
		return DIRECTIVE_NONE;
	pl_str text = pl_text(n);
	return str_is(text, "delete")	 ? DIRECTIVE_DELETE
	       : str_is(text, "replace") ? DIRECTIVE_REPLACE
	       : str_is(text, "merge")	 ? DIRECTIVE_MERGE
					 : DIRECTIVE_UNKNOWN;
}

static pl_str path_text(struct merge *m, const struct merge_step *s)
{
	if (!s)
		return S("");
	pl_str outer = path_text(m, s->outer);
	return outer.n ? arena_printf(m->b->mem, "%.*s.%.*s", F(outer), F(s->name)) : s->name;
}

pl_status directive_unknown(struct merge *m, const pl_node *map)
{
	static const char *const known[] = {"delete", "merge", "replace"};
	const pl_node *n = pl_gets(map, DIRECTIVE_KEY);
	pl_status st = fail(m->b, PL_EINVAL, n, "unknown patch strategy '%.*s' in '%.*s'", F(pl_text(n)),
			    F(path_text(m, m->at)));
	const char *near = str_nearest(pl_text(n), known, 3);
	if (near)
		pl_err_hint(m->b->err, "did you mean '%s'?", near);
	else
		pl_err_hint(m->b->err, "$patch is one of delete, merge, replace");
	return st;
}

/* ---- scalars ---- */

static bool quoted(int style)
{
	return style == PL_STYLE_SINGLE || style == PL_STYLE_DOUBLE || style == PL_STYLE_LITERAL ||
	       style == PL_STYLE_FOLDED;
}

/* The patch's scalar in the object's quotes. */
static pl_node *scalar_over(struct merge *m, pl_node *into, const pl_node *from)
{
	pl_doc *d = m->b->doc;
	if (!into)
		return pl_copy(d, d, from);
	pl_node *n;
	if (quoted(pl_style(into)) && pl_kind(from) != PL_STRING) {
		n = pl_new_string(d, pl_text(from));
		pl_set_at(d, n, d, from);
	} else {
		n = pl_copy(d, d, from);
	}
	if (pl_style(n) != pl_style(into)) /* a plain date is no text where it stays plain */
		pl_set_style(n, pl_style(into));
	return pl_become(d, into, n) == PL_OK ? into : n; /* in all its places: see resource.shares */
}

/* ---- maps ---- */

struct key_index { /* where the keys of a long map stand */
	const pl_node *map;
	uint32_t *slots; /* position + 1 */
	size_t mask;
};

static void index_new(struct key_index *x, const pl_node *map)
{
	size_t n = pl_len(map), slots = 4;
	*x = (struct key_index){.map = map};
	if (n <= SMALL_MAP)
		return;
	while (slots < n * 2)
		slots *= 2;
	x->slots = calloc(slots, sizeof(*x->slots));
	if (!x->slots)
		abort();
	x->mask = slots - 1;
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)str_hash(pl_text(pl_key(map, i))) & x->mask;
		while (x->slots[at])
			at = (at + 1) & x->mask;
		x->slots[at] = (uint32_t)i + 1;
	}
}

static pl_node *index_get(const struct key_index *x, pl_str key)
{
	if (!x->slots)
		return pl_get(x->map, key);
	for (size_t at = (size_t)str_hash(key) & x->mask; x->slots[at]; at = (at + 1) & x->mask)
		if (str_eq(pl_text(pl_key(x->map, x->slots[at] - 1)), key))
			return pl_value(x->map, x->slots[at] - 1);
	return NULL;
}

/* What a patch can change below n although it does not name it: lists, and nulls that say nothing. */
static bool restless(const pl_node *n)
{
	int kind = pl_kind(n);
	if (kind == PL_LIST)
		return pl_len(n) > 0;
	if (kind != PL_MAP)
		return kind == PL_NULL;
	for (size_t i = 0; i < pl_len(n); i++)
		if (restless(pl_value(n, i)))
			return true;
	return false;
}

/*
 * A list or map in place of another one is written as that was, in braces or not. It matters for nulls that say
 * nothing: within braces the reference prints them as "".
 */
static void keep_form(pl_node *new, const pl_node *old)
{
	int kind = pl_kind(new), was = pl_kind(old);
	if (kind == PL_MAP || kind == PL_LIST)
		pl_set_style(new, was == PL_MAP || was == PL_LIST ? pl_style(old) : PL_STYLE_BLOCK);
}

static pl_status walk_field(struct merge *m, pl_str key, pl_node *into, const pl_node *from, pl_type type,
			    pl_node **out)
{
	struct merge_step step = {m->at, key};
	m->at = &step;
	pl_status st = merge_walk(m, into, from, pl_type_field(type, key), out);
	m->at = step.outer;
	return st;
}

/* One pair of the object's map; *out is its new value. */
static pl_status walk_pair(struct merge *m, const struct key_index *from, const pl_node *into, size_t i, pl_type type,
			   pl_node **out)
{
	pl_str key = pl_text(pl_key(into, i));
	pl_node *value = pl_value(into, i);
	const pl_node *other = from->map == into ? value : from->map ? index_get(from, key) : NULL;
	*out = value;
	if (!other && !restless(value))
		return PL_OK;
	pl_status st = walk_field(m, key, value, other, type, out);
	if (!st && *out != value)
		keep_form(*out, value);
	return st;
}

static pl_status walk_in_place(struct merge *m, const struct key_index *from, pl_node *into, pl_type type)
{
	pl_doc *d = m->b->doc;
	for (size_t i = 0; i < pl_len(into);) {
		pl_node *old = pl_value(into, i), *new;
		pl_status st = walk_pair(m, from, into, i, type, &new);
		if (st)
			return st;
		if (new &&new != old)
			st = pl_set(d, into, pl_text(pl_key(into, i)), new);
		else if (!new)
			st = pl_remove(d, into, pl_text(pl_key(into, i)));
		if (st)
			return fail(m->b, st, into, "cannot change a map of the object");
		i += new != NULL;
	}
	return PL_OK;
}

/* As above for long maps, where every look-up in the map would cost its length. */
static pl_status walk_anew(struct merge *m, const struct key_index *from, pl_node *into, pl_type type, pl_node **out)
{
	pl_doc *d = m->b->doc;
	pl_node *map = pl_new_map(d);
	pl_set_at(d, map, d, into);
	pl_set_style(map, pl_style(into));
	for (size_t i = 0; i < pl_len(into); i++) {
		pl_node *new;
		pl_status st = walk_pair(m, from, into, i, type, &new);
		if (!st && new)
			st = pl_add(d, map, pl_text(pl_key(into, i)), new);
		if (st)
			return st;
	}
	*out = map;
	return PL_OK;
}

/* Which of the patch's pairs the object has too. Freed by the caller. */
static bool *shared_pairs(const pl_node *into, const pl_node *from)
{
	struct key_index ours;
	bool *shared = calloc(pl_len(from) + 1, sizeof(*shared));
	if (!shared)
		abort();
	if (pl_len(from) > SHORT_PATCH)
		index_new(&ours, into);
	else
		ours = (struct key_index){.map = into};
	for (size_t i = 0; i < pl_len(from); i++)
		shared[i] = index_get(&ours, pl_text(pl_key(from, i))) != NULL;
	free(ours.slots);
	return shared;
}

/* The pairs that only the patch has. */
static pl_status walk_new(struct merge *m, const bool *shared, const pl_node *from, enum directive said, pl_type type,
			  pl_node *map)
{
	for (size_t i = 0; i < pl_len(from); i++) {
		pl_str key = pl_text(pl_key(from, i));
		pl_node *new;
		if (shared[i] || (said == DIRECTIVE_MERGE && str_is(key, DIRECTIVE_KEY)))
			continue;
		pl_status st = walk_field(m, key, NULL, pl_value(from, i), type, &new);
		if (!st && new)
			st = pl_add(m->b->doc, map, key, new);
		if (st)
			return st;
	}
	return PL_OK;
}

/* A long map and a short patch: nothing changes but what the patch names. */
static bool few_changes(const pl_node *into, const pl_node *from)
{
	if (from == into || pl_len(from) > SHORT_PATCH)
		return false;
	for (size_t i = 0; i < pl_len(into); i++)
		if (restless(pl_value(into, i)))
			return false;
	return true;
}

static pl_status walk_fields(struct merge *m, pl_node *into, const pl_node *from, enum directive said, pl_type type,
			     pl_node **out)
{
	bool *shared = from && from != into ? shared_pairs(into, from) : NULL;
	struct key_index theirs = {.map = from};
	if (shared)
		index_new(&theirs, from);
	*out = into;
	bool anew = pl_len(into) > SMALL_MAP && !few_changes(into, from);
	pl_status st = anew ? walk_anew(m, &theirs, into, type, out) : walk_in_place(m, &theirs, into, type);
	if (!st && shared)
		st = walk_new(m, shared, from, said, type, *out);
	free(theirs.slots);
	free(shared);
	return st;
}

/* A part of the patch that the object takes over: copied, without its directives and nulls. */
static pl_status take_over(struct merge *m, pl_node *into, const pl_node *from, enum directive said, pl_type type,
			   pl_node **out)
{
	pl_doc *d = m->b->doc;
	pl_node *n = from == into ? into : pl_copy(d, d, from);
	if (said == DIRECTIVE_REPLACE || said == DIRECTIVE_MERGE)
		(void)pl_remove(d, n, S(DIRECTIVE_KEY));
	return walk_fields(m, n, n, said, type, out);
}

static pl_status walk_map(struct merge *m, pl_node *into, const pl_node *from, pl_type type, pl_node **out)
{
	enum directive said = directive_read(from);
	*out = NULL;
	if (said == DIRECTIVE_DELETE || (from && merge_is_null(from)))
		return PL_OK;
	if (merge_is_null(into)) {
		/* here an unknown directive is a field like others */
		if (from)
			return take_over(m, NULL, from, said, type, out);
		*out = pl_text(into).n ? into : NULL;
		return PL_OK;
	}
	if (said == DIRECTIVE_UNKNOWN)
		return directive_unknown(m, from);
	if (said == DIRECTIVE_REPLACE || from == into)
		return take_over(m, into, from, said, type, out);
	return walk_fields(m, into, from, said, type, out);
}

/* ---- any value ---- */

/* Objects within objects have the schema of their own kind. */
static pl_type type_of(struct merge *m, pl_type type, const pl_node *into, const pl_node *from)
{
	const pl_node *const sides[] = {into, from};
	for (size_t i = 0; i < 2 && !pl_type_known(type); i++) {
		if (pl_kind(sides[i]) != PL_MAP)
			continue;
		struct gvk g = gvk_of(sides[i]);
		if (g.kind.n && g.version.n)
			type = pl_types_kind(m->b->types, g.group, g.version, g.kind);
	}
	return type;
}

static int shape(const pl_node *n)
{
	int kind = pl_kind(n);
	return kind == PL_MAP || kind == PL_LIST ? kind : PL_STRING;
}

static pl_status wrong_shape(struct merge *m, const pl_node *into, const pl_node *from)
{
	static const char *const names[] = {[PL_STRING] = "a scalar", [PL_LIST] = "a list", [PL_MAP] = "a map"};
	return fail(m->b, PL_EINVAL, from, "wrong kind of value for '%.*s': the object has %s, the patch %s",
		    F(path_text(m, m->at)), names[shape(into)], names[shape(from)]);
}

pl_status merge_walk(struct merge *m, pl_node *into, const pl_node *from, pl_type type, pl_node **out)
{
	const pl_node *first = merge_is_null(into) ? from : into;
	if (shape(into) != PL_STRING && !pl_len(into) && !merge_is_null(from))
		pl_set_style(into, shape(from) == PL_STRING ? PL_STYLE_BLOCK : pl_style(from));
	type = type_of(m, type, into, from);
	if (merge_is_null(first))
		return walk_map(m, into, from, type, out);
	if (!merge_is_null(from) && shape(from) != shape(first)) {
		if (!m->any_kind)
			return wrong_shape(m, into, from);
		*out = pl_copy(m->b->doc, m->b->doc, from);
		return PL_OK;
	}
	if (shape(first) == PL_MAP)
		return walk_map(m, into, from, type, out);
	if (shape(first) == PL_LIST)
		return merge_list(m, into, from, type, out);
	*out = !from || from == into ? into : merge_is_null(from) ? NULL : scalar_over(m, into, from);
	return PL_OK;
}

/* ---- objects ---- */

static pl_status merge_object(struct merge *m, pl_node **object, const pl_node *patch)
{
	pl_node *out;
	if (directive_read(patch) == DIRECTIVE_REPLACE) {
		m->b->h->log(m->b->h->ctx, PL_LOG_WARN,
			     S("'$patch: replace' at the top of a patch has no effect; put it into the fields that are "
			       "to be replaced"));
		return PL_OK;
	}
	pl_status st = merge_walk(m, *object, patch, (pl_type){NULL, 0, 0}, &out);
	if (!st)
		*object = pl_len(out) ? out : NULL;
	return st;
}

pl_status merge_patch(struct build *b, pl_node **object, const pl_node *patch)
{
	struct merge m = {.b = b};
	return merge_object(&m, object, patch);
}

pl_status merge_patch_any_kind(struct build *b, pl_node **object, const pl_node *patch)
{
	struct merge m = {.b = b, .any_kind = true};
	return merge_object(&m, object, patch);
}
