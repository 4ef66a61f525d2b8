/* SPDX-License-Identifier: Apache-2.0 */
/* accumulate.h - kustomizations to resources. */
#ifndef KUSTOMIZE_ACCUMULATE_H
#define KUSTOMIZE_ACCUMULATE_H

#include "kustomization.h"
#include "origin.h"

struct accumulator {
	struct resmap *m;
	const struct config *config;  /* NULL: none yet. Shared; a merge makes a copy */
	const struct config *settled; /* one that merging it into an empty one would not change */
	struct vars vars;
};

/* All of a target: its resources with everything done to them but what is done once, at the end. */
pl_status accumulate_target(struct build *b, struct target *t, struct accumulator *acc);
/* The files and folders that list names. */
pl_status accumulate_paths(struct build *b, struct target *t, const pl_node *list, struct accumulator *acc);
/* The schema that t's openapi: asks for, when it is the first of the build. */
pl_status openapi_read(struct build *b, struct target *t);

/* ---- the kustomization's own fields (fields.c) ---- */

pl_status fields_generate(struct build *b, struct target *t, struct accumulator *acc);
pl_status fields_transform(struct build *b, struct target *t, struct accumulator *acc);

/* ---- generators:, transformers: and validators: (builtins.c) ---- */

pl_status builtins_generate(struct build *b, struct target *t, struct accumulator *acc);
pl_status builtins_transform(struct build *b, struct target *t, struct accumulator *acc);
pl_status builtins_validate(struct build *b, struct target *t, struct accumulator *acc);

/* One of each, with what follows: build metadata, and what is deleted leaves the map. */
pl_status run_generator(struct build *b, struct target *t, generate_fn generate, const pl_node *cfg,
			const struct place *by, struct accumulator *acc);
pl_status run_transformer(struct build *b, struct target *t, transform_fn transform, const pl_node *cfg,
			  const struct config *fields, const struct place *by, struct resmap *m);

/* ---- the end (output.c) ---- */

/* What is done once: hashes, references, vars, order, annotations; then every resource is handed to the host. */
pl_status output(struct build *b, struct target *top, struct accumulator *acc);

#endif
