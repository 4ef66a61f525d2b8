/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - buildMetadata: where resources came from, and what has changed them. */
#ifndef KUSTOMIZE_ORIGIN_H
#define KUSTOMIZE_ORIGIN_H

#include "load.h"

struct place; /* a file, a generator or a transformer; immutable */

struct origin {			  /* of one resource */
	const struct place *from; /* NULL: not known yet */
	const struct place **changed_by;
	uint32_t n, cap;
};

/* Where the build starts, when its kustomization asks for buildMetadata; else NULL. All below take NULL for "no". */
const struct place *place_top(struct build *b, const struct target *top);
const struct place *place_below(struct build *b, const struct place *p, pl_str path);
/* A built-in generator or transformer that fields of t's file ask for. */
const struct place *place_builtin(struct build *b, const struct target *t, const char *kind);
/* A generator or transformer by its own configuration. */
const struct place *place_config(struct build *b, const struct resource *config);

void origin_set(struct build *b, struct resource *r, const struct place *p);
/* r takes the place of old: a merge keeps where old came from. */
void origin_take_over(struct build *b, struct resource *r, const struct resource *old, bool merge);
/* All of m that are not known yet come from p. */
void origin_generated(struct build *b, struct resmap *m, const struct place *p);
/* p has worked on all of m. */
void origin_transformed(struct build *b, struct resmap *m, const struct place *p);

/* What was told of one resource: the next one mostly has the same to tell. Zeroed at first. */
struct origin_told {
	const struct origin *of;
	const pl_node *changed_by; /* its text */
};

/* The annotations that the top's buildMetadata asks for, into r's annotations (a map). */
pl_status origin_annotate(struct build *b, const struct target *top, const struct resource *r, pl_node *annotations,
			  struct origin_told *last);
bool build_metadata_has(const struct target *top, const char *option);

#endif
