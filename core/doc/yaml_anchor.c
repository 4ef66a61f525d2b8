/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors of one document, and aliases: copied where they stand, within limits, so that a tree stays a tree. */
#include "core/doc/yaml_read.h"

#include "core/base/mem.h"

static struct yaml_anchor *find(const struct yaml_builder *b, pl_str name)
{
	size_t i = b->n_anchors ? keyset_find(&b->anchor_names, name) : SIZE_MAX;

	return i == SIZE_MAX ? NULL : &b->anchors[i];
}

void yaml_anchor_set(struct yaml_builder *b, pl_str name, pl_node *node, bool open)
{
	struct yaml_anchor *a = find(b, name);

	if (!a) {
		if (b->n_anchors == b->cap_anchors)
			b->anchors = mem_grow(b->anchors, &b->cap_anchors, b->n_anchors + 1, sizeof(*b->anchors));
		keyset_add(&b->anchor_names, doc_string(b->d, name), b->n_anchors);
		a = &b->anchors[b->n_anchors++];
	}
	*a = (struct yaml_anchor){.node = node, .open = open};
}

void yaml_anchors_clear(struct yaml_builder *b)
{
	if (!b->n_anchors)
		return;
	b->n_anchors = 0;
	keyset_free(&b->anchor_names);
	keyset_init(&b->anchor_names, b->d);
}

static bool is_open(const struct yaml_builder *b, const pl_node *node)
{
	for (size_t i = 0; i < b->n_frames; i++)
		if (b->frames[i].node == node)
			return true;
	return false;
}

/* Counts the nodes below and with a->node, and how deep they go. */
static void measure(struct yaml_anchor *a)
{
	enum walk_event event;
	size_t deepest = 0;
	struct walk w;

	walk_init(&w, a->node);
	while (walk_next(&w, &event)) {
		a->count += event != WALK_LEAVE;
		if (w.n > deepest)
			deepest = w.n;
	}
	walk_free(&w);
	a->height = (uint32_t)deepest;
}

static pl_node *refuse(const struct yaml_builder *b, pl_status code, pl_place at, const char *what, pl_str name,
		       uint64_t limit)
{
	if (code == PL_ETOOBIG)
		pl_err_set(b->e, code, at, "alias '*%.*s' takes %s over the limit of %llu", F(name), what,
			   (unsigned long long)limit);
	else
		pl_err_set(b->e, code, at, "alias '*%.*s' %s", F(name), what);
	return NULL;
}

pl_node *yaml_alias(struct yaml_builder *b, pl_str name, uint32_t line, uint32_t col)
{
	const pl_limits *max = &b->d->limits;
	pl_place at = doc_place(b->d, b->file, line, col);
	struct yaml_anchor *a = find(b, name);

	if (!a)
		return refuse(b, PL_EINVAL, at, "names no anchor before it in this document", name, 0);
	if (a->open && is_open(b, a->node))
		return refuse(b, PL_EINVAL, at, "stands inside what it names", name, 0);
	a->open = false;
	if (!a->count)
		measure(a);
	b->aliased += a->count;
	if (b->aliased > max->max_aliased)
		return refuse(b, PL_ETOOBIG, at, "the values that aliases make", name, max->max_aliased);
	if (b->d->nodes + a->count > max->max_nodes)
		return refuse(b, PL_ETOOBIG, at, "the values of the document", name, max->max_nodes);
	if (b->n_frames + a->height > max->max_depth)
		return refuse(b, PL_ETOOBIG, at, "the nesting", name, max->max_depth);
	return pl_copy(b->d, b->d, a->node);
}
