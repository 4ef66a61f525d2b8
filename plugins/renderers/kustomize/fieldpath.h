/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fieldpath.h - the paths of replacements and vars: fields by name, items of lists by index or by a field's value.
 *
 *   spec.template.spec.containers.[name=web].image   metadata.annotations.[a.b/c]   data.app\.yaml.host   spec.hosts.*
 *
 * A source's path leads to one node; `[a=b]` compares texts and `-` is the last item. A target's path leads to any
 * number of them: in `[a=b]` b is a regular expression that is searched for, and `*` is every item.
 */
#ifndef KUSTOMIZE_FIELDPATH_H
#define KUSTOMIZE_FIELDPATH_H

#include "kustomize.h"

struct path_step {
	pl_str text;	    /* as written, without escapes */
	pl_str field, want; /* of [field=want] */
	int64_t index;	    /* of a number; else -1 */
	bool bracketed;	    /* begins with [ and ends with ] */
	bool select;	    /* is [field=want] */
	bool number;
	pl_regex *re; /* of want, from the first use on */
};

struct path {
	const pl_node *at; /* where it is written */
	pl_str text;
	struct path_step *steps;
	uint32_t n;
};

/* Where a node hangs. */
struct slot {
	pl_node *parent;
	pl_str key;  /* in a map */
	size_t item; /* in a list */
	bool made;   /* it was absent: what is put there is read as plain text */
	/* The path goes on behind step `rest` inside this text, which is a document itself; 0: it ends here. */
	uint32_t rest;
};

struct slots {
	struct slot *v;
	uint32_t n, cap;
};

void path_read(struct build *b, pl_str text, const pl_node *at, struct path *out);

/*
 * The one node; *out is NULL when a step leads nowhere, and *where is the map or list that it was looked for in. A step
 * that can't be taken is an error.
 */
pl_status path_get(struct build *b, pl_node *root, const struct path *p, struct slot *where, pl_node **out);
/* Adds to the error the key of map that is nearest to the name; true when there is one. */
bool path_suggest(struct build *b, const pl_node *map, pl_str name);
/*
 * All nodes, in order. create: what an absent leaf is to become (PL_STRING, PL_MAP, PL_LIST); -1 makes nothing. from:
 * steps before it are passed over. None found is an error, which says how far the path leads.
 */
pl_status path_find(struct build *b, pl_node *root, struct path *p, uint32_t from, int create, struct slots *out);

pl_node *slot_node(const struct slot *s);
pl_status slot_put(struct build *b, const struct slot *s, pl_node *value);

/* What a resource's reader makes of a bare scalar: a number, a boolean, or a string. */
pl_node *plain_scalar(struct build *b, pl_str text);

#endif
