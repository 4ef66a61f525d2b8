/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#include <strings.h>

enum {
	TEXT,
	FLAG,
	WHOLE,
	TEXTS,	  /* a list of texts */
	TEXT_MAP, /* texts by name */
	FLAG_MAP,
	STRUCTURE,
	STRUCTURES, /* a list of them */
	ANYTHING,   /* refused elsewhere, whatever it holds */
	FIELDS_MAX = 48
};

struct field {
	const char *name;
	int kind;
	const struct shape *shape;
};

struct shape {
	const char *what; /* "a patch" */
	const struct field *fields;
	size_t n;
};

#define SHAPE(id, text, table) static const struct shape id = {text, table, sizeof(table) / sizeof(*(table))}

static const struct field metadata_fields[] = {
	{"name", TEXT, NULL}, {"namespace", TEXT, NULL}, {"labels", TEXT_MAP, NULL}, {"annotations", TEXT_MAP, NULL}};
SHAPE(metadata, "metadata", metadata_fields);

static const struct field fieldspec_fields[] = {{"group", TEXT, NULL},
						{"version", TEXT, NULL},
						{"kind", TEXT, NULL},
						{"path", TEXT, NULL},
						{"create", FLAG, NULL}};
SHAPE(fieldspec, "a field of a label", fieldspec_fields);

static const struct field label_fields[] = {{"pairs", TEXT_MAP, NULL},
					    {"includeSelectors", FLAG, NULL},
					    {"includeTemplates", FLAG, NULL},
					    {"includeVolumeClaimTemplates", FLAG, NULL},
					    {"fields", STRUCTURES, &fieldspec}};
SHAPE(label, "an entry of 'labels'", label_fields);

#define ID_FIELDS                                                                                                      \
	{"group", TEXT, NULL}, {"version", TEXT, NULL}, {"kind", TEXT, NULL}, {"name", TEXT, NULL},                    \
	{                                                                                                              \
		"namespace", TEXT, NULL                                                                                \
	}

static const struct field selector_fields[] = {
	ID_FIELDS, {"annotationSelector", TEXT, NULL}, {"labelSelector", TEXT, NULL}};
SHAPE(selector, "a selector", selector_fields);

static const struct field patch_fields[] = {
	{"path", TEXT, NULL}, {"patch", TEXT, NULL}, {"target", STRUCTURE, &selector}, {"options", FLAG_MAP, NULL}};
SHAPE(patch, "a patch", patch_fields);

static const struct field image_fields[] = {{"name", TEXT, NULL},
					    {"newName", TEXT, NULL},
					    {"tagSuffix", TEXT, NULL},
					    {"newTag", TEXT, NULL},
					    {"digest", TEXT, NULL}};
SHAPE(image, "an image", image_fields);

static const struct field field_option_fields[] = {
	{"delimiter", TEXT, NULL}, {"index", WHOLE, NULL}, {"encoding", TEXT, NULL}, {"create", FLAG, NULL}};
SHAPE(field_options, "the options of a replacement", field_option_fields);

static const struct field source_fields[] = {
	ID_FIELDS, {"fieldPath", TEXT, NULL}, {"options", STRUCTURE, &field_options}};
SHAPE(source, "the source of a replacement", source_fields);

static const struct field target_fields[] = {{"select", STRUCTURE, &selector},
					     {"reject", STRUCTURES, &selector},
					     {"fieldPaths", TEXTS, NULL},
					     {"options", STRUCTURE, &field_options}};
SHAPE(replacement_target, "a target of a replacement", target_fields);

static const struct field replacement_fields[] = {{"path", TEXT, NULL},
						  {"source", STRUCTURE, &source},
						  {"sourceValue", TEXT, NULL},
						  {"targets", STRUCTURES, &replacement_target}};
SHAPE(replacement, "a replacement", replacement_fields);

static const struct field replica_fields[] = {{"name", TEXT, NULL}, {"count", WHOLE, NULL}};
SHAPE(replica, "an entry of 'replicas'", replica_fields);

static const struct field objref_fields[] = {ID_FIELDS, {"apiVersion", TEXT, NULL}};
SHAPE(objref, "the object of a var", objref_fields);
static const struct field fieldref_fields[] = {{"fieldPath", TEXT, NULL}};
SHAPE(fieldref, "the field of a var", fieldref_fields);
static const struct field var_fields[] = {
	{"name", TEXT, NULL}, {"objref", STRUCTURE, &objref}, {"fieldref", STRUCTURE, &fieldref}};
SHAPE(var, "a var", var_fields);

static const struct field legacy_sort_fields[] = {{"orderFirst", TEXTS, NULL}, {"orderLast", TEXTS, NULL}};
SHAPE(legacy_sort, "'legacySortOptions'", legacy_sort_fields);
static const struct field sort_fields[] = {{"order", TEXT, NULL}, {"legacySortOptions", STRUCTURE, &legacy_sort}};
SHAPE(sort, "'sortOptions'", sort_fields);

static const struct field generator_option_fields[] = {{"labels", TEXT_MAP, NULL},
						       {"annotations", TEXT_MAP, NULL},
						       {"disableNameSuffixHash", FLAG, NULL},
						       {"immutable", FLAG, NULL}};
SHAPE(generator_options, "the options of a generator", generator_option_fields);

#define GENERATOR_FIELDS                                                                                               \
	{"namespace", TEXT, NULL}, {"name", TEXT, NULL}, {"behavior", TEXT, NULL}, {"literals", TEXTS, NULL},          \
		{"files", TEXTS, NULL}, {"envs", TEXTS, NULL}, {"env", TEXT, NULL},                                    \
	{                                                                                                              \
		"options", STRUCTURE, &generator_options                                                               \
	}

static const struct field config_map_fields[] = {GENERATOR_FIELDS};
SHAPE(config_map, "an entry of 'configMapGenerator'", config_map_fields);
static const struct field secret_fields[] = {GENERATOR_FIELDS, {"type", TEXT, NULL}};
SHAPE(secret, "an entry of 'secretGenerator'", secret_fields);

static const struct field kustomization_fields[] = {
	{"apiVersion", TEXT, NULL},
	{"kind", TEXT, NULL},
	{"metadata", STRUCTURE, &metadata},
	{"openapi", TEXT_MAP, NULL},
	{"namePrefix", TEXT, NULL},
	{"nameSuffix", TEXT, NULL},
	{"namespace", TEXT, NULL},
	{"commonLabels", TEXT_MAP, NULL},
	{"labels", STRUCTURES, &label},
	{"commonAnnotations", TEXT_MAP, NULL},
	{"patchesStrategicMerge", TEXTS, NULL},
	{"patchesJson6902", STRUCTURES, &patch},
	{"patches", STRUCTURES, &patch},
	{"images", STRUCTURES, &image},
	{"imageTags", STRUCTURES, &image},
	{"replacements", STRUCTURES, &replacement},
	{"replicas", STRUCTURES, &replica},
	{"vars", STRUCTURES, &var},
	{"sortOptions", STRUCTURE, &sort},
	{"resources", TEXTS, NULL},
	{"components", TEXTS, NULL},
	{"crds", TEXTS, NULL},
	{"bases", TEXTS, NULL},
	{"configMapGenerator", STRUCTURES, &config_map},
	{"secretGenerator", STRUCTURES, &secret},
	{"helmGlobals", ANYTHING, NULL},
	{"helmCharts", ANYTHING, NULL},
	{"helmChartInflationGenerator", ANYTHING, NULL},
	{"generatorOptions", STRUCTURE, &generator_options},
	{"configurations", TEXTS, NULL},
	{"generators", TEXTS, NULL},
	{"transformers", TEXTS, NULL},
	{"validators", TEXTS, NULL},
	{"buildMetadata", TEXTS, NULL},
};
const struct shape shape_kustomization = {"a kustomization", kustomization_fields,
					  sizeof(kustomization_fields) / sizeof(*kustomization_fields)};

/* ---- checks ---- */

static const char *kind_name(const pl_node *n)
{
	static const char *const names[] = {
		[PL_NULL] = "nothing", [PL_BOOL] = "a boolean", [PL_NUMBER] = "a number", [PL_STRING] = "a text",
		[PL_LIST] = "a list",  [PL_MAP] = "a map",	[PL_PLAIN] = "a scalar"};
	int kind = pl_kind(n);
	return kind < 0 ? "nothing" : names[kind];
}

static pl_status wrong_kind(struct build *b, const pl_node *n, const char *field, const char *due)
{
	pl_status st = fail(b, PL_EINVAL, n, "'%s' must be %s, not %s", field, due, kind_name(n));
	int kind = pl_kind(n);
	if (strcmp(due, "a text") == 0 && (kind == PL_NUMBER || kind == PL_BOOL))
		pl_err_hint(b->err, "put it in quotes"); /* what it is may be a secret */
	else if (kind == PL_STRING && strncmp(due, "a list", 6) == 0)
		pl_err_hint(b->err, "write a list of one: - …");
	return st;
}

static const struct field *find_field(const struct shape *s, pl_str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_is(name, s->fields[i].name))
			return &s->fields[i];
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->fields[i].name) == name.n && strncasecmp(s->fields[i].name, name.p, name.n) == 0)
			return &s->fields[i];
	return NULL;
}

static pl_status unknown_field(struct build *b, const struct shape *s, const pl_node *key)
{
	const char *names[FIELDS_MAX];
	size_t n = s->n < FIELDS_MAX ? s->n : FIELDS_MAX;
	for (size_t i = 0; i < n; i++)
		names[i] = s->fields[i].name;
	pl_status st = fail(b, PL_EINVAL, key, "unknown field '%.*s' in %s", F(pl_text(key)), s->what);
	const char *near = str_nearest(pl_text(key), names, n);
	if (near) {
		pl_err_hint(b->err, "did you mean '%s'?", near);
	} else if (n < 12) {
		pl_str all = str_of(names[0]);
		for (size_t i = 1; i < n; i++)
			all = arena_printf(b->mem, "%.*s, %s", F(all), names[i]);
		pl_err_hint(b->err, "there are: %.*s", F(all));
	}
	return st;
}

static pl_status check_text_map(struct build *b, pl_node *n, const char *field, int kind)
{
	if (pl_kind(n) != PL_MAP)
		return wrong_kind(b, n, field, "a map");
	for (size_t i = 0; i < pl_len(n); i++) {
		const pl_node *v = pl_value(n, i);
		pl_str name = arena_printf(b->mem, "%s.%.*s", field, F(pl_text(pl_key(n, i))));
		if (pl_kind(v) == kind)
			continue;
		if (pl_kind(v) != PL_NULL)
			return wrong_kind(b, v, name.p, kind == PL_STRING ? "a text" : "a boolean");
		pl_node *zero = kind == PL_STRING ? pl_new_string(b->doc, S("")) : pl_new_bool(b->doc, 0);
		pl_set_at(b->doc, zero, b->doc, v);
		(void)pl_set(b->doc, n, pl_text(pl_key(n, i)), zero);
	}
	return PL_OK;
}

static pl_status check_list(struct build *b, const struct field *f, pl_node *list)
{
	if (pl_kind(list) != PL_LIST)
		return wrong_kind(b, list, f->name, f->kind == TEXTS ? "a list of texts" : "a list");
	for (size_t i = 0; i < pl_len(list); i++) {
		pl_node *item = pl_item(list, i), *checked = item;
		if (pl_kind(item) == PL_NULL && f->kind == TEXTS)
			return fail(b, PL_EINVAL, item, "item %zu of '%s' is empty", i + 1, f->name);
		if (pl_kind(item) == PL_NULL) { /* one without any field, as the reference has it */
			checked = pl_new_map(b->doc);
			pl_set_at(b->doc, checked, b->doc, item);
			(void)pl_set_item(b->doc, list, i, checked);
			continue;
		}
		if (f->kind == TEXTS && pl_kind(item) != PL_STRING)
			return wrong_kind(b, item, arena_printf(b->mem, "%s[%zu]", f->name, i).p, "a text");
		if (f->kind == TEXTS)
			continue;
		if (pl_kind(item) != PL_MAP)
			return wrong_kind(b, item, arena_printf(b->mem, "%s[%zu]", f->name, i).p, "a map");
		pl_status st = shape_check(b, f->shape, item, &checked);
		if (st)
			return st;
		if (checked != item)
			(void)pl_set_item(b->doc, list, i, checked);
	}
	return PL_OK;
}

static pl_status check_field(struct build *b, const struct field *f, pl_node *value, pl_node **out)
{
	int64_t number;
	*out = value;
	switch (f->kind) {
	case TEXT:
		return pl_kind(value) == PL_STRING ? PL_OK : wrong_kind(b, value, f->name, "a text");
	case FLAG:
		return pl_kind(value) == PL_BOOL ? PL_OK : wrong_kind(b, value, f->name, "true or false");
	case WHOLE:
		if (pl_kind(value) != PL_NUMBER)
			return wrong_kind(b, value, f->name, "a number");
		return pl_int(value, &number) ? fail(b, PL_EINVAL, value, "'%s' must be a whole number, not %.*s",
						     f->name, F(pl_text(value)))
					      : PL_OK;
	case TEXT_MAP:
	case FLAG_MAP:
		return check_text_map(b, value, f->name, f->kind == TEXT_MAP ? PL_STRING : PL_BOOL);
	case TEXTS:
	case STRUCTURES:
		return check_list(b, f, value);
	case STRUCTURE:
		if (pl_kind(value) != PL_MAP)
			return wrong_kind(b, value, f->name, "a map");
		return shape_check(b, f->shape, value, out);
	default:
		return PL_OK;
	}
}

/* A map of the same fields, in the same places, with their names as the shape has them and without nulls. */
static pl_node *renamed(struct build *b, const struct shape *s, const pl_node *node)
{
	pl_node *map = pl_new_map(b->doc);
	pl_set_at(b->doc, map, b->doc, node);
	for (size_t i = 0; i < pl_len(node); i++) {
		const struct field *f = find_field(s, pl_text(pl_key(node, i)));
		if (pl_kind(pl_value(node, i)) == PL_NULL)
			continue;
		(void)pl_sets(b->doc, map, f->name, pl_value(node, i));
		pl_set_at(b->doc, pl_getkey(map, str_of(f->name)), b->doc, pl_key(node, i));
	}
	return map;
}

pl_status shape_check(struct build *b, const struct shape *s, pl_node *node, pl_node **out)
{
	bool rename = false;
	for (size_t i = 0; i < pl_len(node); i++) {
		const pl_node *key = pl_key(node, i);
		const struct field *f = find_field(s, pl_text(key));
		if (!f)
			return unknown_field(b, s, key);
		rename |= !str_is(pl_text(key), f->name) || pl_kind(pl_value(node, i)) == PL_NULL;
	}
	*out = rename ? renamed(b, s, node) : node;
	for (size_t i = 0; i < pl_len(*out); i++) {
		const struct field *f = find_field(s, pl_text(pl_key(*out, i)));
		pl_node *value = pl_value(*out, i), *checked = value;
		pl_status st = check_field(b, f, value, &checked);
		if (st)
			return st;
		if (checked != value)
			(void)pl_sets(b->doc, *out, f->name, checked);
	}
	return PL_OK;
}
