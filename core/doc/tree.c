/* SPDX-License-Identifier: Apache-2.0 */
/* Reading nodes. A NULL node is answered like an absent one. */
#include "core/doc/node.h"

static bool is_kind(const pl_node *n, int kind)
{
	return n && node_kind(n) == kind;
}

int pl_kind(const pl_node *n)
{
	return n ? node_kind(n) : -1;
}

int pl_style(const pl_node *n)
{
	return n ? (int)((n->meta & NODE_STYLE) >> NODE_STYLE_SHIFT) : PL_STYLE_ANY;
}

pl_place pl_at(const pl_doc *d, const pl_node *n)
{
	return n ? doc_place(d, node_file(n), n->line, n->col) : NOWHERE;
}

pl_str pl_text(const pl_node *n)
{
	return !n || node_is_container(n) ? S("") : node_text(n);
}

int pl_bool(const pl_node *n)
{
	return is_kind(n, PL_BOOL) && (n->meta & NODE_TRUE);
}

size_t pl_len(const pl_node *n)
{
	return n && node_is_container(n) ? n->len : 0;
}

pl_node *pl_item(const pl_node *list, size_t i)
{
	return is_kind(list, PL_LIST) && i < list->len ? list->u.kids[i] : NULL;
}

pl_node *pl_key(const pl_node *map, size_t i)
{
	return is_kind(map, PL_MAP) && i < map->len ? map->u.kids[2 * i] : NULL;
}

pl_node *pl_value(const pl_node *map, size_t i)
{
	return is_kind(map, PL_MAP) && i < map->len ? map->u.kids[2 * i + 1] : NULL;
}

size_t node_find(const pl_node *map, pl_str key)
{
	size_t i;

	if (!is_kind(map, PL_MAP))
		return SIZE_MAX;
	for (i = 0; i < map->len; i++) {
		const pl_node *k = map->u.kids[2 * i];

		if (k->len == key.n && !node_is_container(k) && memcmp(k->u.s, key.p ? key.p : "", key.n) == 0)
			return i;
	}
	return SIZE_MAX;
}

pl_node *pl_get(const pl_node *map, pl_str key)
{
	size_t i = node_find(map, key);

	return i == SIZE_MAX ? NULL : map->u.kids[2 * i + 1];
}

pl_node *pl_gets(const pl_node *map, const char *key)
{
	return pl_get(map, str_of(key));
}

pl_node *pl_getkey(const pl_node *map, pl_str key)
{
	size_t i = node_find(map, key);

	return i == SIZE_MAX ? NULL : map->u.kids[2 * i];
}
