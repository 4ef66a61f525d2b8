/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of pl_doc and pl_node, shared by the readers. Nodes are 24 bytes and lie in blocks of the doc's arena, so
 * that freezing can reach every one of them; a node never moves. A container's children are an array of pointers (a
 * map: key, value, key, value, …).
 */
#ifndef DOC_NODE_H
#define DOC_NODE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "plumb/doc.h"

#include <stdatomic.h>

struct pl_node {
	uint32_t line, col; /* from 1; 0 unknown */
	uint32_t len;	    /* bytes of a scalar's text, items of a list, pairs of a map */
	uint32_t meta;	    /* NODE_* below */
	union {
		const char *s;	/* a scalar's text; null and booleans have one too, as written */
		pl_node **kids; /* with NODE_GROWN kids[-1] holds the capacity in pointers, else the array is exactly
				   full */
	} u;
};

#define NODE_KIND	 0x0000000fu
#define NODE_STYLE_SHIFT 4
#define NODE_STYLE	 0x000000f0u
#define NODE_FROZEN	 0x00000100u
#define NODE_TAG	 0x00000200u /* has an entry in the doc's tag table */
#define NODE_TRUE	 0x00000400u /* PL_BOOL: true */
#define NODE_TIME	 NODE_TRUE   /* PL_STRING: was a timestamp to who resolved it (PL_PRINT_FIELD) */
#define NODE_OCTAL	 0x00000800u /* PL_NUMBER: a leading 0 means octal (0644); set by who resolved it */
#define NODE_GROWN	 0x00001000u /* the children's array has spare room, see kids */
#define NODE_FILE_SHIFT	 13
#define NODE_FILE_MAX	 0x7ffffu /* 19 bits; file 0 is "unknown" */

struct node_block {
	struct node_block *older;
	size_t n; /* nodes in use; the newest block's count stands in pl_doc.free */
	pl_node v[];
};

struct doc_tag {
	const pl_node *node; /* NULL: a free slot */
	pl_str text;
};

/* A set of texts, see keyset_add(). */
struct keyset {
	uint64_t seed;
	struct keyset_slot *slots; /* malloc'ed */
	size_t n, cap;
};

struct keyset_slot {
	pl_str key;
	uint32_t hash;
	uint32_t used;
	size_t pos;
};

struct pl_doc {
	atomic_uint refs;
	bool frozen;
	struct arena *arena;
	pl_limits limits;	   /* defaults filled in */
	pl_node *free, *end;	   /* the newest block's unused nodes */
	struct node_block *blocks; /* newest first */
	size_t nodes;		   /* made so far */
	const char **files;	   /* files[i - 1] is the name of file i; in the arena */
	size_t n_files, cap_files;
	struct keyset file_names; /* from a few files on */
	struct doc_tag *tags;	  /* open addressing by the node's address; malloc'ed */
	size_t n_tags, cap_tags;
	uint64_t seed; /* of key hashes, so that nobody can choose keys that collide; 0: not yet drawn */
};

/* ---- plain readers, without the NULL check of the public ones ---- */
static inline int node_kind(const pl_node *n)
{
	return (int)(n->meta & NODE_KIND);
}

static inline bool node_is_container(const pl_node *n)
{
	return node_kind(n) == PL_LIST || node_kind(n) == PL_MAP;
}

static inline uint32_t node_file(const pl_node *n)
{
	return n->meta >> NODE_FILE_SHIFT;
}

static inline pl_str node_text(const pl_node *n)
{
	return (pl_str){n->u.s, n->len};
}

/* Pointers in the children's array: pairs count twice. */
static inline size_t node_kids(const pl_node *n)
{
	return node_kind(n) == PL_MAP ? (size_t)n->len * 2 : node_kind(n) == PL_LIST ? n->len : 0;
}

static inline void node_set_kind(pl_node *n, int kind)
{
	n->meta = (n->meta & ~NODE_KIND) | (uint32_t)kind;
}

static inline void node_set_style(pl_node *n, int style)
{
	n->meta = (n->meta & ~NODE_STYLE) | ((uint32_t)style << NODE_STYLE_SHIFT);
}

/* Makes n a scalar of that kind with that text, which must live as long as the doc (doc_string() copies). */
static inline void node_set_text(pl_node *n, int kind, pl_str text)
{
	node_set_kind(n, kind);
	n->u.s = text.p ? text.p : "";
	n->len = (uint32_t)text.n;
}

/* The position of key in map, SIZE_MAX when absent or map is none (tree.c). */
size_t node_find(const pl_node *map, pl_str key);

/* ---- making nodes (node.c) ---- */
pl_node *doc_node_block(pl_doc *d); /* slow path of doc_node() */

/* A zeroed node of that kind and place; no limit is asked. file comes from doc_file(). */
static inline pl_node *doc_node(pl_doc *d, int kind, uint32_t file, uint32_t line, uint32_t col)
{
	pl_node *n = d->free == d->end ? doc_node_block(d) : d->free++;

	d->nodes++;
	n->line = line;
	n->col = col;
	n->len = 0;
	n->meta = (uint32_t)kind | file << NODE_FILE_SHIFT;
	n->u.s = NULL;
	return n;
}

/* The same for readers: NULL and PL_ETOOBIG in e when limits.max_nodes is reached. */
pl_node *doc_node_new(pl_doc *d, int kind, uint32_t file, uint32_t line, uint32_t col, pl_err *e);

/* The number of a file name (copied when new; NULL is 0). More names than fit answer 0. */
uint32_t doc_file(pl_doc *d, const char *name);
const char *doc_file_name(const pl_doc *d, uint32_t file); /* NULL for 0 */

static inline pl_place doc_place(const pl_doc *d, uint32_t file, uint32_t line, uint32_t col)
{
	return (pl_place){doc_file_name(d, file), line, col};
}

/* A NUL-terminated copy in the doc's arena. */
static inline pl_str doc_string(pl_doc *d, pl_str s)
{
	return arena_dup(d->arena, s);
}

/* Appending while reading: no frozen check, the caller knows the kind. Amortised O(1). */
void doc_list_add(pl_doc *d, pl_node *list, pl_node *item);
void doc_map_add(pl_doc *d, pl_node *map, pl_node *key, pl_node *value);
/* Gives an empty container all its children at once, exactly sized: kids is copied, n counts pointers. */
void doc_set_kids(pl_doc *d, pl_node *container, pl_node *const *kids, size_t n);
/* Makes room for more pointers behind those there are. */
void doc_grow_kids(pl_doc *d, pl_node *container, size_t more);

/* Tags: text must live as long as the doc. */
void doc_set_tag(pl_doc *d, pl_node *n, pl_str tag);

/* ---- keys (keys.c) ---- */
/* PL_EINVAL at the second place, naming the first, when two keys of map have the same text. Linear in the map's length.
 */
pl_status doc_check_keys(pl_doc *d, const pl_node *map, pl_err *e);
/* The error itself, for readers that find out by themselves. */
pl_status doc_duplicate_key(const pl_doc *d, const pl_node *first, const pl_node *second, pl_err *e);

/*
 * A set of key texts for maps that are built piece by piece (merge keys). keyset_add() gives back the position under
 * which the text was added before, or SIZE_MAX when it is new and now stored with pos. Texts are borrowed.
 */
void keyset_init(struct keyset *k, pl_doc *d);
size_t keyset_add(struct keyset *k, pl_str key, size_t pos);
/* The same, but the text is stored with pos also when it was added before. */
void keyset_put(struct keyset *k, pl_str key, size_t pos);
size_t keyset_find(const struct keyset *k, pl_str key); /* SIZE_MAX: absent */
void keyset_free(struct keyset *k);

/* ---- JSON Pointers (path.c) ---- */
/* A list's index: digits without a leading zero. */
bool pointer_index(pl_str token, size_t *out);
/* Adds the token to b with ~0 and ~1 decoded. */
bool pointer_token(pl_str token, struct buf *b);

/* ---- comparing (equal.c) ---- */
bool node_same_scalar(const pl_node *a, const pl_node *b);

/* Finds key after key of one map in another: linear altogether, whatever the order. */
struct finder {
	const pl_node *map;
	size_t next; /* behind the one found last */
	struct keyset set;
};

void finder_init(struct finder *f, const pl_node *map);
size_t finder_find(struct finder *f, const pl_node *key); /* SIZE_MAX: absent */
void finder_free(struct finder *f);

/* ---- numbers (number.c) ---- */
/*
 * A number's value as sign, decimal digits and a power of ten, whatever its spelling: JSON, 0x1F, 0o17, 0b1, 0644
 * (octal with NODE_OCTAL), 1_000, +1, .5, 1., .inf, .nan. Equal values have equal texts; 0 and -0 are equal, and so are
 * all NaNs.
 */
void number_canonical(const pl_node *n, struct buf *out);
/* The number as JSON text: as written when that is JSON. PL_EINVAL for NaN, infinities and what is no number at all. */
pl_status number_json(const pl_node *n, struct buf *out);
/* ".inf", "-.inf" or ".nan" when n is that; else NULL. */
const char *number_special(const pl_node *n);
/* Is text a number by the grammar of RFC 8259? */
bool number_is_json(pl_str text);

/* ---- walking without recursion (walk.c) ---- */
/* for (walk_init(&w, root); (n = walk_next(&w, &event));) — events as below; free with walk_free(). */
enum walk_event { WALK_SCALAR, WALK_KEY, WALK_ENTER, WALK_LEAVE };

struct walk_frame {
	const pl_node *node;
	size_t i; /* the next child pointer */
};

struct walk {
	struct walk_frame *v; /* malloc'ed; the containers entered, outermost first */
	size_t n, cap;
	const pl_node *root; /* not yet given out */
};

void walk_init(struct walk *w, const pl_node *root);
/* The next node in document order; a map's keys come as WALK_KEY. NULL at the end. */
const pl_node *walk_next(struct walk *w, enum walk_event *event);
void walk_free(struct walk *w);

#endif
