/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - the reference's fixed order of kinds ("legacy"): first the ones that others need. */
#ifndef KUSTOMIZE_ORDER_H
#define KUSTOMIZE_ORDER_H

#include "kustomize.h"

struct kind_order {
	const pl_str *first, *last; /* in their order; all other kinds stand between them */
	size_t n_first, n_last;
};

extern const struct kind_order kind_order_default;

/* Negative: before the kinds without a place. Of a kind named twice the later place counts, as in the reference. */
int kind_rank(const struct kind_order *o, pl_str kind);
/* "group_version_kind" with marks for empty parts: what kinds of one rank are compared by, bytewise. */
pl_str gvk_sort_text(struct build *b, const struct gvk *g);

/* As kind_rank() and gvk_sort_text() order kinds. */
int gvk_cmp(const struct kind_order *o, const struct gvk *x, const struct gvk *y);
/* Every table in that order, by the default. */
void config_sort(struct build *b, struct config *c);

#endif
