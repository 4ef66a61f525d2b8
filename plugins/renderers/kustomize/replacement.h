/* SPDX-License-Identifier: Apache-2.0 */
/* replacement.h - replacements: as they are written, and what their files share. */
#ifndef KUSTOMIZE_REPLACEMENT_H
#define KUSTOMIZE_REPLACEMENT_H

#include "fieldpath.h"

struct repl_options {
	const pl_node *at; /* NULL: none are given */
	pl_str delimiter, encoding;
	int64_t index;
	bool create;
};

struct repl_source {
	const pl_node *at;
	struct id id; /* literal; empty parts: any */
	struct path path;
	struct repl_options options;
};

struct repl_target {
	const pl_node *at;
	struct repl_select *select, **rejects;
	uint32_t n_rejects;
	struct path *paths;
	uint32_t n_paths;
	struct repl_options options;
};

struct replacement {
	const pl_node *at;
	struct repl_source source;
	const pl_node *value; /* sourceValue; then there is no source */
	struct repl_target *targets;
	uint32_t n_targets;
};

struct replacements {
	struct replacement *v;
	uint32_t n, cap;
};

/*
 * Reads the list of a ReplacementTransformer, and the files that it names. strict: unknown fields are errors, as in a
 * kustomization.
 */
pl_status replacements_read(struct build *b, struct target *t, const pl_node *cfg, bool strict,
			    struct replacements *out);

/* ---- which resources (replacement_select.c) ---- */

struct repl_select;
/* what: "select", for errors. */
pl_status repl_select_read(struct build *b, const pl_node *n, bool strict, const char *what, struct repl_select **out);
bool repl_select_matches(struct build *b, const struct repl_select *s, const struct resource *r);
bool repl_select_rejects(struct build *b, const struct repl_select *s, const struct resource *r);
/* Those that may match, in the map's order; *out lives until the map changes. */
size_t repl_select_from(struct build *b, const struct repl_select *s, struct resmap *m, struct resource *const **out);

/* ---- values ---- */

/* What a field gets. */
struct repl_value {
	const pl_node *node;
	pl_str text; /* a scalar's text; empty for lists and maps */
	bool scalar;
};

/* Puts v into the place, by the target's options. at: the field path, for errors. */
pl_status replacement_put(struct build *b, const struct slot *s, const struct repl_value *v,
			  const struct repl_options *o, const pl_node *at);
/* The same behind step s->rest of p, inside the document that the text at s is. */
pl_status replacement_put_inside(struct build *b, const struct slot *s, struct path *p, const struct repl_value *v,
				 const struct repl_options *o, int create);
/* A document as YAML, with the styles that its nodes have, without a line end behind it. */
pl_str replacement_yaml(struct build *b, const pl_node *root);

#endif
