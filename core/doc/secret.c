/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets fit to be shown: whether a value changed can be seen, what it is cannot, not even how long it is. */
#include "core/doc/identity.h"
#include "core/doc/node.h"

#define MARK	     "++++++++"
#define MARK_CHANGED MARK "++++"

/* kubectl's, holds the whole object again. */
static const char *const last_applied = "kubectl.kubernetes.io/last-applied-configuration";

static pl_node *mark(pl_doc *d, const pl_node *old, bool changed)
{
	pl_node *n = pl_new_string(d, changed ? S(MARK_CHANGED) : S(MARK));

	pl_set_at(d, n, d, old);
	return n;
}

/* Marks each value of b's map, looking at a's, then each of a's. */
static void mask_maps(pl_doc *d, pl_node *a, pl_node *b)
{
	struct finder f;
	size_t i, j;

	finder_init(&f, a);
	for (i = 0; i < b->len; i++) {
		pl_node **value = &b->u.kids[2 * i + 1];

		j = finder_find(&f, b->u.kids[2 * i]);
		*value = mark(d, *value, j != SIZE_MAX && !pl_equal(a->u.kids[2 * j + 1], *value));
	}
	finder_free(&f);
	for (i = 0; i < a->len; i++)
		a->u.kids[2 * i + 1] = mark(d, a->u.kids[2 * i + 1], false);
}

/* The field of a and b, copies in d. Whatever is no map as it should be is replaced whole. */
static void mask_field(pl_doc *d, pl_node *a, pl_node *b, pl_str field)
{
	pl_node *none = pl_new_map(d), *x = pl_get(a, field), *y = pl_get(b, field);
	bool x_map = pl_kind(x) == PL_MAP, y_map = pl_kind(y) == PL_MAP;

	if (x_map || y_map)
		mask_maps(d, x_map ? x : none, y_map ? y : none);
	if (y && !y_map && pl_kind(y) != PL_NULL)
		pl_set(d, b, field, mark(d, y, x && !x_map && !pl_equal(x, y)));
	if (x && !x_map && pl_kind(x) != PL_NULL)
		pl_set(d, a, field, mark(d, x, false));
}

/*
 * The fields of a Secret that hold nothing secret. All others are masked, also those that no Secret has: a misspelt
 * 'stringdata' holds what was meant for stringData.
 */
static bool is_open_field(pl_str key)
{
	static const pl_str fields[] = {S_INIT("apiVersion"), S_INIT("kind"), S_INIT("metadata"), S_INIT("type"),
					S_INIT("immutable")};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (str_eq(key, fields[i]))
			return true;
	return false;
}

static void mask_fields(pl_doc *d, pl_node *a, pl_node *b)
{
	for (size_t i = 0; i < pl_len(a); i++) {
		pl_str key = pl_text(pl_key(a, i));

		if (!is_open_field(key))
			mask_field(d, a, b, key);
	}
	for (size_t i = 0; i < pl_len(b); i++) {
		pl_str key = pl_text(pl_key(b, i));

		if (!is_open_field(key) && !pl_get(a, key))
			mask_field(d, a, b, key);
	}
}

static pl_node *shown_copy(pl_doc *d, const pl_doc *from, const pl_node *n)
{
	pl_node *copy = pl_copy(d, from, n), *annotations = pl_gets(pl_gets(copy, "metadata"), "annotations");

	if (pl_kind(annotations) == PL_MAP)
		(void)pl_remove(d, annotations, str_of(last_applied)); /* mostly absent */
	return copy;
}

void secret_mask(pl_doc *d, const pl_doc *da, const pl_node *a, const pl_doc *db, const pl_node *b, pl_node **masked_a,
		 pl_node **masked_b)
{
	*masked_a = shown_copy(d, da, a);
	*masked_b = shown_copy(d, db, b);
	mask_fields(d, *masked_a, *masked_b);
}
