/* SPDX-License-Identifier: Apache-2.0 */
/* Strategic merge patches: maps. What each rule is for stands in docs/patch.md. */
#include "core/doc/patch_strategic.h"

#include "core/base/mem.h"

/* ---- what a patch says of each field ---- */

struct fields {
	struct strategic_field *v;
	size_t n, cap;
	const pl_node *retain; /* $retainKeys, a list of strings */
	struct keyset names;   /* with directives of fields: where each name stands in v */
	bool named;
};

static struct strategic_field *field_add(struct fields *f, const pl_node *key, pl_str name)
{
	size_t at = f->named ? keyset_add(&f->names, name, f->n) : SIZE_MAX;

	if (at != SIZE_MAX)
		return &f->v[at];
	f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
	f->v[f->n] = (struct strategic_field){.key = key, .name = name};
	return &f->v[f->n++];
}

static pl_status must_be_list(const struct strategic *s, const pl_node *key, const pl_node *value)
{
	return node_kind(value) == PL_LIST
		       ? PL_OK
		       : pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, value), "'%.*s' must be a list", F(node_text(key)));
}

static pl_status take_retain(const struct strategic *s, struct fields *f, const pl_node *key, const pl_node *value)
{
	pl_status st = must_be_list(s, key, value);
	size_t i;

	for (i = 0; i < pl_len(value) && !st; i++)
		if (node_kind(value->u.kids[i]) != PL_STRING)
			st = pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, value->u.kids[i]),
					"'$retainKeys' must be a list of field names");
	f->retain = value;
	return st;
}

static pl_status take_entry(const struct strategic *s, struct fields *f, const pl_node *key, const pl_node *value)
{
	pl_str name;
	enum directive d = node_is_container(key) ? DIRECTIVE_NONE : directive_of(node_text(key), &name);
	struct strategic_field *v;
	pl_status st;

	if (d == DIRECTIVE_RETAIN)
		return take_retain(s, f, key, value);
	if (d != DIRECTIVE_ORDER && d != DIRECTIVE_REMOVE) {
		v = field_add(f, key, pl_text(key));
		v->key = key;
		v->value = value;
		return PL_OK;
	}
	if (!name.p) {
		pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, key), "'%.*s' names no field", F(node_text(key)));
		if (s->e)
			pl_err_hint(s->e, "write '%s/FIELD'",
				    d == DIRECTIVE_ORDER ? "$setElementOrder" : "$deleteFromPrimitiveList");
		return PL_EINVAL;
	}
	st = must_be_list(s, key, value);
	if (!st && d == DIRECTIVE_ORDER)
		field_add(f, key, name)->order = value;
	else if (!st)
		field_add(f, key, name)->remove = value;
	return st;
}

static bool names_fields(const pl_node *patch)
{
	pl_str field;
	size_t i;

	for (i = 0; i < patch->len; i++) {
		const pl_node *key = patch->u.kids[2 * i];

		if (!node_is_container(key) && directive_of(node_text(key), &field) >= DIRECTIVE_ORDER)
			return true;
	}
	return false;
}

static pl_status fields_of(const struct strategic *s, const pl_node *patch, struct fields *f)
{
	pl_status st = PL_OK;
	size_t i;

	*f = (struct fields){.named = names_fields(patch)};
	if (f->named)
		keyset_init(&f->names, s->d);
	for (i = 0; i < patch->len && !st; i++)
		st = take_entry(s, f, patch->u.kids[2 * i], patch->u.kids[2 * i + 1]);
	return st;
}

static void fields_free(struct fields *f)
{
	keyset_free(&f->names);
	free(f->v);
}

/* ---- the map that is being made ---- */

struct draft {
	pl_node **kids; /* key, value, …; a value NULL is gone */
	size_t n, cap;	/* pointers */
	struct finder old;
};

static void draft_init(struct draft *t, const pl_node *old)
{
	*t = (struct draft){.n = node_kids(old)};
	t->kids = mem_grow(NULL, &t->cap, t->n + 2, sizeof(*t->kids));
	if (t->n)
		memcpy(t->kids, old->u.kids, t->n * sizeof(*t->kids));
	finder_init(&t->old, old);
}

static size_t draft_find(struct draft *t, pl_str name)
{
	pl_node probe = {.meta = PL_STRING, .len = (uint32_t)name.n, .u.s = name.p ? name.p : ""};
	size_t i = finder_find(&t->old, &probe);

	return i == SIZE_MAX ? SIZE_MAX : 2 * i;
}

static void draft_add(struct strategic *s, struct draft *t, const struct strategic_field *f, pl_node *value)
{
	t->kids = mem_grow(t->kids, &t->cap, t->n + 2, sizeof(*t->kids));
	t->kids[t->n++] = pl_copy(s->d, s->pd, f->key);
	t->kids[t->n++] = value;
}

static pl_node *draft_end(struct strategic *s, struct draft *t, const pl_node *old)
{
	size_t i, to = 0;

	for (i = 0; i < t->n; i += 2) {
		if (!t->kids[i + 1])
			continue;
		t->kids[to++] = t->kids[i];
		t->kids[to++] = t->kids[i + 1];
	}
	return strategic_shell(s, old, t->kids, to);
}

static void draft_free(struct draft *t)
{
	finder_free(&t->old);
	free(t->kids);
}

/* ---- $retainKeys ---- */

static pl_status retain(struct strategic *s, const struct fields *f, struct draft *t)
{
	struct keyset keep;
	pl_status st = PL_OK;
	size_t i;

	keyset_init(&keep, s->d);
	for (i = 0; i < f->retain->len; i++)
		keyset_add(&keep, node_text(f->retain->u.kids[i]), i);
	for (i = 0; i < f->n && !st; i++) {
		const struct strategic_field *v = &f->v[i];

		if (v->value && node_kind(v->value) != PL_NULL && keyset_find(&keep, v->name) == SIZE_MAX)
			st = pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, v->key),
					"field '%.*s' is set but not in '$retainKeys'", F(v->name));
	}
	for (i = 0; i < t->n; i += 2)
		if (keyset_find(&keep, pl_text(t->kids[i])) == SIZE_MAX)
			t->kids[i + 1] = NULL;
	keyset_free(&keep);
	return st;
}

/* ---- fields ---- */

static pl_status merge_value(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_type type,
			     pl_node **out)
{
	int kind = node_kind(f->value);
	uint32_t strategy;

	*out = NULL;
	if (kind == PL_NULL)
		return PL_OK;
	if (!old || node_kind(old) != kind || !node_is_container(old)) {
		*out = strategic_take(s, f->value, true);
		return PL_OK;
	}
	strategy = pl_type_strategy(type);
	if (kind == PL_MAP && !(strategy & PL_PATCH_REPLACE))
		return strategic_map(s, old, f->value, type, out);
	if (kind == PL_LIST && strategy & PL_PATCH_MERGE)
		return strategic_list(s, old, f, type, out);
	*out = strategic_contents(s, f->value, false);
	return PL_OK;
}

static pl_status must_be_ordered(const struct strategic *s, const pl_doc *d, const pl_node *n,
				 const struct strategic_field *f)
{
	if (!n || node_kind(n) == PL_LIST)
		return PL_OK;
	return pl_err_set(s->e, PL_EINVAL, pl_at(d, n), "'%.*s' is no list, but the patch sets the order of its items",
			  F(f->name));
}

/* *out NULL: the field is to be absent. */
static pl_status merge_field(struct strategic *s, const pl_node *old, const struct strategic_field *f, pl_type type,
			     pl_node **out)
{
	pl_status st = PL_OK;

	*out = (pl_node *)(uintptr_t)old;
	if (f->order) {
		st = must_be_ordered(s, s->d, old, f);
		if (!st)
			st = must_be_ordered(s, s->pd, f->value, f);
		if (!st && (old || f->value))
			st = strategic_ordered(s, old, f, type, out);
	} else if (f->value) {
		st = merge_value(s, old, f, type, out);
	}
	if (!st && f->remove && *out && node_kind(*out) == PL_LIST)
		st = strategic_remove(s, *out, f, out);
	return st;
}

static pl_status merge_fields(struct strategic *s, const struct fields *f, pl_type type, struct draft *t)
{
	pl_status st = PL_OK;
	size_t i, at;

	for (i = 0; i < f->n && !st; i++) {
		pl_node *value = NULL;

		at = draft_find(t, f->v[i].name);
		st = merge_field(s, at == SIZE_MAX ? NULL : t->kids[at + 1], &f->v[i],
				 pl_type_field(type, f->v[i].name), &value);
		if (st)
			break;
		if (at != SIZE_MAX)
			t->kids[at + 1] = value;
		else if (value)
			draft_add(s, t, &f->v[i], value);
	}
	return st;
}

/* ---- maps ---- */

static pl_status replaced(struct strategic *s, const pl_node *patch, pl_str word, pl_node **out)
{
	const pl_node *w = pl_gets(patch, "$patch");

	if (str_eqz(word, "merge")) {
		pl_err_set(s->e, PL_EINVAL, pl_at(s->pd, w), "'$patch: merge' is not known");
		if (s->e)
			pl_err_hint(s->e, "leave it out: maps and lists merge without it");
		return PL_EINVAL;
	}
	if (str_eqz(word, "replace")) {
		*out = strategic_contents(s, patch, false);
		return PL_OK;
	}
	*out = pl_new_map(s->d);
	pl_set_at(s->d, *out, s->pd, patch);
	return PL_OK;
}

static pl_status merge_map(struct strategic *s, const pl_node *old, const pl_node *patch, pl_type type, pl_node **out)
{
	struct draft t;
	struct fields f;
	pl_status st = fields_of(s, patch, &f);

	draft_init(&t, old);
	if (!st && f.retain)
		st = retain(s, &f, &t);
	if (!st)
		st = merge_fields(s, &f, type, &t);
	if (!st)
		*out = draft_end(s, &t, old);
	draft_free(&t);
	fields_free(&f);
	return st;
}

pl_status strategic_map(struct strategic *s, const pl_node *old, const pl_node *patch, pl_type type, pl_node **out)
{
	pl_str word;
	pl_status st = directive_patch(s, patch, &word);

	if (st)
		return st;
	if (word.p)
		return replaced(s, patch, word, out);
	if (s->depth == STRATEGIC_DEPTH)
		return pl_err_set(s->e, PL_ETOOBIG, pl_at(s->pd, patch), "patch is more than %d levels deep",
				  STRATEGIC_DEPTH);
	s->depth++;
	st = merge_map(s, old ? old : pl_new_map(s->d), patch, type, out);
	s->depth--;
	return st;
}

pl_status pl_patch_strategic(pl_doc *d, pl_node **root, const pl_doc *pd, const pl_node *patch, pl_type type, pl_err *e)
{
	struct strategic s = {.d = d, .pd = pd, .e = e};
	const pl_node *old = pl_kind(*root) == PL_NULL ? NULL : *root;

	if (pl_doc_frozen(d))
		return pl_err_set(e, PL_EDENIED, NOWHERE, "the document to patch is frozen");
	if (pl_kind(patch) != PL_MAP)
		return pl_err_set(e, PL_EINVAL, pl_at(pd, patch), "a strategic merge patch must be a map");
	if (old && node_kind(old) != PL_MAP)
		return pl_err_set(e, PL_EINVAL, pl_at(d, old), "only a map can take a strategic merge patch");
	return strategic_map(&s, old, patch, type, root);
}
