/* SPDX-License-Identifier: Apache-2.0 */
/* kustomization.h - the kustomization file of a target, read and checked. */
#ifndef KUSTOMIZE_KUSTOMIZATION_H
#define KUSTOMIZE_KUSTOMIZATION_H

#include "load.h"

struct kustomization {
	const pl_node *root; /* a map; what is deprecated has been moved to where it belongs */
	pl_str name;	     /* "kustomization.yaml" */
	const char *file;    /* for places */
	bool component;
};

/* Reads the file in t's folder to t->k. at: who names the folder; NULL for the one that is built. */
pl_status kustomization_read(struct build *b, struct target *t, const pl_node *at);

/* The name is that of a kustomization file, in whatever folder. */
bool is_kustomization_file(pl_str path);

/* A field's value, or NULL. Empty texts are absent. */
pl_node *kustomization_field(const struct target *t, const char *name);

#endif
