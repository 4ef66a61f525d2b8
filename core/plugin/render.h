/* SPDX-License-Identifier: Apache-2.0 */
/* One render step through a renderer plugin. */
#ifndef PLUGIN_RENDER_H
#define PLUGIN_RENDER_H

#include "core/plugin/source.h"

struct nodes {
	pl_node **v;
	size_t n, cap;
}; /* v malloc'ed; nodes in a pl_doc */

void nodes_add(struct nodes *l, pl_node *n);
void nodes_free(struct nodes *l);

/*
 * Other trees that a renderer asks for: whoever runs the render says where they come from, and whether they may. Looks
 * are noted in the trace of the render.
 */
struct remote_want {
	const struct plugin *plugin; /* a source */
	pl_str options;		     /* checked, canonical, without revision */
	pl_str revision;
	pl_str name; /* for errors: the option "url" */
};

struct remote_found {
	pl_str id;		   /* also set on errors that are answers of the other side: "" */
	struct snapshot *snapshot; /* the caller's to unref */
};

struct remotes {
	/* Strings of out are in a. */
	pl_status (*open)(struct remotes *self, const struct remote_want *w, struct cancel *cancel, struct arena *a,
			  struct remote_found *out, struct pl_err *e);
};

/* An answer that the same question gets again until the other side changes, not a failure to ask. */
bool remote_is_answer(pl_status st);

struct render_step {
	const struct plugin *plugin;
	pl_str options;
	pl_tree *tree;
	pl_str path, app, ns, revision;
	pl_doc *doc;
	struct remotes *remotes; /* NULL: no other trees */
};

/* in: what the previous step made. out: fresh. `List` kinds are opened, empty documents dropped. */
pl_status render_run(struct registry *r, const struct render_step *step, const struct nodes *in, struct nodes *out,
		     const struct log *log, struct cancel *cancel, int64_t timeout_ms, struct pl_err *e);

#endif
