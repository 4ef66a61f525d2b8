/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of plan share. */
#ifndef ENGINE_PLAN_PARTS_H
#define ENGINE_PLAN_PARTS_H

#include "core/engine/plan.h"

/* All that is known of one object. */
struct plan_cell {
	const pl_ref *ref;
	const struct plan_desired *desired;
	const struct live *live;
	const struct store_item *item;
	const struct plan_owner *owner;
};

/* The cells of all inputs, sorted by ref (plan_pair.c). Duplicates in desired become warnings. */
struct plan_cell *plan_pair(struct arena *a, const struct plan_desired *desired, size_t n_desired,
			    const struct live *live, size_t n_live, const struct store_item *inventory,
			    size_t n_inventory, const struct plan_owner *owners, size_t n_owners, size_t *n,
			    struct plan *out);

/* An annotation's text; empty when absent. */
pl_str plan_annotation(const pl_node *object, const char *key);
/* Is value one of the items of a comma-separated list? */
bool plan_list_has(pl_str list, pl_str value);
bool plan_selected(const struct plan_policy *policy, const pl_ref *ref);

/*
 * Decides which prune candidates go (plan_prune.c): rows that stand as PLAN_NOT_DESIRED with PLAN_DELETE are turned
 * into PLAN_PRUNE_* where something holds them back. n_inventory is how many objects the application has live or should
 * have.
 */
void plan_prune(struct arena *a, pl_str app, struct plan *p, const struct plan_policy *policy, size_t n_inventory,
		size_t n_desired);

#endif
