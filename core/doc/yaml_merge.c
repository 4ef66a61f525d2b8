/* SPDX-License-Identifier: Apache-2.0 */
/* Merge keys: "<<: *base", "<<: [*a, *b]". Keys written in the map win, then the earlier of several merged maps. */
#include "core/doc/yaml_read.h"

#include "core/base/mem.h"

bool yaml_is_merge_key(const pl_node *key)
{
	return key->len == 2 && !memcmp(key->u.s, "<<", 2) && pl_style(key) == PL_STYLE_PLAIN &&
	       !(key->meta & NODE_TAG);
}

struct merged {
	struct keyset seen;
	pl_node **kids;
	size_t n, cap;
};

static void push(struct merged *m, pl_node *key, pl_node *value)
{
	if (m->n + 2 > m->cap)
		m->kids = mem_grow(m->kids, &m->cap, m->n + 2, sizeof(pl_node *));
	m->kids[m->n++] = key;
	m->kids[m->n++] = value;
}

static pl_status merge_map(const struct yaml_builder *b, struct merged *m, const pl_node *from)
{
	if (node_kind(from) != PL_MAP)
		return pl_err_set(b->e, PL_EINVAL, pl_at(b->d, from),
				  "a merge key takes a map or a list of maps, not this");
	for (size_t i = 0; i < from->len; i++) {
		pl_node *key = from->u.kids[2 * i];

		if (keyset_add(&m->seen, node_text(key), 0) == SIZE_MAX)
			push(m, key, from->u.kids[2 * i + 1]);
	}
	return PL_OK;
}

static pl_status merge_value(const struct yaml_builder *b, struct merged *m, const pl_node *value)
{
	pl_status st = PL_OK;

	if (node_kind(value) != PL_LIST)
		return merge_map(b, m, value);
	for (size_t i = 0; !st && i < value->len; i++)
		st = merge_map(b, m, value->u.kids[i]);
	return st;
}

/* All keys that are written in the map must be known before the first is merged. */
static pl_status note_own_keys(const struct yaml_builder *b, struct merged *m, pl_node *const *kids, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		size_t first = keyset_add(&m->seen, node_text(kids[i]), i);

		if (first != SIZE_MAX)
			return doc_duplicate_key(b->d, kids[first], kids[i], b->e);
	}
	return PL_OK;
}

pl_status yaml_merge(struct yaml_builder *b, pl_node *map, pl_node *const *kids, size_t n)
{
	struct merged m = {0};
	pl_status st;

	keyset_init(&m.seen, b->d);
	st = note_own_keys(b, &m, kids, n);
	for (size_t i = 0; !st && i < n; i += 2) {
		if (yaml_is_merge_key(kids[i]))
			st = merge_value(b, &m, kids[i + 1]);
		else
			push(&m, kids[i], kids[i + 1]);
	}
	if (!st)
		doc_set_kids(b->d, map, m.kids, m.n);
	keyset_free(&m.seen);
	free(m.kids);
	return st;
}
