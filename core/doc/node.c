/* SPDX-License-Identifier: Apache-2.0 */
#include "core/doc/node.h"

#include "core/base/mem.h"

/* Small documents are the rule (one manifest), so the first block is small; big ones soon pay one block in 2048 nodes.
 */
enum { BLOCK_FIRST = 32, BLOCK_MOST = 2048 };

pl_node *doc_node_block(pl_doc *d)
{
	size_t n = d->blocks ? d->blocks->n * 2 : BLOCK_FIRST;
	struct node_block *b;

	if (n > BLOCK_MOST)
		n = BLOCK_MOST;
	b = arena_alloc(d->arena, sizeof(*b) + n * sizeof(b->v[0]));
	b->older = d->blocks;
	b->n = n;
	d->blocks = b;
	d->free = b->v + 1;
	d->end = b->v + n;
	return b->v;
}

pl_node *doc_node_new(pl_doc *d, int kind, uint32_t file, uint32_t line, uint32_t col, pl_err *e)
{
	if (d->nodes >= d->limits.max_nodes) {
		pl_err_set(e, PL_ETOOBIG, doc_place(d, file, line, col), "document has more than %u values",
			   d->limits.max_nodes);
		return NULL;
	}
	return doc_node(d, kind, file, line, col);
}

/* One document mostly has one file; the renderer's has one for each manifest. */
enum { FEW_FILES = 16 };

static uint32_t file_known(const pl_doc *d, const char *name)
{
	size_t i;

	if (d->n_files > FEW_FILES) {
		i = keyset_find(&d->file_names, str_of(name));
		return i == SIZE_MAX ? 0 : (uint32_t)i;
	}
	for (i = d->n_files; i > 0; i--)
		if (strcmp(d->files[i - 1], name) == 0)
			return (uint32_t)i;
	return 0;
}

static void file_index(pl_doc *d)
{
	size_t i = d->n_files;

	if (i <= FEW_FILES)
		return;
	if (d->file_names.n == 0) {
		keyset_init(&d->file_names, d);
		i = 1;
	}
	for (; i <= d->n_files; i++)
		keyset_add(&d->file_names, str_of(d->files[i - 1]), i);
}

uint32_t doc_file(pl_doc *d, const char *name)
{
	const char **files;
	uint32_t known = name ? file_known(d, name) : 0;

	if (!name || known || d->n_files == NODE_FILE_MAX)
		return known;
	if (d->n_files == d->cap_files) {
		d->cap_files = d->cap_files ? d->cap_files * 2 : 4;
		files = arena_array(d->arena, d->cap_files, sizeof(*files));
		if (d->n_files)
			memcpy(files, d->files, d->n_files * sizeof(*files));
		d->files = files;
	}
	d->files[d->n_files++] = arena_dupz(d->arena, name);
	file_index(d);
	return (uint32_t)d->n_files;
}

const char *doc_file_name(const pl_doc *d, uint32_t file)
{
	return d && file > 0 && file <= d->n_files ? d->files[file - 1] : NULL;
}

/* ---- children ---- */

static size_t kids_room(const pl_node *n)
{
	return n->meta & NODE_GROWN ? *(const size_t *)(const void *)(n->u.kids - 1) : node_kids(n);
}

_Static_assert(sizeof(size_t) <= sizeof(pl_node *), "the capacity stands in one pointer's room");

void doc_grow_kids(pl_doc *d, pl_node *container, size_t more)
{
	size_t have = node_kids(container), need = have + more, room = kids_room(container);
	pl_node **kids;

	if (need <= room)
		return;
	room = room < 4 ? 4 : room * 2;
	if (room < need)
		room = need;
	kids = (pl_node **)arena_alloc(d->arena, (room + 1) * sizeof(*kids)) + 1;
	memcpy(kids - 1, &room, sizeof(room));
	if (have)
		memcpy(kids, container->u.kids, have * sizeof(*kids));
	container->u.kids = kids;
	container->meta |= NODE_GROWN;
}

void doc_list_add(pl_doc *d, pl_node *list, pl_node *item)
{
	doc_grow_kids(d, list, 1);
	list->u.kids[list->len++] = item;
}

void doc_map_add(pl_doc *d, pl_node *map, pl_node *key, pl_node *value)
{
	size_t at = (size_t)map->len * 2;

	doc_grow_kids(d, map, 2);
	map->u.kids[at] = key;
	map->u.kids[at + 1] = value;
	map->len++;
}

void doc_set_kids(pl_doc *d, pl_node *container, pl_node *const *kids, size_t n)
{
	container->meta &= ~NODE_GROWN;
	container->len = (uint32_t)(node_kind(container) == PL_MAP ? n / 2 : n);
	if (n == 0)
		return;
	container->u.kids = arena_alloc(d->arena, n * sizeof(*kids));
	memcpy(container->u.kids, kids, n * sizeof(*kids));
}

/* ---- tags: few nodes have one, so they don't pay for it with every node ---- */

static struct doc_tag *tag_slot(const pl_doc *d, const pl_node *n)
{
	size_t mask = d->cap_tags - 1, i = (size_t)(((uintptr_t)n >> 3) * 0x9e3779b97f4a7c15u >> 20) & mask;

	while (d->tags[i].node && d->tags[i].node != n)
		i = (i + 1) & mask;
	return &d->tags[i];
}

static void tags_grow(pl_doc *d)
{
	struct doc_tag *old = d->tags;
	size_t n = d->cap_tags, i;

	d->cap_tags = n ? n * 2 : 16;
	d->tags = mem_zalloc(d->cap_tags * sizeof(*d->tags));
	for (i = 0; i < n; i++)
		if (old[i].node)
			*tag_slot(d, old[i].node) = old[i];
	free(old);
}

void doc_set_tag(pl_doc *d, pl_node *n, pl_str tag)
{
	struct doc_tag *t;

	if ((d->n_tags + 1) * 2 > d->cap_tags)
		tags_grow(d);
	t = tag_slot(d, n);
	if (!t->node)
		d->n_tags++;
	t->node = n;
	t->text = tag;
	n->meta |= NODE_TAG;
}

pl_str pl_tag(const pl_doc *d, const pl_node *n)
{
	return d && n && (n->meta & NODE_TAG) && d->cap_tags ? tag_slot(d, n)->text : (pl_str){NULL, 0};
}
