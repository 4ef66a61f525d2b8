/* SPDX-License-Identifier: Apache-2.0 */
/* vars.c - vars: a field's value of one resource for $(NAME) in others. */
#include "vars.h"
#include "cfg.h"
#include "fieldpath.h"
#include "fieldspec.h"
#include "references.h"

/* ---- reading ---- */

struct var_keys {
	pl_str name;
	const pl_node *object, *field;
};

struct object_keys {
	pl_str api_version, group, version, kind, name, ns;
};

static pl_status read_object(struct build *b, const pl_node *n, struct id *out)
{
	static const struct cfg_key keys[] = {
		{"apiVersion", CFG_TEXT, offsetof(struct object_keys, api_version)},
		{"group", CFG_TEXT, offsetof(struct object_keys, group)},
		{"version", CFG_TEXT, offsetof(struct object_keys, version)},
		{"kind", CFG_TEXT, offsetof(struct object_keys, kind)},
		{"name", CFG_TEXT, offsetof(struct object_keys, name)},
		{"namespace", CFG_TEXT, offsetof(struct object_keys, ns)},
	};
	struct object_keys k = {0};
	pl_status st = cfg_read(b, n, "objref", keys, sizeof(keys) / sizeof(*keys), CFG_REFUSE, &k);
	*out = (struct id){.gvk = {k.group, k.version, k.kind}, .name = k.name, .ns = k.ns};
	if (k.api_version.n) {
		pl_str rest = k.api_version, head = str_cut(&rest, '/');
		out->gvk.version = rest.p ? rest : head;
		if (rest.p)
			out->gvk.group = head;
	}
	return st;
}

static pl_status read_field(struct build *b, const pl_node *n, struct var *v)
{
	static const struct cfg_key keys[] = {{"fieldPath", CFG_TEXT, offsetof(struct var, field_path)}};
	pl_status st = n ? cfg_read(b, n, "fieldref", keys, 1, CFG_REFUSE, v) : PL_OK;
	if (!v->field_path.n)
		v->field_path = S("metadata.name");
	return st;
}

enum { FEW_VARS = 16 };

static uint32_t *var_slot(const struct vars *l, pl_str name)
{
	uint32_t i = (uint32_t)str_hash(name) & (l->n_slots - 1);
	while (l->slots[i] && !str_eq(l->v[l->slots[i] - 1].name, name))
		i = (i + 1) & (l->n_slots - 1);
	return &l->slots[i];
}

static const struct var *var_named(const struct vars *l, pl_str name)
{
	if (l->slots) {
		uint32_t at = *var_slot(l, name);
		return at ? &l->v[at - 1] : NULL;
	}
	for (uint32_t i = 0; i < l->n; i++) {
		if (str_eq(l->v[i].name, name))
			return &l->v[i];
	}
	return NULL;
}

static void index_var(struct build *b, struct vars *l)
{
	if (l->n <= FEW_VARS)
		return;
	if (l->n < l->n_slots / 2) {
		*var_slot(l, l->v[l->n - 1].name) = l->n;
		return;
	}
	l->n_slots = l->n_slots ? l->n_slots * 2 : 4 * FEW_VARS;
	l->slots = arena_alloc(b->mem, l->n_slots * sizeof(*l->slots));
	for (uint32_t i = 0; i < l->n; i++)
		*var_slot(l, l->v[i].name) = i + 1;
}

static pl_status var_add(struct build *b, struct vars *l, const struct var *v)
{
	const struct var *old = var_named(l, v->name);
	if (old) {
		pl_place at = pl_at(b->doc, old->at);
		fail(b, PL_EEXIST, v->at, "var '%.*s' already encountered", F(v->name));
		pl_err_hint(b->err, "the other one is at %s:%u:%u", at.file ? at.file : "?", at.line, at.col);
		return PL_EEXIST;
	}
	l->v = arena_grow(b->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = *v;
	index_var(b, l);
	return PL_OK;
}

static pl_status read_var(struct build *b, const pl_node *n, void *ctx)
{
	static const struct cfg_key keys[] = {
		{"name", CFG_TEXT, offsetof(struct var_keys, name)},
		{"objref", CFG_NODE, offsetof(struct var_keys, object)},
		{"fieldref", CFG_NODE, offsetof(struct var_keys, field)},
	};
	struct var_keys k = {0};
	struct var v = {.at = n};
	pl_status st = cfg_read(b, n, "var", keys, sizeof(keys) / sizeof(*keys), CFG_REFUSE, &k);
	v.name = k.name;
	if (!st && k.object)
		st = read_object(b, k.object, &v.object);
	if (!st)
		st = read_field(b, k.field, &v);
	return st ? st : var_add(b, ctx, &v);
}

pl_status vars_read(struct build *b, const pl_node *list, struct vars *l)
{
	return cfg_each(b, list, "vars", read_var, l);
}

pl_status vars_merge(struct build *b, struct vars *into, const struct vars *from)
{
	pl_status st = PL_OK;
	for (uint32_t i = 0; !st && i < from->n; i++)
		st = var_add(b, into, &from->v[i]);
	return st;
}

/* ---- values ---- */

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct var_value *)a)->var->name, ((const struct var_value *)b)->var->name);
}

struct var_value *var_find(struct var_values *l, pl_str name)
{
	struct var key = {.name = name};
	struct var_value k = {.var = &key};
	return l->n ? bsearch(&k, l->v, l->n, sizeof(k), by_name) : NULL;
}

/* "a[0].b" is "a.0.b" */
static pl_str split_indexes(struct build *b, pl_str path)
{
	char *out = arena_alloc(b->mem, path.n * 2 + 1);
	size_t n = 0;
	for (size_t i = 0; i < path.n; i++) {
		size_t end = i + 1;
		while (end < path.n && path.p[end] >= '0' && path.p[end] <= '9')
			end++;
		bool index = path.p[i] == '[' && end > i + 1 && end < path.n && path.p[end] == ']' &&
			     (end + 1 == path.n || path.p[end + 1] == '.' || path.p[end + 1] == '[');
		if (!index) {
			out[n++] = path.p[i];
			continue;
		}
		if (n && out[n - 1] != '.')
			out[n++] = '.';
		memcpy(out + n, path.p + i + 1, end - i - 1);
		n += end - i - 1;
		i = end;
	}
	return (pl_str){out, n};
}

/* digits only, with a sign or none: other forms of whole numbers are no values of vars */
static bool decimal(pl_str s)
{
	size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n;
}

/* A number in the one form that it has in the output; NULL: a whole number that is not one to vars. */
static pl_node *settle(struct build *b, pl_node *n)
{
	int64_t whole;
	char *text;
	size_t len;
	pl_str s = pl_text(n), all = s;
	while (s.n > 1 && decimal(all) && (s.p[0] == '+' || s.p[0] == '0'))
		s = (pl_str){s.p + 1, s.n - 1};
	pl_node *number = pl_new_number(b->doc, s);
	if (decimal(all))
		return number && !pl_int(number, &whole) ? number : NULL;
	if (!memchr(all.p, '.', all.n) && (all.p[0] == '0' || !strpbrk(arena_dup(b->mem, all).p, "eE")))
		return NULL;
	if (pl_yaml_write(n, PL_PRINT_FIELD, &text, &len, NULL))
		return NULL;
	while (len && text[len - 1] == '\n')
		len--;
	number = pl_new_number(b->doc, (pl_str){text, len});
	pl_free(text);
	return number ? number : n;
}

static pl_status var_value(struct build *b, const struct var *v, struct resource *r, struct var_value *out)
{
	struct path path;
	struct slot where;
	pl_node *n;
	path_read(b, split_indexes(b, v->field_path), v->at, &path);
	pl_status st = path_get(b, r->node, &path, &where, &n);
	pl_str id = id_text(b, &r->id);
	if (st)
		return pl_err_in(b->err, "var '%.*s': field '%.*s' of %.*s", F(v->name), F(v->field_path), F(id));
	if (!n)
		return fail(b, PL_ENOTFOUND, v->at, "var '%.*s': there is no field '%.*s' in %.*s", F(v->name),
			    F(v->field_path), F(id));
	int kind = pl_kind(n);
	*out = (struct var_value){.var = v};
	if (kind == PL_LIST || kind == PL_MAP)
		return PL_OK;
	out->value = kind == PL_NUMBER ? settle(b, n) : kind == PL_NULL ? pl_new_string(b->doc, pl_text(n)) : n;
	if (!out->value)
		return fail(b, PL_EINVAL, v->at, "var '%.*s': field '%.*s' of %.*s holds no decimal number that fits",
			    F(v->name), F(v->field_path), F(id));
	out->text = pl_text(out->value);
	return PL_OK;
}

/* Marks where each var's resource is: the first one in the map's order. */
static void find_resources(struct var_values *l, struct resmap *m, struct resource **at)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct strings *names = &m->v[i]->ref_vars;
		for (uint32_t k = 0; m->v[i]->node && k < names->n; k++) {
			struct var_value *v = var_find(l, names->v[k]);
			if (v && !at[v - l->v])
				at[v - l->v] = m->v[i];
		}
	}
}

static pl_status unmapped(struct build *b, const struct var *v, struct resmap *m)
{
	struct resource *const *named;
	size_t n = resmap_named(b, m, v->object.name, &named);
	pl_str id = id_text(b, &v->object);
	fail(b, PL_ENOTFOUND, v->at, "var '%.*s': there is no resource %.*s", F(v->name), F(id));
	if (n) {
		pl_str other = id_text(b, &named[0]->id);
		pl_err_hint(b->err, "did you mean %.*s? objref must have its apiVersion, kind and namespace", F(other));
	} else {
		pl_err_hint(b->err, "objref takes the name that its file has");
	}
	return PL_ENOTFOUND;
}

static pl_status find_values(struct build *b, const struct vars *l, struct resmap *m, struct var_values *out)
{
	struct resource **at = arena_alloc(b->mem, l->n * sizeof(*at));
	*out = (struct var_values){arena_alloc(b->mem, l->n * sizeof(*out->v)), l->n};
	for (uint32_t i = 0; i < l->n; i++)
		out->v[i].var = &l->v[i];
	qsort(out->v, out->n, sizeof(*out->v), by_name);
	find_resources(out, m, at);
	for (uint32_t i = 0; i < out->n; i++) {
		const struct var *v = out->v[i].var;
		pl_status st = at[i] ? var_value(b, v, at[i], &out->v[i]) : unmapped(b, v, m);
		if (st)
			return st;
	}
	return PL_OK;
}

/* ---- putting them in ---- */

/* *out stays NULL when nothing changes, or the node itself could: in all its places, see resource.shares. */
static pl_status expanded(struct build *b, struct var_values *vars, pl_node *n, pl_node **out)
{
	*out = NULL;
	if (pl_kind(n) != PL_STRING)
		return PL_OK;
	pl_status st = vars_expand(b, vars, n, out);
	if (*out && pl_become(b->doc, n, *out) == PL_OK)
		*out = NULL;
	if (*out)
		pl_set_at(b->doc, *out, b->doc, n);
	return st;
}

/* A plain key that is no text (1, true) is refused, as by the reference. */
static pl_status check_key(struct build *b, const pl_node *key)
{
	if (pl_style(key) != PL_STYLE_PLAIN || pl_kind(plain_scalar(b, pl_text(key))) == PL_STRING)
		return PL_OK;
	fail(b, PL_EINVAL, key, "vars are put into maps with texts as keys only, but '%.*s' is none", F(pl_text(key)));
	pl_err_hint(b->err, "put it in quotes");
	return PL_EINVAL;
}

static pl_status expand_map(struct build *b, struct var_values *vars, pl_node *map)
{
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < pl_len(map); i++) {
		pl_node *new = NULL;
		st = check_key(b, pl_key(map, i));
		if (!st)
			st = expanded(b, vars, pl_value(map, i), &new);
		if (!st && new)
			st = pl_set(b->doc, map, pl_text(pl_key(map, i)), new);
	}
	return st;
}

static pl_status expand_list(struct build *b, struct var_values *vars, pl_node *list)
{
	pl_status st = PL_OK;
	for (size_t i = 0; !st && i < pl_len(list); i++) {
		pl_node *item = pl_item(list, i);
		if (pl_kind(item) != PL_STRING)
			return fail(b, PL_EINVAL, item, "vars are put into lists of strings only, but there is %s",
				    node_kind_name(item));
		pl_node *new;
		st = expanded(b, vars, item, &new);
		if (!st && new)
			st = pl_set_item(b->doc, list, i, new);
	}
	return st;
}

static pl_status expand_field(struct build *b, void *ctx, const struct fieldspec *spec, const void *payload,
			      pl_node **slot)
{
	pl_node *new;
	pl_status st;
	(void)spec;
	(void)payload;
	switch (pl_kind(*slot)) {
	case PL_MAP:
		return expand_map(b, ctx, *slot);
	case PL_LIST:
		return expand_list(b, ctx, *slot);
	default:
		st = expanded(b, ctx, *slot, &new);
		*slot = new ? new : *slot;
		return st;
	}
}

static void warn_unused(struct build *b, const struct var_values *l)
{
	struct text names = {.mem = b->mem};
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].used)
			continue;
		text_add(&names, names.n ? S(",") : S(""));
		text_add(&names, l->v[i].var->name);
	}
	if (names.n)
		b->h->log(
			b->h->ctx, PL_LOG_WARN,
			arena_printf(b->mem, "well-defined vars that were never replaced: %.*s", F(text_str(&names))));
}

pl_status vars_resolve(struct build *b, const struct config *c, const struct vars *l, struct resmap *m)
{
	struct var_values values;
	struct spec_forest *forest = forest_new(b);
	if (!l->n)
		return PL_OK;
	pl_status st = find_values(b, l, m, &values);
	for (uint32_t i = 0; i < c->vars.n; i++)
		forest_add(b, forest, &c->vars.v[i], NULL);
	for (uint32_t i = 0; !st && i < m->n; i++) {
		struct resource *r = m->v[i];
		if (!r->node || !tree_walk(b, forest_tree(b, forest, &r->id.gvk), r->node, expand_field, &values))
			continue;
		pl_str id = id_text(b, &r->id);
		return pl_err_in(b->err, "putting vars into %.*s", F(id));
	}
	if (!st)
		warn_unused(b, &values);
	return st;
}
