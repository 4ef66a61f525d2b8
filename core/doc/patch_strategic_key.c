/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the items of merging lists apart. */
#include "core/doc/patch_strategic.h"

#include "core/base/mem.h"

/* Containers, ports and volumes are a handful: comparing them beats hashing. */
enum { FEW = 12 };

void scalar_index_init(struct scalar_index *x, pl_doc *d)
{
	*x = (struct scalar_index){.d = d};
}

/* What is not a string is looked up by its kind and its value. */
static pl_str other_text(const pl_node *n, struct buf *b)
{
	buf_addc(b, (char)('0' + node_kind(n)));
	if (node_kind(n) == PL_NUMBER)
		number_canonical(n, b);
	else if (node_kind(n) == PL_BOOL)
		buf_addc(b, n->meta & NODE_TRUE ? 't' : 'f');
	else if (node_kind(n) != PL_NULL)
		buf_add(b, node_text(n));
	return buf_str(b);
}

static size_t hashed_add(struct scalar_index *x, const pl_node *key, size_t at)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	size_t found;

	if (node_kind(key) == PL_STRING)
		return keyset_add(&x->strings, node_text(key), at);
	found = keyset_add(&x->others, arena_dup(x->texts, other_text(key, &b)), at);
	buf_free(&b);
	return found;
}

static size_t hashed_find(const struct scalar_index *x, const pl_node *key)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	size_t found;

	if (node_kind(key) == PL_STRING)
		return keyset_find(&x->strings, node_text(key));
	found = keyset_find(&x->others, other_text(key, &b));
	buf_free(&b);
	return found;
}

static void start_hashing(struct scalar_index *x)
{
	size_t i;

	keyset_init(&x->strings, x->d);
	keyset_init(&x->others, x->d);
	x->texts = arena_new();
	for (i = 0; i < x->n; i++)
		hashed_add(x, x->v[i], x->at[i]);
}

size_t scalar_index_add(struct scalar_index *x, const pl_node *key, size_t at)
{
	size_t found;

	if (x->texts)
		return hashed_add(x, key, at);
	found = scalar_index_find(x, key);
	if (found != SIZE_MAX)
		return found;
	x->v = mem_grow(x->v, &x->cap, x->n + 1, sizeof(*x->v));
	x->at = mem_grow(x->at, &x->cap_at, x->n + 1, sizeof(*x->at));
	x->v[x->n] = key;
	x->at[x->n++] = at;
	if (x->n > FEW)
		start_hashing(x);
	return SIZE_MAX;
}

size_t scalar_index_find(const struct scalar_index *x, const pl_node *key)
{
	size_t i;

	if (x->texts)
		return hashed_find(x, key);
	for (i = 0; i < x->n; i++)
		if (node_same_scalar(x->v[i], key))
			return x->at[i];
	return SIZE_MAX;
}

void scalar_index_free(struct scalar_index *x)
{
	keyset_free(&x->strings);
	keyset_free(&x->others);
	arena_free(x->texts);
	free(x->v);
	free(x->at);
}

/* ---- lists ---- */

static const char *kind_name(int kind)
{
	static const char *const names[] = {"null", "a boolean", "a number", "a string", "a list", "a map", "a scalar"};

	return kind >= 0 && kind <= PL_PLAIN ? names[kind] : "nothing";
}

pl_status list_key_check(struct list_key *l, const pl_doc *d, const pl_node *n, pl_err *e)
{
	size_t i;

	for (i = 0; i < pl_len(n); i++) {
		const pl_node *item = n->u.kids[i];
		int kind = node_kind(item);

		if (kind == PL_LIST || kind == PL_NULL)
			return pl_err_set(e, PL_EINVAL, pl_at(d, item),
					  "item of '%.*s' is %s: such a list can't be merged", F(l->list),
					  kind_name(kind));
		if (l->kind == -1)
			l->kind = kind;
		if (kind != l->kind)
			return pl_err_set(e, PL_EINVAL, pl_at(d, item),
					  "item of '%.*s' is %s where others are %s: a list of both can't be merged",
					  F(l->list), kind_name(kind), kind_name(l->kind));
		if (kind == PL_MAP && !l->field.n)
			return pl_err_set(e, PL_EINVAL, pl_at(d, item),
					  "'%.*s' has no merge key, its items can't be told apart", F(l->list));
		if (kind != PL_MAP && l->field.n)
			return pl_err_set(e, PL_EINVAL, pl_at(d, item),
					  "item of '%.*s' is %s, not a map with '%.*s' to merge by", F(l->list),
					  kind_name(kind), F(l->field));
	}
	return PL_OK;
}

pl_status list_key_of(const struct list_key *l, const pl_doc *d, const pl_node *item, const pl_node **key, pl_err *e)
{
	*key = item;
	if (!l->field.n && !node_is_container(item))
		return PL_OK;
	*key = pl_get(item, l->field);
	if (!*key)
		return pl_err_set(e, PL_EINVAL, pl_at(d, item), "item of '%.*s' has no '%.*s' to merge by", F(l->list),
				  F(l->field));
	if (node_is_container(*key))
		return pl_err_set(e, PL_EINVAL, pl_at(d, *key),
				  "'%.*s', which items of '%.*s' merge by, is %s, not a scalar", F(l->field),
				  F(l->list), kind_name(node_kind(*key)));
	return PL_OK;
}
