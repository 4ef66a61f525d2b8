/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - targets: which folder a kustomization lies in, and which files and folders it may name. */
#ifndef KUSTOMIZE_LOAD_H
#define KUSTOMIZE_LOAD_H

#include "kustomize.h"

struct options {
	bool anywhere; /* loadRestrictor: none */
	pl_str url;    /* of the kustomization to build; empty: the application's folder */
};

struct place;
struct remote; /* a URL of a repository, taken apart (remote.h) */
struct kustomization;

struct target {
	struct target *above; /* who names it; NULL: the one that is built */
	pl_tree *tree;
	pl_str root;		     /* its folder in tree, without links; "" is the tree's own root */
	pl_str shown;		     /* what people call the folder */
	bool anywhere;		     /* its files may lie outside of root */
	const struct remote *remote; /* the URL that it was fetched from; NULL: a folder of above's tree */
	const struct kustomization *k;
	const struct place *origin; /* of what it brings; NULL without buildMetadata */
};

enum path_kind { PATH_FILE, PATH_DIR, PATH_URL, PATH_ABSENT };

/* The folder that is built. */
pl_status target_top(struct build *b, struct target **out);
/* The folder, or the remote one, that t names for another kustomization. */
pl_status target_below(struct build *b, struct target *t, const pl_node *at, pl_str path, struct target **out);
/* What path names, as seen from t. */
pl_status target_look(struct build *b, struct target *t, const pl_node *at, pl_str path, enum path_kind *out);
/* dir/path without "." and ".." steps. false: it climbs out of the tree; clamp: there ".." leads nowhere instead. */
bool path_join(struct build *b, pl_str dir, pl_str path, bool clamp, pl_str *out);
/* A text that is no path: a YAML document within the kustomization file. */
bool is_inline(pl_str text);

/* The host has failed a look at the tree: an error with a place. Returns code. */
pl_status look_failed(struct build *b, pl_status code, const pl_node *at, pl_str name);
bool cancelled(struct build *b, pl_status *st);

#endif
