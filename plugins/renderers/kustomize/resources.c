/* SPDX-License-Identifier: Apache-2.0 */
/* Texts to resources. */
#include "kustomize.h"

/* null, {} and [] are what a reader has left of an empty document. */
static bool is_nothing(const pl_node *n)
{
	int kind = pl_kind(n);
	return kind < 0 || kind == PL_NULL || ((kind == PL_MAP || kind == PL_LIST) && !pl_len(n));
}

struct queue {
	pl_node **v;
	uint32_t n, cap;
};

static void push(struct build *b, struct queue *q, pl_node *n)
{
	if (is_nothing(n))
		return;
	q->v = arena_grow(b->mem, q->v, q->n, &q->cap, sizeof(*q->v));
	q->v[q->n++] = n;
}

static pl_status not_a_resource(struct build *b, const pl_node *n)
{
	return fail(b, PL_EINVAL, n, "a resource must be a map with 'apiVersion', 'kind' and 'metadata', not %s",
		    pl_kind(n) == PL_LIST ? "a list" : "a scalar");
}

/* The items of a list of resources go behind everything that is waiting, as the reference has it. */
static pl_status open_list(struct build *b, struct queue *q, const pl_node *list, pl_str kind)
{
	const pl_node *items = pl_gets(list, "items");
	if (pl_kind(items) != PL_LIST && pl_kind(items) != PL_NULL)
		return fail(b, PL_EINVAL, items, "'items' of a %.*s must be a list", F(kind));
	for (size_t i = 0; i < pl_len(items); i++)
		push(b, q, pl_item(items, i));
	return PL_OK;
}

/*
 * The reference keeps notes among the annotations while it builds, and writes them anew at the end: what is put into
 * annotations that are null shows, as into an empty map.
 */
static void blank_annotations(struct build *b, const struct resource *r)
{
	pl_node *meta = pl_gets(r->node, "metadata");
	const pl_node *old = pl_gets(meta, "annotations");
	if (!old || pl_kind(old) != PL_NULL)
		return;
	pl_node *none = pl_new_map(b->doc);
	pl_set_at(b->doc, none, b->doc, old);
	(void)pl_sets(b->doc, meta, "annotations", none); /* the doc is ours and not frozen */
}

pl_status resources_read(struct build *b, pl_str text, const char *file, struct resmap *out)
{
	struct queue q = {NULL, 0, 0};
	pl_node **roots;
	size_t n;
	pl_status st = pl_yaml_read(b->doc, text, file, PL_SCHEMA_KUSTOMIZE, 0, &roots, &n, b->err);
	for (size_t i = 0; i < n && !st; i++)
		push(b, &q, roots[i]);
	for (uint32_t i = 0; i < q.n && !st; i++) {
		struct resource *r;
		if (pl_kind(q.v[i]) != PL_MAP)
			return not_a_resource(b, q.v[i]);
		st = resource_new(b, q.v[i], &r);
		if (!st && str_ends(r->id.gvk.kind, S("List")) && pl_gets(r->node, "items"))
			st = open_list(b, &q, r->node, r->id.gvk.kind);
		else if (!st) {
			blank_annotations(b, r);
			st = resmap_append(b, out, r);
		}
	}
	return st;
}
