/* SPDX-License-Identifier: Apache-2.0 */
/* Added types (types_add.c makes them, types.c reads them). */
#ifndef DOC_TYPES_H
#define DOC_TYPES_H

#include "core/doc/node.h"
#include "core/doc/types_table.h"
#include "plumb/schema.h"

#define TYPE_BUILTIN 0x80000000u /* in a node's number: it is one of the built-in table */

struct added_def {
	pl_str name;
	uint32_t type; /* 0: only mentioned so far */
};

/* All numbers begin at 1, so that 0 is none; a string's number leads into strings. */
struct pl_types {
	bool builtin;
	pl_doc *d; /* keeps the texts */
	struct type_node *nodes;
	struct type_field *fields;
	uint32_t *keys;
	pl_str *strings;
	struct added_def *defs;
	struct type_kind *kinds;
	size_t n_nodes, cap_nodes, n_fields, cap_fields, n_keys, cap_keys, n_strings, cap_strings, n_defs, cap_defs,
		n_kinds, cap_kinds;
	struct keyset string_set, def_set, kind_set;
};

/* A kind's key in kind_set. */
void types_kind_key(struct buf *b, pl_str group, pl_str version, pl_str kind);
/* The built-in definition of that name; 0: there is none. */
uint32_t types_builtin_named(pl_str name);
/* The built-in entry of that kind and just that version; NULL: there is none. */
const struct type_kind *types_builtin_kind(pl_str group, pl_str version, pl_str kind);
/* The first entry of that kind whose scope is known. */
const struct type_kind *types_builtin_scope(pl_str group, pl_str kind);

#endif
