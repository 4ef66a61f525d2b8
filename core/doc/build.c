/* SPDX-License-Identifier: Apache-2.0 */
/* Making and changing nodes. */
#include "core/doc/node.h"

#include "core/base/mem.h"

#include <inttypes.h>

/* NULL in a frozen document: other threads may be reading it. What is then done with the NULL is refused, too. */
static pl_node *make(pl_doc *d, int kind, pl_str text)
{
	pl_node *n;

	if (d->frozen)
		return NULL;
	n = doc_node(d, kind, 0, 0, 0);
	node_set_text(n, kind, text);
	return n;
}

pl_node *pl_new_null(pl_doc *d)
{
	return make(d, PL_NULL, S("null"));
}

pl_node *pl_new_bool(pl_doc *d, int value)
{
	pl_node *n = make(d, PL_BOOL, value ? S("true") : S("false"));

	if (n && value)
		n->meta |= NODE_TRUE;
	return n;
}

pl_node *pl_new_int(pl_doc *d, int64_t value)
{
	return d->frozen ? NULL : make(d, PL_NUMBER, arena_printf(d->arena, "%" PRId64, value));
}

pl_node *pl_new_number(pl_doc *d, pl_str text)
{
	return d->frozen || !number_is_json(text) ? NULL : make(d, PL_NUMBER, doc_string(d, text));
}

pl_node *pl_new_string(pl_doc *d, pl_str text)
{
	if (text.n > UINT32_MAX)
		BUG("a string of 4 GiB");
	return d->frozen ? NULL : make(d, PL_STRING, doc_string(d, text));
}

pl_node *pl_new_list(pl_doc *d)
{
	return make(d, PL_LIST, S(""));
}

pl_node *pl_new_map(pl_doc *d)
{
	return make(d, PL_MAP, S(""));
}

void pl_set_at(pl_doc *d, pl_node *n, const pl_doc *from, const pl_node *place)
{
	uint32_t file;

	if (!n || !place || (n->meta & NODE_FROZEN))
		return;
	file = d == from ? node_file(place) : doc_file(d, doc_file_name(from, node_file(place)));
	n->line = place->line;
	n->col = place->col;
	n->meta = (n->meta & ~(NODE_FILE_MAX << NODE_FILE_SHIFT)) | file << NODE_FILE_SHIFT;
}

void pl_set_style(pl_node *n, int style)
{
	if (!n || n->meta & NODE_FROZEN || style < PL_STYLE_ANY || style > PL_STYLE_FLOW)
		return;
	node_set_style(n, style);
	if (node_kind(n) == PL_STRING)
		n->meta &= ~NODE_TIME;
}

pl_status pl_become(pl_doc *d, pl_node *n, const pl_node *value)
{
	const uint32_t place = NODE_FILE_MAX << NODE_FILE_SHIFT;

	if (!n || !value || node_is_container(n) || node_is_container(value))
		return PL_EINVAL;
	if (d->frozen || (n->meta & NODE_FROZEN))
		return PL_EDENIED;
	if (n == value)
		return PL_OK;
	if ((n->meta | value->meta) & NODE_TAG)
		doc_set_tag(d, n, pl_tag(d, value));
	n->meta = (n->meta & (place | NODE_TAG)) | (value->meta & ~(place | NODE_TAG));
	n->len = value->len;
	n->u = value->u;
	return PL_OK;
}

/* ---- copies ---- */

/* Nodes of one file come in runs, so the last file's number is remembered. */
struct copier {
	pl_doc *to;
	const pl_doc *from;
	uint32_t from_file, to_file;
};

static pl_node *copy_one(struct copier *c, const pl_node *n)
{
	pl_node *copy;
	uint32_t file = node_file(n);

	if (c->to != c->from && file != c->from_file) {
		c->from_file = file;
		c->to_file = doc_file(c->to, doc_file_name(c->from, file));
	}
	copy = doc_node(c->to, node_kind(n), c->to == c->from ? file : c->to_file, n->line, n->col);
	copy->meta |= n->meta & (NODE_STYLE | NODE_TRUE | NODE_OCTAL);
	if (n->meta & NODE_TAG)
		doc_set_tag(c->to, copy, doc_string(c->to, pl_tag(c->from, n)));
	if (!node_is_container(n)) {
		copy->len = n->len;
		copy->u.s = c->to == c->from ? n->u.s : doc_string(c->to, node_text(n)).p;
	} else if (n->len) {
		doc_set_kids(c->to, copy, n->u.kids, node_kids(n));
	}
	return copy;
}

/* A copied container first points to the originals; each is then replaced by its copy. */
static void copy_kids(struct copier *c, pl_node *top)
{
	pl_node **stack = NULL;
	size_t n = 0, cap = 0, i, end;

	for (;;) {
		end = node_kids(top);
		for (i = 0; i < end; i++) {
			pl_node *kid = top->u.kids[i] = copy_one(c, top->u.kids[i]);

			if (node_is_container(kid) && kid->len) {
				stack = mem_grow(stack, &cap, n + 1, sizeof(*stack));
				stack[n++] = kid;
			}
		}
		if (n == 0)
			break;
		top = stack[--n];
	}
	free(stack);
}

pl_node *pl_copy(pl_doc *d, const pl_doc *from, const pl_node *n)
{
	struct copier c = {.to = d, .from = from};
	pl_node *copy;

	if (!n || d->frozen)
		return NULL;
	copy = copy_one(&c, n);
	if (node_is_container(copy))
		copy_kids(&c, copy);
	return copy;
}

/* ---- changing containers ---- */

static pl_status check_change(const pl_doc *d, const pl_node *n, int kind, const pl_node *part)
{
	if (!n || node_kind(n) != kind)
		return PL_EINVAL;
	if (d->frozen || (n->meta & NODE_FROZEN))
		return PL_EDENIED;
	if (!part || n == part)
		return PL_EINVAL;
	/* A frozen part belongs to another doc and may die before this one. */
	if (part->meta & NODE_FROZEN)
		return PL_EDENIED;
	return n->len == UINT32_MAX ? PL_ETOOBIG : PL_OK;
}

pl_status pl_append(pl_doc *d, pl_node *list, pl_node *item)
{
	pl_status st = check_change(d, list, PL_LIST, item);

	if (st == PL_OK)
		doc_list_add(d, list, item);
	return st;
}

pl_status pl_insert(pl_doc *d, pl_node *list, size_t i, pl_node *item)
{
	pl_status st = check_change(d, list, PL_LIST, item);

	if (st)
		return st;
	if (i > list->len)
		return PL_ENOTFOUND;
	doc_grow_kids(d, list, 1);
	memmove(list->u.kids + i + 1, list->u.kids + i, (list->len - i) * sizeof(*list->u.kids));
	list->u.kids[i] = item;
	list->len++;
	return PL_OK;
}

pl_status pl_set_item(pl_doc *d, pl_node *list, size_t i, pl_node *item)
{
	pl_status st = check_change(d, list, PL_LIST, item);

	if (st)
		return st;
	if (i >= list->len)
		return PL_ENOTFOUND;
	list->u.kids[i] = item;
	return PL_OK;
}

/* Takes n pointers out of the children's array. What is left counts as full unless the array knows its room. */
static void cut_kids(pl_node *n, size_t at, size_t count)
{
	size_t end = node_kids(n);

	memmove(n->u.kids + at, n->u.kids + at + count, (end - at - count) * sizeof(*n->u.kids));
	n->len--;
}

pl_status pl_remove_item(pl_doc *d, pl_node *list, size_t i)
{
	if (!list || node_kind(list) != PL_LIST)
		return PL_EINVAL;
	if (d->frozen || (list->meta & NODE_FROZEN))
		return PL_EDENIED;
	if (i >= list->len)
		return PL_ENOTFOUND;
	cut_kids(list, i, 1);
	return PL_OK;
}

pl_status pl_set(pl_doc *d, pl_node *map, pl_str key, pl_node *value)
{
	pl_status st = check_change(d, map, PL_MAP, value);
	size_t i;

	if (st)
		return st;
	i = node_find(map, key);
	if (i == SIZE_MAX)
		doc_map_add(d, map, pl_new_string(d, key), value);
	else
		map->u.kids[2 * i + 1] = value;
	return PL_OK;
}

pl_status pl_add(pl_doc *d, pl_node *map, pl_str key, pl_node *value)
{
	pl_status st = check_change(d, map, PL_MAP, value);

	if (!st)
		doc_map_add(d, map, pl_new_string(d, key), value);
	return st;
}

pl_status pl_sets(pl_doc *d, pl_node *map, const char *key, pl_node *value)
{
	return pl_set(d, map, str_of(key), value);
}

pl_status pl_remove(pl_doc *d, pl_node *map, pl_str key)
{
	size_t i;

	if (!map || node_kind(map) != PL_MAP)
		return PL_EINVAL;
	if (d->frozen || (map->meta & NODE_FROZEN))
		return PL_EDENIED;
	i = node_find(map, key);
	if (i == SIZE_MAX)
		return PL_ENOTFOUND;
	cut_kids(map, 2 * i, 2);
	return PL_OK;
}
