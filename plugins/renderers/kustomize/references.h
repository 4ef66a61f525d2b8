/* SPDX-License-Identifier: Apache-2.0 */
/* references.h - many field specs walked at once, and resources by the names that they had. */
#ifndef KUSTOMIZE_REFERENCES_H
#define KUSTOMIZE_REFERENCES_H

#include "kustomize.h"

/*
 * Field specs of many kinds. What concerns one kind becomes a tree of steps, so that an object is gone through once,
 * however many specs there are.
 */
struct spec_forest;
struct spec_tree;

struct spec_forest *forest_new(struct build *b);
/* payload: given back for each field. Fields of one place come in the order of adding. */
void forest_add(struct build *b, struct spec_forest *f, const struct fieldspec *spec, const void *payload);
const struct spec_tree *forest_tree(struct build *b, struct spec_forest *f, const struct gvk *g);

/* *slot is never null there; it may be replaced. */
typedef pl_status (*leaf_fn)(struct build *b, void *ctx, const struct fieldspec *spec, const void *payload,
			     pl_node **slot);
pl_status tree_walk(struct build *b, const struct spec_tree *t, pl_node *object, leaf_fn leaf, void *ctx);

/* ---- who was called so ---- */

enum ns_of { NS_ANY, NS_CURRENT, NS_ORIGINAL };

struct buckets;
struct candidates { /* in the map's order */
	struct resource **v;
	uint32_t n, cap;
	struct buckets *prefixes, *suffixes; /* of a long list, by the outermost one; see names_bucket() */
};

struct names;
struct names *names_new(struct build *b, struct resmap *m);
/* Those that were called name and were of the kind (empty: any) at some time, and are or began in ns. */
struct candidates *names_find(struct build *b, struct names *x, pl_str name, pl_str kind, enum ns_of which, pl_str ns);
/* Those of l whose outermost prefix, or suffix, is affix; empty: that have none. */
const struct candidates *names_bucket(struct build *b, struct candidates *l, bool prefix, pl_str affix);
/* The effective namespace now and at first. */
pl_str names_ns(const struct names *x, const struct resource *r, enum ns_of which);
bool names_cluster(const struct names *x, const struct resource *r);
/* Some resource began in original and is in current now (NULL: anywhere); cluster-scoped ones count nowhere. */
bool names_moved(const struct names *x, pl_str original, const pl_str *current);

#endif
