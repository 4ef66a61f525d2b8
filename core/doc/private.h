/* SPDX-License-Identifier: Apache-2.0 */
/* What plumb's own rooms may use of the toolkit beyond plumb/doc.h: writers into a struct buf, canonical digests. */
#ifndef DOC_PRIVATE_H
#define DOC_PRIVATE_H

#include "core/base/err.h"
#include "core/base/hash.h"
#include "plumb/doc.h"

pl_status json_print(const pl_node *n, uint32_t flags, struct buf *out, struct pl_err *e);
pl_status yaml_print(const pl_node *n, uint32_t flags, struct buf *out, struct pl_err *e);
/* Hex SHA-256 over the canonical JSON: keys sorted, numbers in one form, so that pl_equal nodes have one digest. */
pl_status node_digest(const pl_node *n, char to[HASH_TEXT], struct pl_err *e);
pl_status text_diff(pl_str a, pl_str b, const char *label_a, const char *label_b, uint32_t context, struct buf *out);

/* A YAML stream, by the core schema, as one JSON value a line. Keys that are lists or maps become their JSON text. */
pl_status yaml_to_json_lines(pl_str text, const char *file, struct buf *out, struct pl_err *e);

#endif
