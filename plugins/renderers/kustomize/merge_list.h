/* SPDX-License-Identifier: Apache-2.0 */
/* merge_list.h - the items of two lists, and by what they are told apart. */
#ifndef KUSTOMIZE_MERGE_LIST_H
#define KUSTOMIZE_MERGE_LIST_H

#include "merge.h"

enum { KEYS_MAX = 8 };

struct items {
	pl_node **v;
	size_t n;
};

struct merge_keys {
	pl_str names[KEYS_MAX];
	size_t n;
	bool set; /* the items are scalars, each its own key */
};

pl_str keys_value(const struct merge_keys *k, const pl_node *item, size_t i);

/*
 * Lists with items that lack one of their keys; ours and theirs may be one. at: for places. The result is appended to
 * list.
 */
pl_status merge_odd(struct merge *m, const struct merge_keys *k, struct items *ours, const struct items *theirs,
		    const pl_node *at, pl_type type, pl_node *list);

#endif
