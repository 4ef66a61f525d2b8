/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plumb/doc.h - the document toolkit: lossless trees of JSON and YAML.
 *
 * A pl_doc owns an arena of nodes. Any number of texts can be read into one pl_doc; nodes may be moved
 * freely between places of one pl_doc. Everything in it dies with it. Node pointers are stable: adding
 * to a list or map never moves another node.
 *
 * A node keeps a number's original text, a scalar's style, and its file, line and column. Kubernetes
 * manifests never pass through a double.
 *
 * Freezing makes a pl_doc immutable, reference-counted and safe to read from many threads; to change a
 * frozen node, copy it into a doc of your own with pl_copy(). An unfrozen pl_doc belongs to one thread
 * at a time.
 *
 * Limits: every reader stops with PL_ETOOBIG and a place when a limit of pl_limits is passed.
 */
#ifndef PLUMB_DOC_H
#define PLUMB_DOC_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pl_doc pl_doc;
typedef struct pl_node pl_node;

enum {
	PL_NULL = 0,
	PL_BOOL = 1,
	PL_NUMBER = 2,
	PL_STRING = 3,
	PL_LIST = 4,
	PL_MAP = 5,
	PL_PLAIN = 6 /* a plain YAML scalar that no schema has resolved yet (PL_SCHEMA_NONE) */
};

enum {
	PL_STYLE_ANY = 0, /* made by a program: the printer chooses */
	PL_STYLE_PLAIN = 1,
	PL_STYLE_SINGLE = 2,
	PL_STYLE_DOUBLE = 3,
	PL_STYLE_LITERAL = 4,
	PL_STYLE_FOLDED = 5,
	PL_STYLE_BLOCK = 6, /* list or map */
	PL_STYLE_FLOW = 7   /* list or map */
};

/* Who reads plain scalars how. JSON text is always PL_SCHEMA_JSON. */
enum {
	PL_SCHEMA_NONE = 0, /* left as PL_PLAIN */
	/*
	 * As the Kubernetes API server, kubectl and kustomization files read: YAML 1.1 booleans (yes, on, y …), octal
	 * 0644, 0b, 0x, 0o, underscores, ~; sexagesimal (1:30) and timestamps stay strings.
	 */
	PL_SCHEMA_YAML11 = 1,
	PL_SCHEMA_CORE12 = 2,	 /* YAML 1.2 core schema */
	PL_SCHEMA_KUSTOMIZE = 3, /* as Kustomize reads resources: 1.2 with 0644 octal; yes/no/on/off stay strings */
	PL_SCHEMA_JSON = 4
};

typedef struct pl_limits {
	uint32_t max_depth;   /* nesting; 0: 512 */
	uint32_t max_nodes;   /* nodes in the doc, aliases expanded; 0: 16 million */
	uint64_t max_bytes;   /* bytes of one text; 0: 256 MiB */
	uint32_t max_aliased; /* nodes made by expanding aliases, per text; 0: 100,000 */
} pl_limits;

/* An empty document. limits NULL: the defaults. Never NULL (out of memory aborts). Freed by pl_doc_unref(). */
PL_API pl_doc *pl_doc_new(const pl_limits *limits);
PL_API pl_doc *pl_doc_ref(pl_doc *d); /* only for frozen docs; thread-safe; returns d */
PL_API void pl_doc_unref(pl_doc *d);  /* NULL is allowed; thread-safe for frozen docs */
/* Makes d and every node in it immutable for good. */
PL_API void pl_doc_freeze(pl_doc *d);
PL_API int pl_doc_frozen(const pl_doc *d);
PL_API size_t pl_doc_memory(const pl_doc *d); /* bytes held */

/*
 * Readers. text is copied or referenced as `flags` says; file names the text in places (copied).
 * Duplicate keys are an error that names both places.
 */
enum {
	PL_READ_BORROW = 1, /* text outlives d: strings may point into it */
	PL_READ_LAST_WINS =
		2 /* YAML: of equal keys of a map the last value counts, in the place of the first; no error */
};

PL_API pl_status pl_json_read(pl_doc *d, pl_str text, const char *file, uint32_t flags, pl_node **out, pl_err *e);
/* A stream of YAML documents. *out is an array in d of *n roots; an empty document is a PL_NULL node. */
PL_API pl_status pl_yaml_read(pl_doc *d, pl_str text, const char *file, int schema, uint32_t flags, pl_node ***out,
			      size_t *n, pl_err *e);
/* Gives every PL_PLAIN node below n a kind, by the schema. Text and style stay. */
PL_API pl_status pl_resolve(pl_doc *d, pl_node *n, int schema, pl_err *e);

/* Reading nodes. A NULL node is answered like an absent one: kind -1, length 0, NULL, empty text. */
PL_API int pl_kind(const pl_node *n);
PL_API int pl_style(const pl_node *n);
PL_API pl_place pl_at(const pl_doc *d, const pl_node *n);
PL_API pl_str pl_text(const pl_node *n); /* a scalar's text, as written (numbers, booleans) or decoded (strings) */
PL_API int pl_bool(const pl_node *n);	 /* 1 for true; 0 for anything else */
PL_API pl_status pl_int(const pl_node *n, int64_t *out);   /* PL_EINVAL: not a whole number; PL_ETOOBIG: does not fit */
PL_API pl_status pl_double(const pl_node *n, double *out); /* PL_EINVAL: not a number */
PL_API pl_str pl_tag(const pl_doc *d, const pl_node *n);   /* an explicit YAML tag, else empty */
PL_API size_t pl_len(const pl_node *n);			   /* items of a list, pairs of a map */
PL_API pl_node *pl_item(const pl_node *list, size_t i);	   /* NULL past the end */
PL_API pl_node *pl_key(const pl_node *map, size_t i);
PL_API pl_node *pl_value(const pl_node *map, size_t i);
PL_API pl_node *pl_get(const pl_node *map, pl_str key); /* the value, or NULL */
PL_API pl_node *pl_gets(const pl_node *map, const char *key);
PL_API pl_node *pl_getkey(const pl_node *map, pl_str key); /* the key's own node, for its place */

/* Making nodes, owned by d. Texts are copied. Places are unknown until pl_set_at(). NULL when d is frozen. */
PL_API pl_node *pl_new_null(pl_doc *d);
PL_API pl_node *pl_new_bool(pl_doc *d, int value);
PL_API pl_node *pl_new_int(pl_doc *d, int64_t value);
PL_API pl_node *pl_new_number(pl_doc *d, pl_str text); /* NULL when text is no JSON number */
PL_API pl_node *pl_new_string(pl_doc *d, pl_str text);
PL_API pl_node *pl_new_list(pl_doc *d);
PL_API pl_node *pl_new_map(pl_doc *d);
PL_API void pl_set_at(pl_doc *d, pl_node *n, const pl_doc *from,
		      const pl_node *place); /* takes over another node's place */
PL_API void pl_set_style(pl_node *n, int style);
PL_API pl_node *pl_copy(pl_doc *d, const pl_doc *from, const pl_node *n); /* deep, places kept; from may equal d */

/*
 * Changing containers. n must be mutable and in d, else PL_EDENIED. Cost: append and set of a new key amortised O(1)
 * after the look-up; look-up of a key is linear in the map's length for small maps, insert and remove are linear.
 */
PL_API pl_status pl_append(pl_doc *d, pl_node *list, pl_node *item);
PL_API pl_status pl_insert(pl_doc *d, pl_node *list, size_t i, pl_node *item);
PL_API pl_status pl_set_item(pl_doc *d, pl_node *list, size_t i, pl_node *item);
PL_API pl_status pl_remove_item(pl_doc *d, pl_node *list, size_t i);
PL_API pl_status pl_set(pl_doc *d, pl_node *map, pl_str key,
			pl_node *value); /* replaces or appends; key order is kept */
PL_API pl_status pl_sets(pl_doc *d, pl_node *map, const char *key, pl_node *value);
/* Appends a pair in constant time, for long maps; the caller knows that the key is not there yet. */
PL_API pl_status pl_add(pl_doc *d, pl_node *map, pl_str key, pl_node *value);
PL_API pl_status pl_remove(pl_doc *d, pl_node *map, pl_str key); /* PL_ENOTFOUND when absent */
/*
 * n, a scalar, becomes what the scalar value is (kind, text, style, tag), in its place and wherever else it is held: a
 * node may be in several containers. Its line and column stay. PL_EINVAL when one of them is none.
 */
PL_API pl_status pl_become(pl_doc *d, pl_node *n, const pl_node *value);

/*
 * Finding by path. A missing step is PL_ENOTFOUND and the error names the deepest step that exists.
 *   pointer: RFC 6901, "/spec/containers/0/image", ~0 and ~1 decoded, "" is the root
 *   dotted:  spec.containers[0].image, metadata.annotations["a.b/c"]
 */
PL_API pl_status pl_pointer(const pl_node *root, pl_str pointer, pl_node **out, pl_err *e);
PL_API pl_status pl_dotted(const pl_node *root, pl_str path, pl_node **out, pl_err *e);

/* Equal as JSON values: numbers by value whatever their text (1 = 1.0 = 1e0), maps in any order. */
PL_API int pl_equal(const pl_node *a, const pl_node *b);

/*
 * Writers. The text is malloc'ed, NUL-terminated, *n without the NUL; free it with pl_free(). NaN and
 * infinities have no JSON: PL_EINVAL.
 *   SORTED  keys in byte order; INDENT two spaces; ASCII escapes all above U+007E
 * The YAML text reads back the same under YAML 1.1 and 1.2 readers. PL_PRINT_KEEP_STYLE keeps a scalar's style
 * where it still reads back the same.
 */
enum {
	PL_PRINT_SORTED = 1,
	PL_PRINT_INDENT = 2,
	PL_PRINT_ASCII = 4,
	PL_PRINT_KEEP_STYLE = 8,
	/*
	 * YAML exactly as the programs of the field print it (kubectl, kustomize: an object through JSON to YAML):
	 * their order of keys, quoting, block scalars and numbers.
	 */
	PL_PRINT_FIELD = 16
};
PL_API pl_status pl_json_write(const pl_node *n, uint32_t flags, char **text, size_t *len, pl_err *e);
PL_API pl_status pl_yaml_write(const pl_node *n, uint32_t flags, char **text, size_t *len, pl_err *e);
PL_API void pl_free(void *p);

/*
 * Makes a tree of resources, read by PL_SCHEMA_KUSTOMIZE, what it is behind the programs of the field: timestamps in
 * their one form, and so on. PL_PRINT_FIELD prints the same with and without; this is for those who go on with the
 * tree. PL_EINVAL, with the file, at a value that those programs refuse (.nan).
 */
PL_API pl_status pl_field_form(pl_doc *d, pl_node *n, pl_err *e);

/*
 * Structural difference from a to b, in document order of a, then what only b has. path is a JSON Pointer, valid in the
 * call only. An absent side is NULL. Return nonzero to stop; that value is returned. Lists are compared by position.
 */
typedef int (*pl_diff_fn)(void *ctx, pl_str path, const pl_node *a, const pl_node *b);
PL_API int pl_diff(const pl_node *a, const pl_node *b, pl_diff_fn fn, void *ctx);

/*
 * A unified diff of two texts as `diff -u` writes it, with context lines around each hunk; empty when equal. The labels
 * stand behind --- and +++. Linear space; time O((N+M)D), with a bound on D past which the rest is one hunk.
 */
PL_API pl_status pl_text_diff(pl_str a, pl_str b, const char *label_a, const char *label_b, uint32_t context,
			      char **text, size_t *len, pl_err *e);

/*
 * Patches. *root, in d, becomes the patched document; patch may be of another doc (pd) and is not changed. On an error
 * *root is what it was. Errors name the place in the patch.
 *   json       RFC 6902: a list of operations, each seen by the next; "-" appends; test compares by value
 *   merge      RFC 7396
 *   strategic  as Kubernetes' API server does it, by the type's merge keys and strategies, with the directives $patch,
 *              $deleteFromPrimitiveList/…, $setElementOrder/… and $retainKeys (schema.h: pl_patch_strategic)
 */
PL_API pl_status pl_patch_json(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_err *e);
PL_API pl_status pl_patch_merge(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_err *e);

#ifdef __cplusplus
}
#endif
#endif
