/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain YAML scalar means under a schema (PL_SCHEMA_* of plumb/doc.h). */
#ifndef DOC_SCALAR_H
#define DOC_SCALAR_H

#include "core/doc/node.h"

struct scalar {
	uint8_t kind; /* PL_NULL, PL_BOOL, PL_NUMBER or PL_STRING */
	bool truth;   /* PL_BOOL */
	bool whole;   /* PL_NUMBER: written as an integer */
	bool octal;   /* PL_NUMBER: a leading 0 means octal */
};

/* schema is any but PL_SCHEMA_NONE. */
struct scalar scalar_plain(pl_str text, int schema);

/* Would some reader in use, also a YAML 1.1 one that is not Go's, take this plain text for something else than a
 * string? */
bool scalar_ambiguous(pl_str text);

/* Gives n, a scalar whose text is set, its kind by the schema. */
void scalar_apply(pl_node *n, int schema);

#define YAML_TAG "tag:yaml.org,2002:"

/* The same for a scalar with a tag. PL_EINVAL when the text is not of the tag's type. */
pl_status scalar_apply_tag(pl_doc *d, pl_node *n, pl_str tag, int schema, pl_err *e);

#endif
