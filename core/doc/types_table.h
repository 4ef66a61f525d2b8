/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How types lie in memory: indices instead of pointers, so that the built-in table needs nothing done at load and an
 * added one may move while it grows. types_table.c is made by make_types.py.
 */
#ifndef DOC_TYPES_TABLE_H
#define DOC_TYPES_TABLE_H

#include "core/base/str.h"

/* type_node.bits; the strategies are PL_PATCH_… as they are */
enum {
	TYPE_STRATEGY = 0x7,
	TYPE_LIST_SHIFT = 3, /* of the list type: 0 none, 1 atomic, 2 set, 3 map */
	TYPE_LIST = 0x18,
	TYPE_KIND_SHIFT = 5, /* PL_… of the value + 1; 0: unknown */
	TYPE_KIND = 0xe0,
	TYPE_WHOLE = 0x100,    /* a number without a fraction */
	TYPE_FIELDS = 0x200,   /* says which fields a map has, even when it has none */
	TYPE_REF = 0x400,      /* part is another node; strategy, list type and keys said here go before that one's */
	TYPE_REF_NAME = 0x800, /* part is a definition's number; only in added types */
};

struct type_node {
	uint32_t bits;
	uint32_t fields, n_fields; /* in the fields; sorted by name */
	uint32_t part;		   /* a list's items, a map's other values, what a reference leads to; 0: none */
	uint32_t keys;		   /* in the keys: the merge key (string 0: none), how many map keys, these; 0: none */
};

/* A string's number in the built-in table: where its length (two bytes, the lower first) begins in the pool. */
struct type_field {
	uint32_t name, type;
};

struct type_def {
	uint32_t name, type;
};

struct type_kind {
	uint32_t group, version, kind; /* version empty: whatever it is */
	uint32_t type;		       /* 0: unknown */
	int32_t scope;		       /* PL_SCOPE_… */
};

#pragma GCC visibility push(hidden) /* without a look-up at load */
extern const char types_pool[];
extern const struct type_node types_nodes[];
extern const struct type_field types_fields[];
extern const uint32_t types_keys[];
extern const struct type_def types_defs[];   /* sorted by name */
extern const struct type_kind types_kinds[]; /* sorted by group, kind, version */
extern const size_t types_n_nodes, types_n_defs, types_n_kinds;
#pragma GCC visibility pop

#endif
