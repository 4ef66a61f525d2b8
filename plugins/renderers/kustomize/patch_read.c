/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patch_read.c - what a patch's text holds: objects to merge, or a list of operations.
 *
 * A text is parsed once. Operations are read as kustomization files are (yes is true), objects as resources are.
 */
#include "patch.h"

const char *patch_inline_name(struct build *b, const pl_node *text)
{
	pl_place at = pl_at(b->doc, text);
	if (!at.file)
		return "patch";
	return arena_printf(b->mem, "%s:%u (patch)", at.file, at.line).p;
}

/* ---- operations ---- */

static pl_status check_operations(struct build *b, const pl_node *list)
{
	for (size_t i = 0; i < pl_len(list); i++)
		if (pl_kind(pl_item(list, i)) != PL_MAP)
			return fail(b, PL_EINVAL, pl_item(list, i), "JSON patch: an operation must be a map");
	return PL_OK;
}

/* Operations come through JSON: what stands in brackets there is like all else, and no value is null. */
static void no_brackets(pl_node *n)
{
	bool map = pl_kind(n) == PL_MAP;
	if (!map && pl_kind(n) != PL_LIST)
		return;
	pl_set_style(n, PL_STYLE_BLOCK);
	for (size_t i = 0; i < pl_len(n); i++)
		no_brackets(map ? pl_value(n, i) : pl_item(n, i));
}

static pl_status read_operations(struct build *b, pl_node *list, struct patch *out)
{
	pl_status st = pl_resolve(b->doc, list, PL_SCHEMA_YAML11, b->err);
	if (!st)
		st = check_operations(b, list);
	no_brackets(list);
	out->operations = list;
	return st;
}

/* ---- objects ---- */

static pl_status add_object(struct build *b, pl_node *root, struct patch *out)
{
	struct resource *r;
	const pl_node *items = pl_gets(root, "items");
	pl_status st = PL_OK;
	if (pl_kind(items) == PL_LIST && str_ends(pl_text(pl_gets(root, "kind")), S("List"))) {
		for (size_t i = 0; i < pl_len(items) && !st; i++)
			st = add_object(b, pl_item(items, i), out);
		return st;
	}
	st = resource_new(b, root, &r);
	if (st)
		return st;
	out->strategic = arena_grow(b->mem, out->strategic, out->n, &out->cap, sizeof(struct resource *));
	out->strategic[out->n++] = r;
	return PL_OK;
}

static pl_status read_objects(struct build *b, pl_node *const *roots, size_t n, struct patch *out)
{
	for (size_t i = 0; i < n; i++) {
		pl_status st = pl_resolve(b->doc, roots[i], PL_SCHEMA_KUSTOMIZE, b->err);
		if (!st && pl_kind(roots[i]) != PL_NULL && !(pl_kind(roots[i]) == PL_MAP && !pl_len(roots[i])))
			st = add_object(b, roots[i], out);
		if (st)
			return st;
	}
	return PL_OK;
}

/* ---- either ---- */

static pl_status not_this(struct build *b, pl_status st)
{
	pl_err_in(b->err, "unable to parse a strategic merge patch or a JSON patch");
	return st;
}

static pl_status wrong_form(struct build *b, const pl_node *root, enum patch_form form)
{
	if (form == PATCH_JSON)
		return fail(b, PL_EINVAL, root, "a JSON patch must be a list of operations");
	return fail(b, PL_EINVAL, root, "a strategic merge patch must be an object, not a list");
}

pl_status patch_read(struct build *b, pl_str text, const char *file, enum patch_form form, struct patch *out)
{
	pl_node **roots, *list;
	size_t n, first = 0;
	pl_status st;
	*out = (struct patch){NULL, 0, 0, NULL};
	if (form != PATCH_STRATEGIC && str_starts(text, S("["))) {
		st = pl_json_read(b->doc, text, file, 0, &list, b->err);
		if (!st)
			st = read_operations(b, list, out);
		return st ? not_this(b, st) : PL_OK;
	}
	st = pl_yaml_read(b->doc, text, file, PL_SCHEMA_NONE, 0, &roots, &n, b->err);
	if (st)
		return not_this(b, st);
	while (first < n && (pl_kind(roots[first]) == PL_NULL))
		first++;
	if (first == n)
		return PL_OK;
	bool is_list = pl_kind(roots[first]) == PL_LIST;
	if (form != PATCH_ANY && is_list != (form == PATCH_JSON))
		return wrong_form(b, roots[first], form);
	st = is_list ? read_operations(b, roots[first], out) : read_objects(b, roots, n, out);
	return st ? not_this(b, st) : PL_OK;
}
