/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables: one row a key. They drive the reader, the "did you mean" and the reference page. A setter reads a node
 * into the field at `offset`; what is wrong goes to the list of errors, and the field keeps its default.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "core/config/load.h"

enum cfg_type {
	CFG_STR,      /* pl_str */
	CFG_NAME,     /* pl_str: as Kubernetes names objects */
	CFG_LABEL,    /* pl_str: a namespace */
	CFG_BOOL,     /* bool */
	CFG_INT,      /* int64_t */
	CFG_DURATION, /* int64_t, milliseconds, above 0 */
	CFG_FOLDER,   /* pl_str: made absolute */
	CFG_FOLDERS,  /* pl_str *, size_t: one or a list */
	CFG_STRINGS,  /* pl_str *, size_t: one or a list */
	CFG_TREE,     /* pl_str: a path in a source, normalised */
	CFG_LISTEN,   /* pl_str: HOST:PORT */
	CFG_CHOICE,   /* pl_str: one of `choices` */
	CFG_DIGEST,   /* pl_str: SHA-256 in hex */
	CFG_DELETION, /* enum deletion */
	CFG_STEPS,    /* struct config_use *, size_t */
	CFG_SECTION,  /* a map read by `section` into the same structure */
	CFG_MANY,     /* a map or list whose entries `section` describes; read by the loader (pl_node *) */
	CFG_NODE,     /* pl_node *: read by the loader */
	CFG_REFUSED   /* known, and not done by this version: help says what it is */
};

enum { CFG_REQUIRED = 1, CFG_MAIN_ONLY = 2 /* not in an included file */ };

struct cfg_table;

struct cfg_key {
	const char *key;
	enum cfg_type type;
	unsigned flags;
	size_t offset;
	const char *def; /* as it would be written; NULL: zero or absent */
	const char *help;
	const struct cfg_table *section; /* CFG_SECTION, CFG_MANY */
	const char *choices[4];		 /* CFG_CHOICE, CFG_DELETION */
};

struct cfg_table {
	const char *what; /* for messages: "application" */
	const struct cfg_key *keys;
	size_t n;
};

extern const struct cfg_table root_table, source_table, target_table, plugin_table_keys, app_table, spec_table;

/* Reads a map into *out by the table: unknown keys, wrong types, missing keys are told. name: of this very thing, may
 * be empty. */
void table_read(struct load *l, const struct cfg_table *t, pl_str name, const pl_node *map, void *out);
void table_defaults(struct load *l, const struct cfg_table *t, void *out);
const char *table_type_name(enum cfg_type type);

#endif
