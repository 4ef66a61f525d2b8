/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.h - what the two halves of the strategic merge share.
 *
 * A value of the object (`into`) and one of the patch (`from`) are walked side by side; either may be absent. The same
 * node on both sides is a part of the patch that the object did not have: it was copied in and is put in order by
 * walking it with itself, which takes out its directives and nulls.
 */
#ifndef KUSTOMIZE_MERGE_H
#define KUSTOMIZE_MERGE_H

#include "kustomize.h"

#define DIRECTIVE_KEY "$patch"

enum directive { DIRECTIVE_NONE, DIRECTIVE_MERGE, DIRECTIVE_REPLACE, DIRECTIVE_DELETE, DIRECTIVE_UNKNOWN };

/* The field that is walked, for errors. */
struct merge_step {
	const struct merge_step *outer;
	pl_str name;
};

struct merge {
	struct build *b;
	bool any_kind; /* a map may replace a list, a scalar a map …; else that is an error */
	const struct merge_step *at;
};

/* merge_patch() for patches with the option allowKindChange. */
pl_status merge_patch_any_kind(struct build *b, pl_node **object, const pl_node *patch);

/* *out becomes the merged value, NULL when there is none any more. */
pl_status merge_walk(struct merge *m, pl_node *into, const pl_node *from, pl_type type, pl_node **out);
/* The same for two lists (or one). merge_list.c */
pl_status merge_list(struct merge *m, pl_node *into, const pl_node *from, pl_type type, pl_node **out);

bool merge_is_null(const pl_node *n); /* absent or null */
enum directive directive_read(const pl_node *map);
pl_status directive_unknown(struct merge *m, const pl_node *map);

#endif
