/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fieldspec.h - field specs made ready for many resources: paths are split once, and which specs concern a kind is
 * found once a kind.
 */
#ifndef KUSTOMIZE_FIELDSPEC_H
#define KUSTOMIZE_FIELDSPEC_H

#include "kustomize.h"

struct field_step {
	pl_str name;
	bool list; /* written with [] behind it: an absent list is not made, null becomes an empty one */
	bool odd;  /* "", a number, "-", "*" or "[a=b]": an error where it meets a map */
};

struct field_path {
	const struct fieldspec *spec; /* NULL when the path came alone */
	pl_str text;
	struct field_step *steps;
	uint32_t n;
};

/* "a/b\/c/d[]": a slash behind a backslash belongs to the step; one leading slash is passed over. */
void field_path_split(struct build *b, pl_str path, struct field_path *out);
/* As fieldspec_each(), for a path that is split already; the object's kind is not looked at. */
pl_status field_path_each(struct build *b, pl_node *object, const struct field_path *p, bool create, int kind,
			  field_set_fn set, void *ctx);

/* A list of field specs, by kind. */
struct field_index;
struct field_index *field_index_new(struct build *b, const struct fieldspecs *specs);
/* The paths of all specs that select g, in their order. *out lives as long as the index. */
size_t field_index_find(struct build *b, struct field_index *x, const struct gvk *g,
			const struct field_path *const **out);
/* field_path_each() for each of them, with each spec's own `create`. */
pl_status field_index_each(struct build *b, struct field_index *x, const struct resource *r, int kind, field_set_fn set,
			   void *ctx);

/*
 * Stores value where a field_set_fn was called: as plain text by the schema that resources have, so that "10" becomes a
 * number, unless what stood there was quoted; "" changes nothing. A list or map there is an error.
 */
pl_status field_set_plain(struct build *b, pl_node **slot, pl_str value);
/* As a string, always. */
pl_status field_set_string(struct build *b, pl_node **slot, pl_str value);
/* Puts key: value (a string) into the map at *slot; null stays null. Another kind of node is an error. */
pl_status field_set_entry(struct build *b, pl_node *map, pl_str key, pl_node *value);

/* "a string", "a list" … for errors. */
const char *node_kind_name(const pl_node *n);

#endif
