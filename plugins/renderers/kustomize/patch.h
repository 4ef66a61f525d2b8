/* SPDX-License-Identifier: Apache-2.0 */
/* patch.h - what the patch transformers share: reading patches, and doing them to one resource. */
#ifndef KUSTOMIZE_PATCH_H
#define KUSTOMIZE_PATCH_H

#include "kustomize.h"

struct patch {
	struct resource **strategic; /* NULL: operations, or nothing at all (an empty file) */
	uint32_t n, cap;
	const pl_node *operations; /* RFC 6902; NULL: strategic */
};

enum patch_form { PATCH_ANY, PATCH_STRATEGIC, PATCH_JSON };

/* Reads a patch; file is its name for places. patch_read.c */
pl_status patch_read(struct build *b, pl_str text, const char *file, enum patch_form form, struct patch *out);
/* The name for places of a text that stands in a kustomization file. */
const char *patch_inline_name(struct build *b, const pl_node *text);

struct patch_options {
	bool name_change, kind_change;
};

/* Strategic merge into r, whose node is NULL afterwards when the patch deletes it. patch_apply.c */
pl_status patch_merge_into(struct build *b, struct resmap *m, struct resource *r, const pl_node *patch,
			   const struct patch_options *o);
/* The patch as it is done to selected resources: its labels and annotations are texts, its apiVersion is theirs. */
pl_node *patch_for_selected(struct build *b, const pl_node *patch, bool keep_version);
/* The one resource that is or was called id. */
pl_status patch_target(struct build *b, struct resmap *m, const struct resource *patch, struct resource **out);
/* JSON operations on r. */
pl_status patch_operate(struct build *b, struct resmap *m, struct resource *r, const pl_node *operations);

/* RFC 6902 as the reference's library does it. patch_operations.c */
pl_status operations_do(struct build *b, pl_node **root, const pl_node *operations);

#endif
