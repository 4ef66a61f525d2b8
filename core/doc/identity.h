/* SPDX-License-Identifier: Apache-2.0 */
/* What makes an object itself: group, kind, namespace, name. The version is not part of it. */
#ifndef DOC_IDENTITY_H
#define DOC_IDENTITY_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "plumb/doc.h"
#include "plumb/plugin.h" /* pl_ref */

/*
 * Reads apiVersion, kind, metadata.{namespace,name,generateName}. Slices point into n. PL_EINVAL with the place when
 * they are missing or of the wrong type.
 */
pl_status ref_of(const pl_doc *d, const pl_node *n, pl_ref *out, struct pl_err *e);

bool ref_same(const pl_ref *a, const pl_ref *b); /* version aside */
int ref_cmp(const pl_ref *a, const pl_ref *b);	 /* group, kind, namespace, name */
uint64_t ref_hash(const pl_ref *r);
pl_ref ref_dup(struct arena *a, const pl_ref *r);

/* "apps/Deployment:shop/web"; "Namespace:shop" for cluster-scoped core kinds. */
void ref_print(const pl_ref *r, struct buf *b);
/* "Deployment/web" as people type it; with the group ("Deployment.apps/web") when long_form. */
void ref_print_short(const pl_ref *r, bool long_form, struct buf *b);

/* plumb.dev/tracking-id: APP:GROUP/KIND:NAMESPACE/NAME (docs/directory.md). */
#define TRACKING_ANNOTATION "plumb.dev/tracking-id"
void tracking_print(pl_str app, const pl_ref *r, struct buf *b);
/* Slices point into id. PL_EINVAL: not a tracking id. out->version is empty. */
pl_status tracking_parse(pl_str id, pl_str *app, pl_ref *out);

/* Kubernetes' own kinds, compiled in: is it cluster-scoped? */
enum scope { SCOPE_UNKNOWN, SCOPE_NAMESPACED, SCOPE_CLUSTER };
enum scope scope_known(pl_str group, pl_str kind);
/* The scope a CustomResourceDefinition gives to its kind; SCOPE_UNKNOWN when crd is none or unreadable. */
enum scope scope_of_crd(const pl_node *crd, pl_str *group, pl_str *kind);

/* apiVersion cut into group and version: "apps/v1", "v1". */
void api_version_cut(pl_str api_version, pl_str *group, pl_str *version);

/* A kind whose values must not be shown: core Secret. */
bool ref_is_secret(const pl_ref *r);
/*
 * Copies of Secret objects a and b (either may be NULL) in d, fit to be shown: every value of data, stringData and any
 * field that a Secret should not have is replaced by a mark of its own, the same for equal values ("++++++++"), longer
 * for changed ones, as kubectl and Argo CD do; the last-applied annotation is dropped.
 */
void secret_mask(pl_doc *d, const pl_doc *da, const pl_node *a, const pl_doc *db, const pl_node *b, pl_node **masked_a,
		 pl_node **masked_b);

#endif
