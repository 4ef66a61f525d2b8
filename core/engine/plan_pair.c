/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairing: every input is thrown into one list, sorted by what makes an object itself; what stands together is one
 * object. O(n log n), and the same input always gives the same order.
 */
#include "core/engine/plan_parts.h"

enum part { PART_DESIRED, PART_LIVE, PART_ITEM, PART_OWNER };

struct entry {
	const pl_ref *ref;
	enum part part;
	const void *what;
	size_t index; /* keeps the order of input among equals */
};

static int entry_cmp(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int c = ref_cmp(a->ref, b->ref);

	return c ? c : (a->index > b->index) - (a->index < b->index);
}

static pl_str place_print(struct arena *a, pl_place at)
{
	return at.file ? arena_printf(a, "%s:%u:%u", at.file, at.line, at.col) : S("an unknown place");
}

static void warn_duplicate(struct arena *a, struct plan *p, const struct plan_desired *first,
			   const struct plan_desired *second)
{
	struct buf name = BUF_INIT(4096);
	pl_str at_first = place_print(a, first->at);
	pl_str at_second = place_print(a, second->at);

	ref_print(&second->ref, &name);
	p->warnings[p->n_warnings++] =
		arena_printf(a, "%.*s: '%.*s' is defined twice: this one is used, not the one at %.*s", F(at_second),
			     F(buf_str(&name)), F(at_first));
	buf_free(&name);
}

static void cell_add(struct arena *a, struct plan *p, struct plan_cell *c, const struct entry *e)
{
	const struct live *live;

	switch (e->part) {
	case PART_DESIRED:
		if (c->desired)
			warn_duplicate(a, p, c->desired, e->what);
		c->desired = e->what;
		c->ref = e->ref; /* desired's version is the one to apply */
		return;
	case PART_LIVE:
		live = e->what;
		if (!c->live ||
		    (c->live->status && !live->status)) /* observed and found by a scan: what was seen counts */
			c->live = live;
		return;
	case PART_ITEM:
		c->item = e->what;
		return;
	case PART_OWNER:
		c->owner = e->what;
		return;
	}
}

static size_t collect(struct entry *v, const struct plan_desired *desired, size_t n_desired, const struct live *live,
		      size_t n_live, const struct store_item *inventory, size_t n_inventory,
		      const struct plan_owner *owners, size_t n_owners)
{
	size_t n = 0;

	for (size_t i = 0; i < n_desired; i++, n++)
		v[n] = (struct entry){&desired[i].ref, PART_DESIRED, &desired[i], n};
	for (size_t i = 0; i < n_live; i++, n++)
		v[n] = (struct entry){&live[i].ref, PART_LIVE, &live[i], n};
	for (size_t i = 0; i < n_inventory; i++, n++)
		v[n] = (struct entry){&inventory[i].ref, PART_ITEM, &inventory[i], n};
	for (size_t i = 0; i < n_owners; i++, n++)
		v[n] = (struct entry){&owners[i].ref, PART_OWNER, &owners[i], n};
	return n;
}

struct plan_cell *plan_pair(struct arena *a, const struct plan_desired *desired, size_t n_desired,
			    const struct live *live, size_t n_live, const struct store_item *inventory,
			    size_t n_inventory, const struct plan_owner *owners, size_t n_owners, size_t *n,
			    struct plan *out)
{
	size_t max = n_desired + n_live + n_inventory + n_owners;
	struct entry *v = arena_array(a, max + 1, sizeof(*v));
	struct plan_cell *cells = arena_array(a, max + 1, sizeof(*cells));
	size_t n_cells = 0;

	out->warnings = arena_array(a, n_desired + 1, sizeof(*out->warnings));
	collect(v, desired, n_desired, live, n_live, inventory, n_inventory, owners, n_owners);
	qsort(v, max, sizeof(*v), entry_cmp);
	for (size_t i = 0; i < max; i++) {
		if (i == 0 || ref_cmp(v[i].ref, v[i - 1].ref) != 0)
			cells[n_cells++].ref = v[i].ref;
		cell_add(a, out, &cells[n_cells - 1], &v[i]);
	}
	*n = n_cells;
	return cells;
}
