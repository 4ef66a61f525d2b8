/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strategic merge patches, inside. A merge makes new containers along the way that it changes and shares everything
 * else with the old document, so that an error leaves that as it was.
 */
#ifndef DOC_PATCH_STRATEGIC_H
#define DOC_PATCH_STRATEGIC_H

#include "core/doc/node.h"
#include "plumb/schema.h"

/*
 * Maps in maps that are merged or compared by recursion: more than the readers allow, few enough for any stack. Copies
 * may be deeper.
 */
enum { STRATEGIC_DEPTH = 600 };

struct strategic {
	pl_doc *d;	  /* of the document, and of what is made */
	const pl_doc *pd; /* of the patch */
	pl_err *e;
	uint32_t depth;
};

/* ---- patch_strategic.c ---- */
/* old NULL: an empty map. */
pl_status strategic_map(struct strategic *s, const pl_node *old, const pl_node *patch, pl_type type, pl_node **out);

/* ---- patch_strategic_list.c ---- */
/* What a patch says of one field: each may be NULL. */
struct strategic_field {
	const pl_node *key;    /* the field's own key or its first directive's, for places */
	const pl_node *value;  /* FIELD */
	const pl_node *order;  /* $setElementOrder/FIELD, a list */
	const pl_node *remove; /* $deleteFromPrimitiveList/FIELD, a list */
	pl_str name;
};

/* The type of a list's items: of a list whose schema is that of its items, that. */
pl_type strategic_items(pl_type list);
/* Merges f->value into old by the list's type; both are lists. */
pl_status strategic_list(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_type type,
			 pl_node **out);
/* The same with f->order; old and f->value may be NULL, but not both. */
pl_status strategic_ordered(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_type type,
			    pl_node **out);
/* Without the items of f->remove. */
pl_status strategic_remove(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_node **out);

/* ---- patch_strategic_value.c ---- */
enum directive { DIRECTIVE_NONE, DIRECTIVE_PATCH, DIRECTIVE_RETAIN, DIRECTIVE_ORDER, DIRECTIVE_REMOVE };

/* field: what stands behind the slash of the latter two; p is NULL when nothing does. */
enum directive directive_of(pl_str key, pl_str *field);
/* The word of n's $patch; p is NULL without one. An unknown word is an error. */
pl_status directive_patch(const struct strategic *s, const pl_node *n, pl_str *word);
/*
 * A copy of a patch's value for the document: directives are left out, and what they stand in with $patch; with
 * drop_nulls fields that are null, too. NULL: nothing is left.
 */
pl_node *strategic_take(struct strategic *s, const pl_node *n, bool drop_nulls);
/* The same whether or not n itself has a $patch. */
pl_node *strategic_contents(struct strategic *s, const pl_node *n, bool drop_nulls);
/* A new container of n's kind, place and style with those children; n is in s->d. */
pl_node *strategic_shell(struct strategic *s, const pl_node *n, pl_node *const *kids, size_t n_kids);

/* ---- patch_strategic_key.c ---- */
/* Finds scalars by value: a few by comparing, many by hashing. */
struct scalar_index {
	pl_doc *d; /* for the seed */
	struct keyset strings, others;
	struct arena *texts;
	const pl_node **v;
	size_t *at;
	size_t n, cap, cap_at;
};

void scalar_index_init(struct scalar_index *x, pl_doc *d);
/* Notes key for `at` and answers SIZE_MAX; when an equal one is there, that one's. */
size_t scalar_index_add(struct scalar_index *x, const pl_node *key, size_t at);
size_t scalar_index_find(const struct scalar_index *x, const pl_node *key); /* SIZE_MAX: absent */
void scalar_index_free(struct scalar_index *x);

/* What a list's items are told apart by: a map's field, or the scalar itself. */
struct list_key {
	pl_str field; /* the list's merge key; empty: the items are scalars */
	pl_str list;  /* the list's name, for errors */
	int kind;     /* of the items; -1: there are none yet */
};

/* Checks that the items of n are of one kind that can be merged, and of l->kind unless that is -1. n may be NULL. */
pl_status list_key_check(struct list_key *l, const pl_doc *d, const pl_node *n, pl_err *e);
/* The item's key; an error when it has none. d is the item's. */
pl_status list_key_of(const struct list_key *l, const pl_doc *d, const pl_node *item, const pl_node **key, pl_err *e);

#endif
