/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfg.h - reads the maps by which transformers and field specs are configured.
 *
 * The reference reads them through JSON: names of fields match without regard to case, numbers and booleans are taken
 * where a text is wanted, null is an absent field.
 */
#ifndef KUSTOMIZE_CFG_H
#define KUSTOMIZE_CFG_H

#include "kustomize.h"

enum cfg_type { CFG_TEXT, CFG_BOOL, CFG_INT, CFG_NODE, CFG_SKIP }; /* pl_str, bool, int64_t, const pl_node *, none */

struct cfg_key {
	const char *name;
	enum cfg_type type;
	size_t offset; /* in the structure that cfg_read() fills */
};

enum cfg_unknown {
	CFG_REFUSE, /* an unknown field is an error */
	CFG_WARN    /* it is passed over, as the reference does, but said in the log */
};

/* Fills out by keys; what is absent or null stays as it is. what: the map's name for errors, "field spec". */
pl_status cfg_read(struct build *b, const pl_node *map, const char *what, const struct cfg_key *keys, size_t n,
		   enum cfg_unknown unknown, void *out);
/* A transformer's own map: cfg_read() with CFG_WARN that also knows apiVersion, kind and metadata. */
pl_status cfg_read_transformer(struct build *b, const pl_node *map, const struct cfg_key *keys, size_t n, void *out);
/* A single value as text. field is its name for errors. */
pl_status cfg_text(struct build *b, const pl_node *n, const char *field, pl_str *out);
/* Calls each for every item of a list, which may be absent or null. */
typedef pl_status (*cfg_item_fn)(struct build *b, const pl_node *item, void *ctx);
pl_status cfg_each(struct build *b, const pl_node *list, const char *field, cfg_item_fn each, void *ctx);

/* A transformer's fieldSpecs: unknown fields in them are passed over too. */
pl_status cfg_fieldspecs(struct build *b, const pl_node *list, struct fieldspecs *out);

/* A map of texts, sorted by key. */
struct cfg_pair {
	pl_str key, value;
	const pl_node *at;
};
struct cfg_pairs {
	struct cfg_pair *v;
	size_t n;
};
pl_status cfg_pairs(struct build *b, const pl_node *map, const char *field, struct cfg_pairs *out);

#endif
