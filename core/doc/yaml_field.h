/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as kubectl and Kustomize print it (PL_PRINT_FIELD): an object goes through JSON into the second YAML library of
 * Go. What that one does is the law here, byte for byte, odd as it may be.
 */
#ifndef DOC_YAML_FIELD_H
#define DOC_YAML_FIELD_H

#include "core/doc/node.h"

/* Errors of both the printer and pl_field_form(). */
#define FIELD_NOT_FINITE "number '%.*s' is not finite, so it can't be written as JSON"
#define FIELD_REFUSED	 "a text holds the character U+%04X, which has no place in YAML"
#define FIELD_OFFSET	 "a timestamp's offset from UTC is a day or more"

/* Writes n, with a line end. PL_EINVAL at the value that those programs refuse, too. */
pl_status field_print(const pl_node *n, struct buf *out, pl_err *e);

/* ---- keys (field_order.c) ---- */
/* The order of keys: numbers in them count as numbers, letters come after everything else. */
int field_key_cmp(pl_str a, pl_str b);

/* ---- scalars (field_scalar.c) ---- */
/*
 * Writes a scalar behind what stands on the line; lines of its own are indented by indent. flow: it was written in
 * brackets.
 */
pl_status field_value(const pl_node *n, size_t indent, bool flow, struct buf *out, pl_err *e);
/* Writes a key, without the ":". complex: it begins with "? " and has lines of its own. */
pl_status field_key(const pl_node *n, size_t indent, struct buf *out, bool *complex, pl_err *e);

/* A character of text that those programs refuse; 0 when there is none. */
uint32_t field_refused(pl_str text);

/* (field_fold.c) Appends what becomes of a folded text; false, with nothing added, when it stays what it is. */
bool field_refold(pl_str s, struct buf *out);

/* Nothing at all where a value could stand. In brackets those programs take that for an empty text. */
static inline bool field_is_blank(const pl_node *n)
{
	return node_kind(n) == PL_NULL && n->len == 0 && (n->meta & NODE_STYLE) == PL_STYLE_PLAIN << NODE_STYLE_SHIFT;
}

/*
 * A timestamp. Those programs put quotes around what holds a colon in brackets, before they look what it is: then it is
 * a text.
 */
static inline bool field_is_time(const pl_node *n, bool flow)
{
	return (n->meta & NODE_TIME) && !(flow && memchr(n->u.s, ':', n->len));
}

/* Is out at the beginning of a line? */
bool field_at_line_start(const struct buf *out);

#endif
