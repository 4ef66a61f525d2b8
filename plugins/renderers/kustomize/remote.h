/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h - kustomizations and files that lie in other repositories. */
#ifndef KUSTOMIZE_REMOTE_H
#define KUSTOMIZE_REMOTE_H

#include "load.h"

struct remote {
	pl_str raw;  /* as written */
	pl_str repo; /* what git clones */
	pl_str path; /* the folder in it; "" is its root */
	pl_str ref;  /* branch, tag or commit; "": the default branch */
	bool marked; /* "//", ".git" or "_git/" says that it is a repository, not a file */
};

/* false: text names no repository. *why says what is missing. */
bool remote_read(struct build *b, pl_str text, struct remote *out, const char **why);
bool remote_is_http(pl_str text);
pl_status remote_open(struct build *b, const struct remote *r, const pl_node *at, pl_tree **out);
/* A file by its URL. */
pl_status remote_file(struct build *b, pl_str url, const pl_node *at, pl_str *text, const char **file);

#endif
