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

struct render_step {
	const struct plugin *plugin;
	pl_str options;
	pl_tree *tree;
	pl_str path, app, ns, revision;
	pl_doc *doc;
};

/* in: what the previous step made. out: fresh. `List` kinds are opened, empty documents dropped. */
pl_status render_run(struct registry *r, const struct render_step *step, const struct nodes *in, struct nodes *out,
		     const struct log *log, struct cancel *cancel, int64_t timeout_ms, struct pl_err *e);

#endif
