/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in types, built in and added. */
#include "core/doc/types.h"

enum { MAX_REFS = 64 }; /* references that lead to references; a circle of nothing else has no end */

static const pl_type nothing;

/* ---- the built-in table ---- */

static pl_str pool_str(uint32_t at)
{
	const unsigned char *p = (const unsigned char *)types_pool + at;

	return (pl_str){types_pool + at + 2, (size_t)p[0] | (size_t)p[1] << 8};
}

uint32_t types_builtin_named(pl_str name)
{
	size_t low = 0, high = types_n_defs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = str_cmp(name, pool_str(types_defs[mid].name));

		if (order == 0)
			return types_defs[mid].type;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return 0;
}

/* The first entry that is not before group, kind and version. */
static const struct type_kind *first_kind(pl_str group, pl_str kind, pl_str version)
{
	size_t low = 0, high = types_n_kinds;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = str_cmp(pool_str(types_kinds[mid].group), group);

		if (order == 0)
			order = str_cmp(pool_str(types_kinds[mid].kind), kind);
		if (order == 0)
			order = str_cmp(pool_str(types_kinds[mid].version), version);
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return types_kinds + low;
}

static bool is_kind(const struct type_kind *k, pl_str group, pl_str kind)
{
	return k < types_kinds + types_n_kinds && str_eq(pool_str(k->group), group) && str_eq(pool_str(k->kind), kind);
}

const struct type_kind *types_builtin_kind(pl_str group, pl_str version, pl_str kind)
{
	const struct type_kind *k = first_kind(group, kind, version);

	if (is_kind(k, group, kind) && str_eq(pool_str(k->version), version))
		return k;
	k = first_kind(group, kind, S(""));
	return is_kind(k, group, kind) && pool_str(k->version).n == 0 ? k : NULL;
}

const struct type_kind *types_builtin_scope(pl_str group, pl_str kind)
{
	const struct type_kind *k;

	for (k = first_kind(group, kind, S("")); is_kind(k, group, kind); k++)
		if (k->scope != PL_SCOPE_UNKNOWN)
			return k;
	return NULL;
}

/* ---- nodes of either ---- */

static bool in_builtin(const void *in, uint32_t at)
{
	return in == types_nodes || (at & TYPE_BUILTIN);
}

static const struct type_node *node_of(const void *in, uint32_t at)
{
	const struct pl_types *t = in;

	return in_builtin(in, at) ? types_nodes + (at & ~TYPE_BUILTIN) : t->nodes + at;
}

static pl_str string_of(const void *in, uint32_t at, uint32_t number)
{
	const struct pl_types *t = in;

	return in_builtin(in, at) ? pool_str(number) : t->strings[number];
}

static const struct type_field *fields_of(pl_type t, const struct type_node *n)
{
	return (in_builtin(t.in, t.at) ? types_fields : ((const struct pl_types *)t.in)->fields) + n->fields;
}

static bool says_merge(const struct type_node *n)
{
	return (n->bits & (TYPE_STRATEGY | TYPE_LIST)) || n->keys;
}

/* Where a reference leads; 0: to nothing that is known. */
static uint32_t follow(const void *in, uint32_t at, const struct type_node *n)
{
	const struct pl_types *t = in;
	const struct added_def *d;
	uint32_t builtin;

	if (in_builtin(in, at))
		return n->part | (at & TYPE_BUILTIN);
	if (!(n->bits & TYPE_REF_NAME))
		return n->part;
	d = t->defs + n->part;
	if (d->type || !t->builtin)
		return d->type;
	builtin = types_builtin_named(d->name);
	return builtin ? builtin | TYPE_BUILTIN : 0;
}

/* The type of that number, behind all references. What they say of merging goes with it. */
static pl_type type_at(const void *in, uint32_t at)
{
	const struct type_node *n;
	uint32_t said = 0;
	size_t hops;

	for (hops = 0; at && hops < MAX_REFS; hops++) {
		n = node_of(in, at);
		if (!(n->bits & TYPE_REF)) {
			if ((at & TYPE_BUILTIN) && !said)
				return (pl_type){types_nodes, at & ~TYPE_BUILTIN, 0};
			return (pl_type){in, at, said};
		}
		if (!said && says_merge(n))
			said = at;
		at = follow(in, at, n);
	}
	return nothing;
}

/* A part of t, which may be a built-in one at the end of an added reference. */
static pl_type part_of(pl_type t, uint32_t at)
{
	return type_at(in_builtin(t.in, t.at) ? types_nodes : t.in, at);
}

/* ---- by name ---- */

void types_kind_key(struct buf *b, pl_str group, pl_str version, pl_str kind)
{
	buf_add(b, group);
	buf_addc(b, '\0');
	buf_add(b, version);
	buf_addc(b, '\0');
	buf_add(b, kind);
}

static const struct type_kind *added_kind(const pl_types *t, pl_str group, pl_str version, pl_str kind)
{
	struct buf key = BUF_INIT(SIZE_MAX / 2);
	size_t i;

	if (!t || t->n_kinds <= 1)
		return NULL;
	types_kind_key(&key, group, version, kind);
	i = keyset_find(&t->kind_set, buf_str(&key));
	buf_free(&key);
	return i == SIZE_MAX ? NULL : t->kinds + i;
}

pl_type pl_types_kind(const pl_types *t, pl_str group, pl_str version, pl_str kind)
{
	const struct type_kind *k = added_kind(t, group, version, kind);

	if (k && k->type)
		return type_at(t, k->type);
	if (t && !t->builtin)
		return nothing;
	k = types_builtin_kind(group, version, kind);
	return k ? type_at(types_nodes, k->type) : nothing;
}

pl_type pl_types_named(const pl_types *t, pl_str definition)
{
	size_t i = t ? keyset_find(&t->def_set, definition) : SIZE_MAX;

	if (i != SIZE_MAX && t->defs[i].type)
		return type_at(t, t->defs[i].type);
	if (t && !t->builtin)
		return nothing;
	return type_at(types_nodes, types_builtin_named(definition));
}

int pl_types_scope(const pl_types *t, pl_str group, pl_str version, pl_str kind)
{
	const struct type_kind *k = added_kind(t, group, version, kind);

	if (!k || k->scope == PL_SCOPE_UNKNOWN)
		k = types_builtin_kind(group, version, kind);
	return k ? k->scope : PL_SCOPE_UNKNOWN;
}

/* ---- what a type is ---- */

static uint32_t bits_of(pl_type t)
{
	return pl_type_known(t) ? node_of(t.in, t.at)->bits : 0;
}

int pl_type_known(pl_type t)
{
	return t.in && t.at;
}

int pl_type_kind(pl_type t)
{
	return (int)((bits_of(t) & TYPE_KIND) >> TYPE_KIND_SHIFT) - 1;
}

int pl_type_whole(pl_type t)
{
	return (bits_of(t) & TYPE_WHOLE) != 0;
}

int pl_type_has_fields(pl_type t)
{
	return (bits_of(t) & TYPE_FIELDS) != 0;
}

pl_type pl_type_field(pl_type t, pl_str name)
{
	const struct type_field *f;
	const struct type_node *n;
	size_t low = 0, high;

	if (pl_type_kind(t) != PL_MAP)
		return nothing;
	n = node_of(t.in, t.at);
	f = fields_of(t, n);
	high = n->n_fields;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = str_cmp(name, string_of(t.in, t.at, f[mid].name));

		if (order == 0)
			return part_of(t, f[mid].type);
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return part_of(t, n->part);
}

size_t pl_type_fields(pl_type t, pl_str *names, size_t max)
{
	const struct type_field *f;
	const struct type_node *n;
	size_t i;

	if (pl_type_kind(t) != PL_MAP)
		return 0;
	n = node_of(t.in, t.at);
	f = fields_of(t, n);
	for (i = 0; i < n->n_fields && i < max; i++)
		names[i] = string_of(t.in, t.at, f[i].name);
	return n->n_fields;
}

pl_type pl_type_items(pl_type t)
{
	return pl_type_kind(t) == PL_LIST ? part_of(t, node_of(t.in, t.at)->part) : nothing;
}

/* ---- how it merges ---- */

/* The number of the node that says these bits of t: a reference before what it leads to. */
static uint32_t sayer(pl_type t, uint32_t bits)
{
	return t.reserved && (node_of(t.in, t.reserved)->bits & bits) ? t.reserved : t.at;
}

uint32_t pl_type_strategy(pl_type t)
{
	return pl_type_known(t) ? node_of(t.in, sayer(t, TYPE_STRATEGY))->bits & TYPE_STRATEGY : 0;
}

pl_str pl_type_list_type(pl_type t)
{
	static const pl_str names[] = {S_INIT(""), S_INIT("atomic"), S_INIT("set"), S_INIT("map")};

	return pl_type_known(t) ? names[(node_of(t.in, sayer(t, TYPE_LIST))->bits & TYPE_LIST) >> TYPE_LIST_SHIFT]
				: S("");
}

/* What is said of t's keys, and the number of who says it; NULL: nothing. */
static const uint32_t *said_keys(pl_type t, uint32_t *at)
{
	const struct type_node *n;

	if (!pl_type_known(t))
		return NULL;
	*at = t.reserved && node_of(t.in, t.reserved)->keys ? t.reserved : t.at;
	n = node_of(t.in, *at);
	if (!n->keys)
		return NULL;
	return (in_builtin(t.in, *at) ? types_keys : ((const struct pl_types *)t.in)->keys) + n->keys;
}

pl_str pl_type_merge_key(pl_type t)
{
	uint32_t at;
	const uint32_t *keys = said_keys(t, &at);

	return keys && keys[0] ? string_of(t.in, at, keys[0]) : S("");
}

size_t pl_type_map_keys(pl_type t, pl_str *names, size_t max)
{
	uint32_t at;
	const uint32_t *keys = said_keys(t, &at);
	size_t i;

	if (!keys)
		return 0;
	for (i = 0; i < keys[1] && i < max; i++)
		names[i] = string_of(t.in, at, keys[2 + i]);
	return keys[1];
}
