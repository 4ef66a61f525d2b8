/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a document: made, changed by one thread, perhaps frozen and shared, freed with everything in it. */
#include "core/doc/node.h"

#include "core/base/mem.h"

enum { DEPTH = 512, NODES = 16 * 1024 * 1024, BYTES = 256 * 1024 * 1024, ALIASED = 100000 };

pl_doc *pl_doc_new(const pl_limits *limits)
{
	pl_doc *d = mem_zalloc(sizeof(*d));

	if (limits)
		d->limits = *limits;
	if (!d->limits.max_depth)
		d->limits.max_depth = DEPTH;
	if (!d->limits.max_nodes)
		d->limits.max_nodes = NODES;
	if (!d->limits.max_bytes)
		d->limits.max_bytes = BYTES;
	if (!d->limits.max_aliased)
		d->limits.max_aliased = ALIASED;
	atomic_init(&d->refs, 1);
	d->arena = arena_new();
	return d;
}

pl_doc *pl_doc_ref(pl_doc *d)
{
	if (!d->frozen)
		BUG("a document is shared that is not frozen");
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

void pl_doc_unref(pl_doc *d)
{
	/* Release: what this thread read happens before the free; acquire: the last one sees it all. */
	if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(d->arena);
	free(d->tags);
	keyset_free(&d->file_names);
	free(d);
}

void pl_doc_freeze(pl_doc *d)
{
	struct node_block *b;

	if (d->frozen)
		return;
	for (b = d->blocks; b; b = b->older) {
		pl_node *n, *end = b == d->blocks ? d->free : b->v + b->n;

		for (n = b->v; n < end; n++)
			n->meta |= NODE_FROZEN;
	}
	d->frozen = true;
}

int pl_doc_frozen(const pl_doc *d)
{
	return d && d->frozen;
}

size_t pl_doc_memory(const pl_doc *d)
{
	return d ? sizeof(*d) + arena_memory(d->arena) + d->cap_tags * sizeof(*d->tags) +
			       d->file_names.cap * sizeof(*d->file_names.slots)
		 : 0;
}

void pl_free(void *p)
{
	free(p);
}
