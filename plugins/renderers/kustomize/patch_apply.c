/* SPDX-License-Identifier: Apache-2.0 */
/* patch_apply.c - one patch done to one resource, and which one that is. */
#include "merge.h"
#include "patch.h"

#include <ctype.h>
#include <strings.h>

/* ---- strategic ---- */

/* Sets a text, in the quotes that are there. */
static void set_text(struct build *b, pl_node *map, const char *key, pl_str text)
{
	const pl_node *old = pl_gets(map, key);
	if (pl_kind(old) == PL_STRING && str_eq(pl_text(old), text))
		return;
	pl_node *n = pl_new_string(b->doc, text);
	if (old)
		pl_set_style(n, pl_style(old));
	(void)pl_sets(b->doc, map, key, n); /* the doc is ours and not frozen */
}

static pl_node *metadata_of(struct build *b, pl_node *object)
{
	pl_node *meta = pl_gets(object, "metadata");
	if (pl_kind(meta) == PL_MAP)
		return meta;
	meta = pl_new_map(b->doc);
	(void)pl_sets(b->doc, object, "metadata", meta);
	return meta;
}

/* A patch does not rename an object unless it may, and never moves it to another namespace. */
static void keep_identity(struct build *b, struct resource *r, const struct patch_options *o)
{
	const struct id was = r->id;
	pl_node *meta = metadata_of(b, r->node);
	if (!o->kind_change)
		set_text(b, r->node, "kind", was.gvk.kind);
	if (!o->name_change)
		set_text(b, meta, "name", was.name);
	if (was.ns.n)
		set_text(b, meta, "namespace", was.ns);
	else
		(void)pl_remove(b->doc, meta, S("namespace"));
}

pl_status patch_merge_into(struct build *b, struct resmap *m, struct resource *r, const pl_node *patch,
			   const struct patch_options *o)
{
	pl_node *node = r->node;
	if (o->name_change || o->kind_change)
		resource_remember(b, r);
	pl_status st = o->kind_change ? merge_patch_any_kind(b, &node, patch) : merge_patch(b, &node, patch);
	if (st) {
		pl_err_in(b->err, "patch of '%.*s'", F(id_text(b, &r->id)));
		return st;
	}
	r->node = node;
	if (!node) {
		b->deleted++;
		return PL_OK;
	}
	keep_identity(b, r, o);
	resource_refresh(b, m, r);
	return PL_OK;
}

/* The map metadata.field with texts only; an empty one goes. */
static void texts_only(struct build *b, pl_node *meta, const char *field)
{
	const pl_node *map = pl_gets(meta, field);
	if (!map)
		return;
	if (pl_kind(map) != PL_MAP || !pl_len(map)) {
		(void)pl_remove(b->doc, meta, str_of(field));
		return;
	}
	pl_node *texts = pl_new_map(b->doc);
	pl_set_at(b->doc, texts, b->doc, map);
	for (size_t i = 0; i < pl_len(map); i++) {
		pl_node *value = pl_value(map, i);
		if (pl_kind(value) != PL_STRING) {
			pl_node *text = pl_new_string(b->doc, pl_text(value));
			pl_set_at(b->doc, text, b->doc, value);
			value = text;
		}
		(void)pl_add(b->doc, texts, pl_text(pl_key(map, i)), value);
	}
	(void)pl_sets(b->doc, meta, field, texts);
}

pl_node *patch_for_selected(struct build *b, const pl_node *patch, bool keep_version)
{
	pl_node *copy = pl_copy(b->doc, b->doc, patch), *meta = pl_gets(copy, "metadata");
	if (!keep_version)
		(void)pl_remove(b->doc, copy, S("apiVersion"));
	if (pl_kind(meta) == PL_MAP) {
		texts_only(b, meta, "labels");
		texts_only(b, meta, "annotations");
	}
	return copy;
}

/* ---- by the patch's own id ---- */

/* What is nearly meant: the same name elsewhere, else a name like it of the same kind. */
static void hint_target(struct build *b, const struct resmap *m, const struct id *id)
{
	enum { MOST = 256 };
	const char *names[MOST];
	size_t n = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		const struct resource *r = m->v[i];
		if (!r->node)
			continue;
		if (str_eq(r->id.name, id->name)) {
			pl_err_hint(b->err, "there is '%.*s'", F(id_text(b, &r->id)));
			return;
		}
		if (n < MOST && str_eq(r->id.gvk.kind, id->gvk.kind))
			names[n++] = arena_dup(b->mem, r->id.name).p;
	}
	const char *near = str_nearest(id->name, names, n);
	if (near)
		pl_err_hint(b->err, "did you mean '%s'?", near);
}

pl_status patch_target(struct build *b, struct resmap *m, const struct resource *patch, struct resource **out)
{
	struct resource *const *named;
	size_t n = resmap_named(b, m, patch->id.name, &named), found = 0;
	for (size_t i = 0; i < n; i++) {
		if (!named[i]->node || !resource_had_id(named[i], &patch->id))
			continue;
		*out = named[i];
		found++;
	}
	if (found == 1)
		return PL_OK;
	if (found)
		return fail(b, PL_EINVAL, patch->node,
			    "multiple matches for '%.*s': %zu resources are or were called so",
			    F(id_text(b, &patch->id)), found);
	fail(b, PL_ENOTFOUND, patch->node, "no resource matches the strategic merge patch of '%.*s'",
	     F(id_text(b, &patch->id)));
	hint_target(b, m, &patch->id);
	return PL_ENOTFOUND;
}

/* ---- operations ---- */

/* Words that a YAML reader of some kind takes for something else than a text. */
static bool is_word_of_yaml(pl_str s)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (s.n == strlen(words[i]) && !strncasecmp(s.p, words[i], s.n))
			return true;
	return false;
}

static bool needs_no_quotes(pl_str s)
{
	if (!s.n || s.p[s.n - 1] == ' ' || is_word_of_yaml(s))
		return false;
	size_t first = s.n > 1 && s.p[0] == '-';
	if (!isalpha((unsigned char)s.p[first]) && s.p[0] != '/')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr(" _./-", s.p[i] ? s.p[i] : '"'))
			return false;
	return true;
}

static pl_node *as_json_has_it(struct build *b, pl_node *n, bool flow);

static pl_node *blank_null(struct build *b, const pl_node *n, bool flow)
{
	bool text = flow && !pl_tag(b->doc, n).n;
	pl_node *new = text ? pl_new_string(b->doc, S("")) : pl_new_null(b->doc);
	pl_set_at(b->doc, new, b->doc, n);
	return new;
}

static void children_as_json_has_them(struct build *b, pl_node *n, bool flow)
{
	bool list = pl_kind(n) == PL_LIST;
	for (size_t i = 0; i < pl_len(n); i++) {
		pl_node *old = list ? pl_item(n, i) : pl_value(n, i), *new = as_json_has_it(b, old, flow);
		if (new == old)
			continue;
		if (list)
			(void)pl_set_item(b->doc, n, i, new); /* the doc is ours and not frozen */
		else
			(void)pl_set(b->doc, n, pl_text(pl_key(n, i)), new);
	}
}

/*
 * The reference sends an object through JSON to patch it. That takes away quotes that are not needed, braces, and nulls
 * that say nothing, all of which a later strategic patch looks at.
 */
static pl_node *as_json_has_it(struct build *b, pl_node *n, bool flow)
{
	switch (pl_kind(n)) {
	case PL_LIST:
	case PL_MAP:
		children_as_json_has_them(b, n, flow || pl_style(n) == PL_STYLE_FLOW);
		pl_set_style(n, PL_STYLE_BLOCK);
		return n;
	case PL_NULL:
		return pl_text(n).n ? n : blank_null(b, n, flow);
	case PL_STRING:
		pl_set_style(n, needs_no_quotes(pl_text(n)) ? PL_STYLE_PLAIN : PL_STYLE_DOUBLE);
		return n;
	default:
		return n;
	}
}

/* The annotations as a whole are written or taken out. The reference keeps origins in them: they are gone then. */
static bool takes_annotations(const pl_node *operations)
{
	for (size_t i = 0; i < pl_len(operations); i++) {
		const pl_node *o = pl_item(operations, i);
		pl_str path = pl_text(pl_gets(o, "path"));
		if (!str_is(pl_text(pl_gets(o, "op")), "test") &&
		    (!path.n || str_is(path, "/metadata") || str_is(path, "/metadata/annotations")))
			return true;
	}
	return false;
}

/* The reference keeps in annotations what else it knows of a resource: operations find the map there then. */
static void show_annotations(struct build *b, const struct resource *r, pl_node *object)
{
	bool known = r->n_previous || r->prefixes.n || r->suffixes.n || r->needs_hash || r->behavior || r->origin;
	pl_node *meta = pl_gets(object, "metadata");
	if (known && pl_kind(meta) == PL_MAP && pl_kind(pl_gets(meta, "annotations")) != PL_MAP)
		(void)pl_sets(b->doc, meta, "annotations", pl_new_map(b->doc)); /* the doc is ours and not frozen */
}

pl_status patch_operate(struct build *b, struct resmap *m, struct resource *r, const pl_node *operations)
{
	pl_node *node = r->shares ? pl_copy(b->doc, b->doc, r->node) : r->node;
	pl_status st = pl_field_form(b->doc, node, b->err);
	if (!st) {
		node = as_json_has_it(b, node, false);
		show_annotations(b, r, node);
		st = operations_do(b, &node, operations);
	}
	if (st) {
		pl_err_in(b->err, "patch of '%.*s'", F(id_text(b, &r->id)));
		return st;
	}
	r->node = as_json_has_it(b, node, false);
	r->shares = false;
	if (r->origin && takes_annotations(operations))
		r->origin = NULL;
	pl_node *meta = pl_gets(node, "metadata");
	if (pl_kind(meta) == PL_MAP)
		texts_only(b, meta, "annotations");
	resource_refresh(b, m, r);
	return PL_OK;
}
