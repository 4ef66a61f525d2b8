/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_value_add.c - ValueAddTransformer: puts one value at a place of the selected resources, or into the file
 * path that stands there.
 */
#include "budget.h"
#include "cfg.h"
#include "fieldspec.h"
#include "load.h"
#include "namespace.h"

struct value_cfg {
	pl_str value, file;
	const pl_node *targets;
};

struct value_target {
	const pl_node *selector, *at;
	pl_str path;
	int64_t position;
	struct field_path steps;
};

struct value_add {
	pl_str value;
	struct value_target *v;
	uint32_t n, cap;
};

/* ---- file paths ---- */

/* Joins the parts and takes out empty, "." and ".." ones as far as they lead back. */
static pl_str join_clean(struct build *b, const pl_str *parts, uint32_t n, bool absolute)
{
	pl_str *kept = arena_alloc(b->mem, n * sizeof(*kept));
	uint32_t count = 0;
	for (uint32_t i = 0; i < n; i++) {
		bool up = str_is(parts[i], "..");
		if (!parts[i].n || str_is(parts[i], ".") || (up && absolute && !count))
			continue;
		if (up && count && !str_is(kept[count - 1], ".."))
			count--;
		else
			kept[count++] = parts[i];
	}
	struct text out = {.mem = b->mem};
	text_add(&out, absolute ? S("/") : S(""));
	for (uint32_t i = 0; i < count; i++) {
		text_add(&out, i ? S("/") : S(""));
		text_add(&out, kept[i]);
	}
	return !out.n && n ? S(".") : text_str(&out);
}

/* The value as part number `at` of path; past the end it is the last one. An absolute path stays one. */
static pl_str insert_part(struct build *b, pl_str path, int64_t at, pl_str value)
{
	bool absolute = path.n && path.p[0] == '/';
	pl_str rest = absolute ? (pl_str){path.p + 1, path.n - 1} : path;
	uint32_t n = 0, i = 0;
	for (pl_str r = rest; r.p && rest.n;) {
		str_cut(&r, '/');
		n++;
	}
	pl_str *parts = arena_alloc(b->mem, (n + 1) * sizeof(*parts));
	for (pl_str r = rest; i < n; i++)
		parts[i] = str_cut(&r, '/');
	uint32_t pos = at > (int64_t)n ? n : (uint32_t)at;
	memmove(parts + pos + 1, parts + pos, (n - pos) * sizeof(*parts));
	parts[pos] = value;
	return join_clean(b, parts, n + 1, absolute);
}

/* ---- finding and making the place ---- */

static bool item_step(pl_str step)
{
	return step.n > 1 && step.p[0] == '[' && step.p[step.n - 1] == ']';
}

static pl_node *find_item(pl_node *list, pl_str field, pl_str want)
{
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_node *item = pl_item(list, i);
		const pl_node *n = field.n ? pl_get(item, field) : item;
		if (n && pl_kind(n) != PL_LIST && pl_kind(n) != PL_MAP && str_eq(pl_text(n), want))
			return item;
	}
	return NULL;
}

static pl_status step_into_item(struct build *b, pl_node *list, pl_str step, pl_node **out)
{
	pl_str want = {step.p + 1, step.n - 2};
	if (pl_kind(list) != PL_LIST)
		return fail(b, PL_EINVAL, list, "'%.*s' selects an item of a list, but there is %s", F(step),
			    node_kind_name(list));
	if (!memchr(want.p, '=', want.n))
		return fail(b, PL_EINVAL, list, "'%.*s' must be [FIELD=VALUE]", F(step));
	pl_str field = str_cut(&want, '=');
	*out = find_item(list, field, want);
	if (*out)
		return PL_OK;
	*out = pl_new_string(b->doc, want);
	if (field.n) {
		pl_node *value = *out;
		*out = pl_new_map(b->doc);
		pl_set(b->doc, *out, field, value);
	}
	return pl_append(b->doc, list, *out);
}

/* *out stays NULL where the list has no such item: nothing is done then, as in the reference. */
static pl_status step_into_index(struct build *b, pl_node *list, pl_str step, pl_node **out, size_t *at)
{
	size_t i = 0;
	if (pl_kind(list) != PL_LIST)
		return fail(b, PL_EINVAL, list, "'%.*s' is the index of a list's item, but there is %s", F(step),
			    node_kind_name(list));
	if (str_is(step, "-"))
		i = pl_len(list) - 1;
	else
		for (size_t k = step.p[0] == '+'; k < step.n && i < UINT32_MAX; k++)
			i = i * 10 + (size_t)(step.p[k] - '0');
	*out = pl_item(list, i);
	*at = i;
	return PL_OK;
}

static bool index_step(pl_str step)
{
	if (str_is(step, "-"))
		return true;
	size_t i = step.n > 1 && (step.p[0] == '-' || step.p[0] == '+');
	for (; i < step.n; i++) {
		if (step.p[i] < '0' || step.p[i] > '9')
			return false;
	}
	return step.n > 0;
}

static pl_status check_step(struct build *b, const pl_node *at, pl_str step)
{
	if (str_is(step, "*"))
		return fail(b, PL_EINVAL, at, "'*' selects every item, but one field is to be set");
	if (step.n > 1 && step.p[0] == '-' && index_step(step))
		return fail(b, PL_EINVAL, at, "'%.*s' is below 0, the first item of a list", F(step));
	return PL_OK;
}

/* What is made in front of a step: a list for an item by its number or its field, but not for the last one ("-"). */
static bool needs_list(pl_str step)
{
	return item_step(step) || (index_step(step) && !str_is(step, "-"));
}

static pl_status set_value(struct build *b, const struct value_add *a, const struct value_target *t, pl_node **slot)
{
	pl_str value = a->value;
	int kind = pl_kind(*slot);
	if (kind == PL_LIST || kind == PL_MAP)
		return fail(b, PL_EINVAL, *slot, "a single value is to be set, but there is %s", node_kind_name(*slot));
	if (t->position > 0)
		value = insert_part(b, pl_text(*slot), t->position - 1, value);
	return field_set_plain(b, slot, value);
}

static pl_status add_at(struct build *b, const struct value_add *a, const struct value_target *t, pl_node *n,
			uint32_t i)
{
	pl_str step = t->steps.steps[i].name;
	bool last = i + 1 == t->steps.n;
	pl_node *old = NULL, *now = NULL;
	size_t item = 0;
	pl_status st = check_step(b, t->at, step);
	if (st || pl_kind(n) == PL_NULL)
		return st;
	if (item_step(step)) {
		st = step_into_item(b, n, step, &old);
		for (item = 0; !st && item < pl_len(n) && pl_item(n, item) != old;)
			item++;
	} else if (index_step(step)) {
		st = step_into_index(b, n, step, &old, &item);
		if (st || !old)
			return st;
	} else if (pl_kind(n) != PL_MAP) {
		st = fail(b, PL_EINVAL, n, "the path goes on with '%.*s', but there is %s", F(step), node_kind_name(n));
	} else {
		old = pl_get(n, step);
	}
	if (st || (old && !last))
		return st ? st : add_at(b, a, t, old, i + 1);
	now = old;
	if (!old)
		now = last				       ? pl_new_string(b->doc, S(""))
		      : needs_list(t->steps.steps[i + 1].name) ? pl_new_list(b->doc)
							       : pl_new_map(b->doc);
	st = last ? set_value(b, a, t, &now) : PL_OK;
	if (!st && now != old)
		st = pl_kind(n) == PL_MAP ? pl_set(b->doc, n, step, now) : pl_set_item(b->doc, n, item, now);
	return st || last ? st : add_at(b, a, t, now, i + 1);
}

/* ---- configuration ---- */

static pl_status add_target(struct build *b, const pl_node *n, void *ctx)
{
	static const struct cfg_key keys[] = {
		{"selector", CFG_NODE, offsetof(struct value_target, selector)},
		{"fieldPath", CFG_TEXT, offsetof(struct value_target, path)},
		{"filePathPosition", CFG_INT, offsetof(struct value_target, position)},
	};
	struct value_add *a = ctx;
	struct value_target t = {.at = n};
	pl_status st = cfg_read(b, n, "target", keys, 3, CFG_WARN, &t);
	if (st)
		return st;
	if (!t.path.n)
		return fail(b, PL_EINVAL, n, "a target needs a 'fieldPath'");
	if (t.position < 0)
		return fail(b, PL_EINVAL, pl_gets(n, "filePathPosition"), "'filePathPosition' must not be negative");
	field_path_split(b, t.path, &t.steps);
	if (t.steps.n > OBJECT_DEPTH_MAX)
		return fail(b, PL_ETOOBIG, n, "a field path has more than %d steps", OBJECT_DEPTH_MAX);
	a->v = arena_grow(b->mem, a->v, a->n, &a->cap, sizeof(*a->v));
	a->v[a->n++] = t;
	return PL_OK;
}

static pl_status read_target_file(struct build *b, struct target *t, const pl_node *at, pl_str path,
				  struct value_add *a)
{
	static const struct cfg_key keys[] = {{"targets", CFG_NODE, 0}};
	pl_str text;
	const char *file;
	pl_node **roots;
	size_t n;
	const pl_node *targets = NULL;
	pl_status st = target_load(b, t, at, path, &text, &file);
	if (!st)
		st = pl_yaml_read(b->doc, text, file, PL_SCHEMA_YAML11, 0, &roots, &n, b->err);
	if (!st && n)
		st = cfg_read(b, roots[0], "file of targets", keys, 1, CFG_WARN, &targets);
	if (!st)
		st = cfg_each(b, targets, "targets", add_target, a);
	return st ? pl_err_in(b->err, "'targetFilePath'") : PL_OK;
}

static pl_str folder_name(const struct target *t)
{
	pl_str path = t->root.n ? t->root : t->shown;
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	for (size_t i = path.n; i-- > 0;) {
		if (path.p[i] == '/')
			return (pl_str){path.p + i + 1, path.n - i - 1};
	}
	return path;
}

static pl_status read_cfg(struct build *b, struct target *t, const pl_node *cfg, struct value_add *out)
{
	static const struct cfg_key keys[] = {
		{"value", CFG_TEXT, offsetof(struct value_cfg, value)},
		{"targets", CFG_NODE, offsetof(struct value_cfg, targets)},
		{"targetFilePath", CFG_TEXT, offsetof(struct value_cfg, file)},
	};
	struct value_cfg c = {0};
	pl_status st = cfg_read_transformer(b, cfg, keys, 3, &c);
	if (st)
		return st;
	out->value = str_trim(c.value);
	if (!out->value.n)
		out->value = folder_name(t);
	st = cfg_each(b, c.targets, "targets", add_target, out);
	if (!st && c.file.n)
		st = read_target_file(b, t, pl_gets(cfg, "targetFilePath"), c.file, out);
	if (!st && !out->n)
		st = fail(b, PL_EINVAL, cfg, "a ValueAddTransformer needs at least one of 'targets'");
	return st;
}

static pl_status add_to(struct build *b, const struct value_add *a, const struct value_target *t, struct resmap *m,
			struct resource *r)
{
	if (!r->node)
		return PL_OK;
	if (str_is(t->path, "metadata/namespace"))
		return namespace_set(b, m, r, a->value);
	pl_status st = add_at(b, a, t, r->node, 0);
	if (st)
		return pl_err_in(b->err, "field '%.*s' of %.*s", F(t->path), F(id_text(b, &r->id)));
	resource_refresh(b, m, r);
	return PL_OK;
}

static pl_status add_everywhere(struct build *b, const struct value_add *a, const struct value_target *t,
				struct resmap *m)
{
	struct resource **found = m->v;
	size_t n = m->n;
	pl_status st = PL_OK;
	if (t->selector) {
		struct selector *s;
		st = selector_read(b, t->selector, &s);
		if (!st)
			st = selector_find(b, s, m, &found, &n);
	}
	for (size_t i = 0; !st && i < n; i++)
		st = add_to(b, a, t, m, found[i]);
	return st;
}

pl_status transform_value_add(struct build *b, struct target *t, const pl_node *cfg, const struct config *fields,
			      struct resmap *m)
{
	(void)fields;
	struct value_add a = {0};
	pl_status st = read_cfg(b, t, cfg, &a);
	for (uint32_t i = 0; !st && i < a.n; i++)
		st = add_everywhere(b, &a, &a.v[i], m);
	return st;
}
