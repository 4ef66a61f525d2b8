/* SPDX-License-Identifier: Apache-2.0 */
/* vars.h - what the files of vars share. */
#ifndef KUSTOMIZE_VARS_H
#define KUSTOMIZE_VARS_H

#include "kustomize.h"

struct var_value {
	const struct var *var;
	pl_node *value; /* a single one; NULL for a list or a map, which nothing can be replaced by */
	pl_str text;	/* value within another text */
	bool used;
};

/* Sorted by name. */
struct var_values {
	struct var_value *v;
	uint32_t n;
};

struct var_value *var_find(struct var_values *l, pl_str name);

/*
 * The text n with its vars put in: a text, or the var's own kind of value where nothing else stands beside it. *out is
 * NULL when nothing changes.
 */
pl_status vars_expand(struct build *b, struct var_values *vars, const pl_node *n, pl_node **out);

#endif
