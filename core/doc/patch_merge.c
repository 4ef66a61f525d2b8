/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Merge Patch, RFC 7396. Cost follows the patch and the maps that it names, not the document. */
#include "core/doc/node.h"

#include "core/base/mem.h"

/* A map of the document and what is to be merged into it. */
struct merge {
	pl_node *into;
	const pl_node *patch;
};

struct merging {
	pl_doc *d;
	const pl_doc *pd;
	struct merge *v; /* still to be done */
	size_t n, cap;
};

static void push(struct merging *m, pl_node *into, const pl_node *patch)
{
	m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof(*m->v));
	m->v[m->n++] = (struct merge){into, patch};
}

/* An empty map in the place of the patch's. */
static pl_node *map_like(struct merging *m, const pl_node *patch)
{
	pl_node *map = pl_new_map(m->d);

	pl_set_at(m->d, map, m->pd, patch);
	pl_set_style(map, pl_style(patch));
	return map;
}

/* What stands where old was. A map's nulls are left out even where there was nothing to remove. */
static pl_node *merged(struct merging *m, pl_node *old, const pl_node *patch)
{
	if (node_kind(patch) != PL_MAP)
		return pl_copy(m->d, m->pd, patch);
	if (!old || node_kind(old) != PL_MAP)
		old = map_like(m, patch);
	push(m, old, patch);
	return old;
}

/* Takes the pairs out whose value is gone, keeping order. */
static void drop_gone(pl_node *map)
{
	pl_node **kids = map->u.kids;
	size_t i, n = 0;

	for (i = 0; i < map->len; i++) {
		if (!kids[2 * i + 1])
			continue;
		kids[2 * n] = kids[2 * i];
		kids[2 * n + 1] = kids[2 * i + 1];
		n++;
	}
	map->len = (uint32_t)n;
}

static void merge_map(struct merging *m, pl_node *into, const pl_node *patch)
{
	size_t *at = mem_alloc(patch->len * sizeof(*at) + 1), i;
	bool gone = false;
	struct finder f;

	/* All are looked up before anything moves. */
	finder_init(&f, into);
	for (i = 0; i < patch->len; i++)
		at[i] = finder_find(&f, patch->u.kids[2 * i]);
	finder_free(&f);
	for (i = 0; i < patch->len; i++) {
		const pl_node *key = patch->u.kids[2 * i], *value = patch->u.kids[2 * i + 1];
		pl_node **old = at[i] == SIZE_MAX ? NULL : &into->u.kids[2 * at[i] + 1];

		if (node_kind(value) != PL_NULL) {
			pl_node *result = merged(m, old ? *old : NULL, value);

			if (old)
				*old = result;
			else
				doc_map_add(m->d, into, pl_copy(m->d, m->pd, key), result);
		} else if (old) {
			*old = NULL;
			gone = true;
		}
	}
	if (gone)
		drop_gone(into);
	free(at);
}

pl_status pl_patch_merge(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_err *e)
{
	struct merging m = {.d = d, .pd = pd};
	struct merge top;

	if (!patch)
		return pl_err_set(e, PL_EINVAL, NOWHERE, "there is no patch");
	if (d->frozen || (*root && ((*root)->meta & NODE_FROZEN)))
		return pl_err_set(e, PL_EDENIED, pl_at(d, *root), "the document is frozen");
	*root = merged(&m, *root, patch);
	while (m.n > 0) {
		top = m.v[--m.n];
		merge_map(&m, top.into, top.patch);
	}
	free(m.v);
	return PL_OK;
}
