/* SPDX-License-Identifier: Apache-2.0 */
/* Trees made by programs may be as deep as memory allows: nothing here recurses. */
#include "core/doc/node.h"

#include "core/base/mem.h"

void walk_init(struct walk *w, const pl_node *root)
{
	*w = (struct walk){.root = root};
}

static const pl_node *enter(struct walk *w, const pl_node *n, enum walk_event *event)
{
	if (!node_is_container(n)) {
		*event = WALK_SCALAR;
		return n;
	}
	w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = (struct walk_frame){n, 0};
	*event = WALK_ENTER;
	return n;
}

const pl_node *walk_next(struct walk *w, enum walk_event *event)
{
	const pl_node *n = w->root;
	struct walk_frame *f;

	if (n) {
		w->root = NULL;
		return enter(w, n, event);
	}
	if (w->n == 0)
		return NULL;
	f = &w->v[w->n - 1];
	if (f->i == node_kids(f->node)) {
		w->n--;
		*event = WALK_LEAVE;
		return f->node;
	}
	n = f->node->u.kids[f->i++];
	if (node_kind(f->node) == PL_MAP && f->i % 2 == 1) {
		*event = WALK_KEY;
		return n;
	}
	return enter(w, n, event);
}

void walk_free(struct walk *w)
{
	free(w->v);
	*w = (struct walk){0};
}
