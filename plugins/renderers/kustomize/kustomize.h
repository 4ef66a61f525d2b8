/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kustomize.h - what the files of this plugin share: one build, its resources, and the transformers' common form.
 *
 * Everything of a build lives in call->doc (nodes) and in an arena (the rest); both die with it. All nodes of all files
 * are in the one doc, so nodes may be moved and shared between maps that are only read. Errors are collected in b->err
 * (pl_err_set with the node's place, pl_err_in for what was being done) and reported once, by plugin.c.
 *
 * Cost: nothing may look at every resource for every patch, generator, replacement or reference. resmap_named() finds
 * by name in constant time.
 */
#ifndef KUSTOMIZE_H
#define KUSTOMIZE_H

#include "plumb/doc.h"
#include "plumb/plugin.h"
#include "plumb/regex.h"
#include "plumb/schema.h"
#include "util.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- one build ---- */

struct target; /* one kustomization being built: its folder, its loader's rules, its file (load.h) */

struct build {
	const pl_host *h;
	const pl_render_call *call;
	pl_doc *doc;
	struct arena *mem;
	pl_err *err;
	const struct options *options; /* of the render step (plugin.c) */
	pl_types *types;	       /* what is known of kinds: built in, openapi: and crds: of this build */
	bool types_set;		       /* by openapi: of a kustomization: the first one in the build counts */
	uint32_t depth;		       /* kustomizations on the way down */
	uint32_t targets;	       /* kustomizations so far */
	uint64_t renamed;	       /* changes of identity so far */
	uint64_t deleted;	       /* resources whose node was set to NULL so far; counted by who does so */
	uint64_t made;		       /* bytes that copies take so far (budget.h) */
};

/* Sets b->err. at may be NULL. Returns code. */
pl_status fail(struct build *b, pl_status code, const pl_node *at, const char *fmt, ...) PL_PRINTF(4, 5);
#ifdef LINT_PLUGIN /* tests/lint.h: the analyzer can't know that it never returns PL_OK */
#define fail(...) lint_failed(fail(__VA_ARGS__))
#endif

/* ---- resources ---- */

struct gvk {
	pl_str group, version, kind;
};

struct id { /* strings are in the arena or in nodes that don't change */
	struct gvk gvk;
	pl_str name;
	pl_str ns;    /* as written; id_namespace() gives the effective one */
	bool cluster; /* the kind has no namespaces; ids not made by resource.c may leave it false */
};

struct strings {
	pl_str *v;
	uint32_t n, cap;
};

enum behavior { BEHAVIOR_UNSPECIFIED, BEHAVIOR_CREATE, BEHAVIOR_REPLACE, BEHAVIOR_MERGE };

struct origin; /* buildMetadata (origin.h) */

struct resource {
	pl_node *node;	     /* the object, a map; NULL once deleted by a patch */
	struct id id;	     /* as it is now; after a change of node's identity: resource_refresh() */
	struct id *previous; /* oldest first; what it was called before each change */
	uint32_t n_previous, cap_previous;
	struct strings prefixes, suffixes;	   /* in the order they were put on */
	bool needs_hash;			   /* a generated object whose name gets its content's hash */
	bool allow_name_change, allow_kind_change; /* patches: their options */
	/*
	 * A label that was put into several places at once is one node there, and who changes one of them by
	 * pl_become() changes all: the reference's behaviour. What rewrites the object as a whole (JSON patches) ends
	 * it.
	 */
	bool shares;
	uint8_t behavior;	 /* enum behavior */
	struct strings ref_vars; /* names of vars that were found in it */
	struct origin *origin;	 /* where it came from; NULL without buildMetadata */
	uint32_t at;		 /* its index in the resmap that holds it now */
};

/* The resources of one accumulation, in order. Opaque index by every name that each resource has or had. */
struct resmap {
	struct resource **v;
	uint32_t n, cap;
	struct name_index *index; /* NULL until it is asked for */
};

struct resmap *resmap_new(struct build *b);
/* Appends; PL_EEXIST with the error "may not add resource with an already registered id" when its current id is there.
 */
pl_status resmap_append(struct build *b, struct resmap *m, struct resource *r);
/* Every resource that is or was called name (whatever its kind), in the map's order. *out lives until the map changes.
 */
size_t resmap_named(struct build *b, struct resmap *m, pl_str name, struct resource *const **out);
/* Takes out the resources whose node is NULL. */
void resmap_compact(struct resmap *m);
/* Generated resources: by behavior created, merged into or replacing what has the id. */
pl_status resmap_absorb(struct build *b, struct resmap *m, struct resource *r);
/* moves all of from to the end of m; an id that is there twice is an error */
pl_status resmap_append_all(struct build *b, struct resmap *m, struct resmap *from);

/* A resource over node (a map with apiVersion, kind and metadata.name): checks and reads its identity. */
pl_status resource_new(struct build *b, pl_node *node, struct resource **out);
pl_status resource_check(struct build *b, pl_node *node); /* could node be one? */
/* Reads the identity again after node's apiVersion, kind, name or namespace have changed; keeps m's index (m may be
 * NULL). */
void resource_refresh(struct build *b, struct resmap *m, struct resource *r);
/* Remembers the present id as a previous one. Before a change of name, namespace or kind. */
void resource_remember(struct build *b, struct resource *r);
const struct id *resource_original(const struct resource *r);	     /* the oldest id */
bool resource_had_id(const struct resource *r, const struct id *id); /* now or before */
/* metadata.name, metadata.namespace, kind … are set in node; then resource_refresh() */
void resource_set_name(struct build *b, struct resmap *m, struct resource *r, pl_str name);
void resource_set_namespace(struct build *b, struct resmap *m, struct resource *r, pl_str ns); /* "": takes it out */

pl_str scalar_text(const pl_node *n);	  /* "" for null, lists and maps */
struct gvk gvk_of(const pl_node *object); /* from apiVersion and kind */
bool gvk_equal(const struct gvk *a, const struct gvk *b);
bool gvk_selects(const struct gvk *selector, const struct gvk *g); /* empty parts of selector match all */
bool gvk_cluster_scoped(const struct build *b, const struct gvk *g);
bool id_equal(const struct id *a, const struct id *b); /* group, version, kind, name and effective namespace */
pl_str id_namespace(const struct build *b,
		    const struct id *id); /* effective: "default" for none; a mark for cluster-scoped kinds */
/* "Deployment.v1.apps/web.shop", as the reference and its users write it; in the arena */
pl_str id_text(struct build *b, const struct id *id);

/* ---- field specs: where in which kinds a transformer works ---- */

struct fieldspec {
	struct gvk gvk; /* empty parts: any */
	pl_str path;	/* as written: "spec/template/spec/containers[]/image", "\/" for a slash within a step */
	bool create;
	const pl_node *at; /* where it is written; NULL: built in */
};

struct fieldspecs {
	struct fieldspec *v;
	uint32_t n, cap;
};

/* Adds one; the same place with another `create` is an error, the same one twice is once. at: for its place. */
pl_status fieldspecs_add(struct build *b, struct fieldspecs *l, const struct fieldspec *f, const pl_node *at);
/* Reads a list of {group, version, kind, path, create} (configurations: and transformers' fieldSpecs:). */
pl_status fieldspecs_read(struct build *b, const pl_node *list, struct fieldspecs *out);

/*
 * Calls set for every node that f finds in object; with create, missing maps and the last step are made (kind is what
 * an absent leaf becomes: PL_STRING null-like, PL_MAP or PL_LIST). *slot may be replaced by set.
 */
typedef pl_status (*field_set_fn)(struct build *b, void *ctx, pl_node *parent, pl_str key, size_t item, pl_node **slot);
pl_status fieldspec_each(struct build *b, pl_node *object, const struct fieldspec *f, int kind, field_set_fn set,
			 void *ctx);

/* ---- the transformers' configuration: built-in tables, configurations:, crds: ---- */

struct name_reference {
	struct gvk gvk; /* what is referred to */
	struct fieldspecs referrers;
};

struct config {
	/* labels: what commonLabels: and labels: with includeSelectors go to; plain_labels: `labels:` of configurations
	 */
	struct fieldspecs name_prefix, name_suffix, ns, labels, template_labels, annotations, images, replicas, vars;
	struct fieldspecs plain_labels;
	struct name_reference *references;
	uint32_t n_references, cap_references;
	struct fieldspecs claim_labels; /* for includeVolumeClaimTemplates */
};

/* The built-in tables (config_tables.c). Shared: a build merges into copies. */
const struct config *config_builtin(struct build *b);
struct config *config_copy(struct build *b, const struct config *c);
pl_status config_merge(struct build *b, struct config *into, const struct config *from, const pl_node *at);
/* A configurations: file, or what a crds: file says, merged into `into`. */
pl_status config_read(struct build *b, struct config *into, const pl_node *root);
pl_status config_read_crd(struct build *b, struct config *into, const pl_node *root);

/* ---- built-in transformers and generators ---- */

/*
 * One transformer. cfg is its configuration in the form of a `transformers:` file (apiVersion builtin, kind
 * NamespaceTransformer …). What a kustomization's own fields ask for comes in the same form, made by fields.c, whose
 * nodes keep their places; then `fields` are the tables of this target to use where cfg has no fieldSpecs of its own,
 * and NULL for a `transformers:` file. t: for files that cfg names (target_load()).
 */
typedef pl_status (*transform_fn)(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
				  struct resmap *m);
/* One generator: its resources go to out, with behavior and needs_hash set. */
typedef pl_status (*generate_fn)(struct build *b, struct target *t, const pl_node *cfg, struct resmap *out);

pl_status transform_namespace(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_prefix(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_suffix(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_labels(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_annotations(struct build *, struct target *, const pl_node *, const struct config *,
				struct resmap *);
pl_status transform_images(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_replicas(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_value_add(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_sort_order(struct build *, struct target *, const pl_node *, const struct config *,
			       struct resmap *);
pl_status transform_hash(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_patch(struct build *, struct target *, const pl_node *, const struct config *, struct resmap *);
pl_status transform_patch_strategic(struct build *, struct target *, const pl_node *, const struct config *,
				    struct resmap *);
pl_status transform_patch_json(struct build *, struct target *, const pl_node *, const struct config *,
			       struct resmap *);
pl_status transform_replacement(struct build *, struct target *, const pl_node *, const struct config *,
				struct resmap *);
pl_status generate_config_map(struct build *, struct target *, const pl_node *, struct resmap *);
pl_status generate_secret(struct build *, struct target *, const pl_node *, struct resmap *);
pl_status generate_iam_policy(struct build *, struct target *, const pl_node *, struct resmap *);

/* The content's hash that goes behind a generated object's name. */
pl_status content_hash(struct build *b, const pl_node *object, pl_str *out);
/* Once, at the end of a build: every field that refers to a name follows it (references.c). */
pl_status fix_references(struct build *b, const struct config *c, struct resmap *m);

/* ---- vars (vars.c) ---- */

struct var {
	pl_str name;
	struct id object;  /* group, version, kind, name, namespace of objref */
	pl_str field_path; /* metadata.name when empty */
	const pl_node *at;
};
struct vars {
	struct var *v;
	uint32_t n, cap;
	uint32_t *slots; /* of many: positions + 1 by their names' hashes; a power of two */
	uint32_t n_slots;
};
/* Reads vars: and merges them into l; the same name twice is an error that names both. */
pl_status vars_read(struct build *b, const pl_node *list, struct vars *l);
pl_status vars_merge(struct build *b, struct vars *into, const struct vars *from);
/* Once, after fix_references(). What is unused or unknown is said by the host's log, as the reference does. */
pl_status vars_resolve(struct build *b, const struct config *c, const struct vars *l, struct resmap *m);

/* ---- selecting (select.c) ---- */

/*
 * group, version, kind, name, namespace are regular expressions anchored at both ends, tried on the original and every
 * later id; labelSelector and annotationSelector as Kubernetes has them. A literal name costs no scan.
 */
struct selector;
pl_status selector_read(struct build *b, const pl_node *target, struct selector **out);
bool selector_matches(struct build *b, const struct selector *s, const struct resource *r);
/* The matching ones, in order. *out is in the arena. */
pl_status selector_find(struct build *b, const struct selector *s, struct resmap *m, struct resource ***out, size_t *n);

/* ---- strategic merge as Kustomize does it (merge.c) ---- */

/*
 * Merges patch into *object by the kind's schema (b->types), by the reference's rules (they differ from an API
 * server's: order of list items, inferred merge keys, null). *object becomes NULL when the patch deletes it
 * ($patch: delete at the top). The patch is not changed.
 */
pl_status merge_patch(struct build *b, pl_node **object, const pl_node *patch);

/* ---- files (load.c) ---- */

/* A file that a kustomization names, by its rules (load restrictions, links). file is its name for places. at: who
 * names it. */
pl_status target_load(struct build *b, struct target *t, const pl_node *at, pl_str path, pl_str *text,
		      const char **file);
/* Parses text (YAML or JSON, many documents, `List` kinds opened) as resources are read. */
pl_status resources_read(struct build *b, pl_str text, const char *file, struct resmap *out);

#endif
