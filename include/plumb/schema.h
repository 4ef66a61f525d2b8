/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plumb/schema.h - what is known of the structure of Kubernetes' kinds: fields, how lists merge, scopes.
 *
 * The facts of the API server are compiled in and cost nothing at start. A pl_types adds to them what OpenAPI documents
 * and CustomResourceDefinitions say; kinds defined there hide built-in ones of the same group, version and kind.
 *
 * Sources: Kubernetes OpenAPI v2 with its extensions x-kubernetes-patch-strategy, x-kubernetes-patch-merge-key,
 * x-kubernetes-list-type, x-kubernetes-list-map-keys, x-kubernetes-group-version-kind (KEP-555 and the API
 * conventions).
 *
 * Threads: a pl_types that is no longer added to may be read by any number of threads.
 */
#ifndef PLUMB_SCHEMA_H
#define PLUMB_SCHEMA_H

#include "doc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pl_types pl_types;

/* The schema of one value: a kind, a field, a list's items. A plain value; `in` NULL is "nothing is known". */
typedef struct pl_type {
	const void *in;
	uint32_t at;
	uint32_t reserved; /* the toolkit's own, as the others are */
} pl_type;

enum { PL_PATCH_MERGE = 1, PL_PATCH_REPLACE = 2, PL_PATCH_RETAIN_KEYS = 4 };
enum { PL_SCOPE_UNKNOWN = -1, PL_SCOPE_CLUSTER = 0, PL_SCOPE_NAMESPACED = 1 };

/*
 * Types that begin with the built-in ones (builtin 1), or with nothing (0), as Kustomize's `openapi: {path}` has it:
 * that document stands in place of all that is built in. Freed by pl_types_free().
 */
PL_API pl_types *pl_types_new(int builtin);
PL_API void pl_types_free(pl_types *t);
/*
 * An OpenAPI v2 document ("definitions"), or v3 ("components": {"schemas"}). References lead to definitions of any
 * document added, also later; else to built-in ones of that name; what is nowhere is unknown, and so are other files.
 * "paths" say scopes. After an error a part of it has been added.
 */
PL_API pl_status pl_types_add_openapi(pl_types *t, const pl_doc *d, const pl_node *root, pl_err *e);
/* A CustomResourceDefinition (v1 or v1beta1): every version's structural schema, and the scope. */
PL_API pl_status pl_types_add_crd(pl_types *t, const pl_doc *d, const pl_node *crd, pl_err *e);

/* t NULL: the built-in ones alone. */
PL_API pl_type pl_types_kind(const pl_types *t, pl_str group, pl_str version, pl_str kind);
PL_API pl_type pl_types_named(const pl_types *t, pl_str definition); /* "io.k8s.api.core.v1.PodSpec" */
/* PL_SCOPE_…; the built-in kinds' scopes are known also to types that began with nothing. */
PL_API int pl_types_scope(const pl_types *t, pl_str group, pl_str version, pl_str kind);

PL_API int pl_type_known(pl_type t);
PL_API int pl_type_kind(pl_type t);		      /* PL_MAP, PL_LIST, PL_STRING, PL_NUMBER, PL_BOOL; -1 unknown */
PL_API int pl_type_whole(pl_type t);		      /* 1: a number that is "integer" */
PL_API pl_type pl_type_field(pl_type t, pl_str name); /* a map's field; else its additionalProperties */
PL_API int pl_type_has_fields(pl_type t);	      /* 1: a map with named fields; 0: free-form */
PL_API size_t pl_type_fields(pl_type t, pl_str *names, size_t max);  /* how many; at most max are written, sorted */
PL_API pl_type pl_type_items(pl_type t);			     /* of a list */
PL_API uint32_t pl_type_strategy(pl_type t);			     /* PL_PATCH_…; 0: none is said */
PL_API pl_str pl_type_merge_key(pl_type t);			     /* x-kubernetes-patch-merge-key; empty: none */
PL_API size_t pl_type_map_keys(pl_type t, pl_str *keys, size_t max); /* x-kubernetes-list-map-keys, in their order */
PL_API pl_str pl_type_list_type(pl_type t);			     /* atomic, set, map, or empty */

/* Patches by type; see doc.h. An unknown type: maps merge, lists are replaced. */
PL_API pl_status pl_patch_strategic(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_type type,
				    pl_err *e);
/*
 * A client-side apply: what changed from original to modified is done to *live; what others have added stays. original
 * and modified may be of one other doc.
 */
PL_API pl_status pl_patch_three_way(pl_doc *d, pl_node **live, const pl_doc *pd, const pl_node *original,
				    const pl_node *modified, pl_type type, pl_err *e);

#ifdef __cplusplus
}
#endif
#endif
