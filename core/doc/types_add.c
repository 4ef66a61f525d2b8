/* SPDX-License-Identifier: Apache-2.0 */
/* Types out of OpenAPI documents and CustomResourceDefinitions. */
#include "core/doc/types.h"

#include "core/base/mem.h"
#include "core/doc/identity.h"

enum { MAX_DEPTH = 256, MAX_NAME = 1 << 16, SHOWN = 200 };

#define OBJECT_META S("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

/* One document on its way in. */
struct adding {
	pl_types *t;
	const pl_doc *d;
	pl_err *e;
	unsigned depth;
};

static pl_status add_schema(struct adding *a, const pl_node *schema, uint32_t *out);

/* ---- the tables ---- */

pl_types *pl_types_new(int builtin)
{
	pl_types *t = mem_zalloc(sizeof(*t));

	t->builtin = builtin != 0;
	t->d = pl_doc_new(NULL);
	keyset_init(&t->string_set, t->d);
	keyset_init(&t->def_set, t->d);
	keyset_init(&t->kind_set, t->d);
	/* Number 0 of everything is none. */
	t->nodes = mem_grow(NULL, &t->cap_nodes, 1, sizeof(*t->nodes));
	t->fields = mem_grow(NULL, &t->cap_fields, 1, sizeof(*t->fields));
	t->keys = mem_grow(NULL, &t->cap_keys, 1, sizeof(*t->keys));
	t->strings = mem_grow(NULL, &t->cap_strings, 1, sizeof(*t->strings));
	t->defs = mem_grow(NULL, &t->cap_defs, 1, sizeof(*t->defs));
	t->kinds = mem_grow(NULL, &t->cap_kinds, 1, sizeof(*t->kinds));
	t->n_nodes = t->n_fields = t->n_keys = t->n_strings = t->n_defs = t->n_kinds = 1;
	t->nodes[0] = (struct type_node){0};
	t->strings[0] = S("");
	return t;
}

void pl_types_free(pl_types *t)
{
	if (!t)
		return;
	keyset_free(&t->string_set);
	keyset_free(&t->def_set);
	keyset_free(&t->kind_set);
	free(t->nodes);
	free(t->fields);
	free(t->keys);
	free(t->strings);
	free(t->defs);
	free(t->kinds);
	pl_doc_unref(t->d);
	free(t);
}

static uint32_t add_string(pl_types *t, pl_str s)
{
	size_t known;

	if (s.n == 0)
		return 0;
	known = keyset_find(&t->string_set, s);
	if (known != SIZE_MAX)
		return (uint32_t)known;
	t->strings = mem_grow(t->strings, &t->cap_strings, t->n_strings + 1, sizeof(*t->strings));
	t->strings[t->n_strings] = doc_string(t->d, s);
	keyset_add(&t->string_set, t->strings[t->n_strings], t->n_strings);
	return (uint32_t)t->n_strings++;
}

/* A node's number has 31 bits; every one stands for a node of a document, of which a pl_doc holds fewer. */
static uint32_t add_node(pl_types *t, struct type_node n)
{
	if (t->n_nodes >= TYPE_BUILTIN)
		BUG("two thousand million types");
	t->nodes = mem_grow(t->nodes, &t->cap_nodes, t->n_nodes + 1, sizeof(*t->nodes));
	t->nodes[t->n_nodes] = n;
	return (uint32_t)t->n_nodes++;
}

/* The number of a definition, which may be added later. */
static uint32_t def_number(pl_types *t, pl_str name)
{
	size_t known = keyset_find(&t->def_set, name);

	if (known != SIZE_MAX)
		return (uint32_t)known;
	t->defs = mem_grow(t->defs, &t->cap_defs, t->n_defs + 1, sizeof(*t->defs));
	t->defs[t->n_defs] = (struct added_def){.name = doc_string(t->d, name)};
	keyset_add(&t->def_set, t->defs[t->n_defs].name, t->n_defs);
	return (uint32_t)t->n_defs++;
}

static struct type_kind *add_kind(pl_types *t, pl_str group, pl_str version, pl_str kind)
{
	struct buf key = BUF_INIT(SIZE_MAX / 2);
	size_t i;

	types_kind_key(&key, group, version, kind);
	i = keyset_find(&t->kind_set, buf_str(&key));
	if (i == SIZE_MAX) {
		i = t->n_kinds++;
		t->kinds = mem_grow(t->kinds, &t->cap_kinds, t->n_kinds, sizeof(*t->kinds));
		t->kinds[i] = (struct type_kind){.group = add_string(t, group),
						 .version = add_string(t, version),
						 .kind = add_string(t, kind),
						 .scope = PL_SCOPE_UNKNOWN};
		keyset_add(&t->kind_set, doc_string(t->d, buf_str(&key)), i);
	}
	buf_free(&key);
	return t->kinds + i;
}

/* ---- one schema ---- */

static pl_status must_be(const struct adding *a, const pl_node *n, const char *field, int kind)
{
	static const char *const names[] = {"null", "a boolean", "a number", "a string", "a list", "a map"};

	if (!n || pl_kind(n) == kind)
		return PL_OK;
	return pl_err_set(a->e, PL_EINVAL, pl_at(a->d, n), "'%s' must be %s", field, names[kind]);
}

/* "string", or the one of ["string", "null"]. */
static pl_str type_name(const pl_node *type)
{
	pl_str name = {"", 0};
	size_t i;

	if (pl_kind(type) == PL_STRING)
		return pl_text(type);
	for (i = 0; i < pl_len(type); i++) {
		pl_str one = pl_text(pl_item(type, i));

		if (pl_kind(pl_item(type, i)) != PL_STRING || str_eq(one, S("null")))
			continue;
		if (name.n)
			return S("");
		name = one;
	}
	return name;
}

static uint32_t kind_bits(const pl_node *schema)
{
	static const struct {
		pl_str name;
		uint32_t bits;
	} types[] = {
		{S_INIT("object"), PL_MAP + 1},	    {S_INIT("array"), PL_LIST + 1},
		{S_INIT("string"), PL_STRING + 1},  {S_INIT("number"), PL_NUMBER + 1},
		{S_INIT("integer"), PL_NUMBER + 1}, {S_INIT("boolean"), PL_BOOL + 1},
	};
	pl_str name = type_name(pl_gets(schema, "type"));
	size_t i;

	if (pl_bool(pl_gets(schema, "x-kubernetes-int-or-string")) ||
	    str_eq(pl_text(pl_gets(schema, "format")), S("int-or-string")))
		return 0;
	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_eq(name, types[i].name))
			return types[i].bits << TYPE_KIND_SHIFT | (str_eq(name, S("integer")) ? TYPE_WHOLE : 0);
	if (name.n)
		return 0;
	if (pl_gets(schema, "properties") || pl_kind(pl_gets(schema, "additionalProperties")) == PL_MAP)
		return (PL_MAP + 1) << TYPE_KIND_SHIFT;
	return pl_gets(schema, "items") ? (PL_LIST + 1) << TYPE_KIND_SHIFT : 0;
}

/* "merge,retainKeys"; what is no strategy is none. */
static uint32_t strategy_bits(pl_str said)
{
	pl_str one, rest;
	uint32_t bits = 0;

	for (; said.n; said = rest) {
		str_cut(said, ',', &one, &rest);
		one = str_trim(one);
		bits |= str_eq(one, S("merge"))	       ? PL_PATCH_MERGE
			: str_eq(one, S("replace"))    ? PL_PATCH_REPLACE
			: str_eq(one, S("retainKeys")) ? PL_PATCH_RETAIN_KEYS
						       : 0u;
	}
	return bits;
}

static uint32_t list_bits(pl_str type)
{
	return (str_eq(type, S("atomic")) ? 1u
		: str_eq(type, S("set"))  ? 2u
		: str_eq(type, S("map"))  ? 3u
					  : 0u)
	       << TYPE_LIST_SHIFT;
}

static void push_key(pl_types *t, uint32_t v)
{
	t->keys = mem_grow(t->keys, &t->cap_keys, t->n_keys + 1, sizeof(*t->keys));
	t->keys[t->n_keys++] = v;
}

static pl_status add_keys(struct adding *a, const pl_node *schema, uint32_t *out)
{
	const pl_node *merge = pl_gets(schema, "x-kubernetes-patch-merge-key"),
		      *keys = pl_gets(schema, "x-kubernetes-list-map-keys");
	pl_status st = must_be(a, merge, "x-kubernetes-patch-merge-key", PL_STRING);
	size_t i, n = pl_len(keys);

	*out = 0;
	if (st == PL_OK)
		st = must_be(a, keys, "x-kubernetes-list-map-keys", PL_LIST);
	for (i = 0; i < n && st == PL_OK; i++)
		st = must_be(a, pl_item(keys, i), "x-kubernetes-list-map-keys", PL_STRING);
	if (st || (!pl_text(merge).n && !n))
		return st;
	*out = (uint32_t)a->t->n_keys;
	push_key(a->t, add_string(a->t, pl_text(merge)));
	push_key(a->t, (uint32_t)n);
	for (i = 0; i < n; i++)
		push_key(a->t, add_string(a->t, pl_text(pl_item(keys, i))));
	return PL_OK;
}

struct named {
	pl_str name;
	struct type_field field;
};

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const struct named *)x)->name, ((const struct named *)y)->name);
}

/* Fields of one map stand together, so their own parts must have been added before. */
static void put_fields(pl_types *t, struct named *v, size_t n, struct type_node *node)
{
	size_t i;

	qsort(v, n, sizeof(*v), by_name);
	t->fields = mem_grow(t->fields, &t->cap_fields, t->n_fields + n, sizeof(*t->fields));
	node->fields = (uint32_t)t->n_fields;
	node->n_fields = (uint32_t)n;
	for (i = 0; i < n; i++)
		t->fields[t->n_fields++] = v[i].field;
}

static pl_status add_fields(struct adding *a, const pl_node *properties, struct type_node *node)
{
	size_t i, n = pl_len(properties);
	struct named *v = mem_alloc(n * sizeof(*v) + 1);
	pl_status st = PL_OK;

	for (i = 0; i < n && st == PL_OK; i++) {
		v[i].name = pl_text(pl_key(properties, i));
		st = add_schema(a, pl_value(properties, i), &v[i].field.type);
		v[i].field.name = add_string(a->t, v[i].name);
	}
	if (st == PL_OK)
		put_fields(a->t, v, n, node);
	free(v);
	return st;
}

/* NAME of "#/definitions/NAME" or "#/components/schemas/NAME". False: it leads out of the document. */
static bool ref_name(pl_str text, struct buf *name)
{
	static const pl_str heads[] = {S_INIT("#/definitions/"), S_INIT("#/components/schemas/")};
	size_t i, h;

	for (h = 0; h < 2; h++)
		if (str_starts(text, heads[h]))
			break;
	if (h == 2 || text.n - heads[h].n > MAX_NAME)
		return false;
	for (i = heads[h].n; i < text.n; i++) {
		bool escape = text.p[i] == '~' && i + 1 < text.n && (text.p[i + 1] | 1) == '1';

		if (text.p[i] == '/')
			return false;
		buf_addc(name, !escape ? text.p[i] : text.p[++i] == '1' ? '/' : '~');
	}
	return name->n > 0;
}

static pl_status add_ref(struct adding *a, const pl_node *ref, struct type_node *node)
{
	struct buf name = BUF_INIT(MAX_NAME + 1);
	pl_status st = must_be(a, ref, "$ref", PL_STRING);

	/* Other files are not read: what stands there is unknown. */
	node->bits &= ~(uint32_t)TYPE_KIND;
	if (st == PL_OK && ref_name(pl_text(ref), &name)) {
		node->bits |= TYPE_REF | TYPE_REF_NAME;
		node->part = def_number(a->t, buf_str(&name));
	}
	buf_free(&name);
	return st;
}

static pl_status add_map(struct adding *a, const pl_node *schema, struct type_node *node)
{
	const pl_node *properties = pl_gets(schema, "properties"), *more = pl_gets(schema, "additionalProperties");
	pl_status st = must_be(a, properties, "properties", PL_MAP);

	if (st == PL_OK && properties)
		st = add_fields(a, properties, node);
	/* Where others are kept, too, a map is free-form. */
	if (properties && !pl_bool(pl_gets(schema, "x-kubernetes-preserve-unknown-fields")))
		node->bits |= TYPE_FIELDS;
	if (st == PL_OK && pl_kind(more) == PL_MAP)
		st = add_schema(a, more, &node->part);
	return st;
}

/* What a schema is beyond its kind: a reference, one that stands alone in allOf, a map or a list. */
static pl_status add_parts(struct adding *a, const pl_node *schema, struct type_node *node)
{
	const pl_node *ref = pl_gets(schema, "$ref"), *all = pl_gets(schema, "allOf"),
		      *items = pl_gets(schema, "items");
	uint32_t kind = (node->bits & TYPE_KIND) >> TYPE_KIND_SHIFT;

	if (ref)
		return add_ref(a, ref, node);
	if (pl_kind(all) == PL_LIST && pl_len(all) == 1 && !pl_gets(schema, "properties") && !items) {
		node->bits |= TYPE_REF;
		return add_schema(a, pl_item(all, 0), &node->part);
	}
	if (kind == PL_MAP + 1)
		return add_map(a, schema, node);
	/* A list of schemas, one for each place, is JSON Schema's and not OpenAPI's. */
	if (kind == PL_LIST + 1 && pl_kind(items) == PL_MAP)
		return add_schema(a, items, &node->part);
	return PL_OK;
}

static pl_status read_schema(struct adding *a, const pl_node *schema, struct type_node *node)
{
	pl_status st;

	*node = (struct type_node){.bits = kind_bits(schema)};
	if (pl_kind(schema) == PL_BOOL || pl_kind(schema) == PL_NULL) /* anything */
		return PL_OK;
	if (pl_kind(schema) != PL_MAP)
		return pl_err_set(a->e, PL_EINVAL, pl_at(a->d, schema), "a schema must be a map");
	if (a->depth >= MAX_DEPTH)
		return pl_err_set(a->e, PL_ETOOBIG, pl_at(a->d, schema), "schemas are nested more than %d deep",
				  MAX_DEPTH);
	node->bits |= strategy_bits(pl_text(pl_gets(schema, "x-kubernetes-patch-strategy")));
	node->bits |= list_bits(pl_text(pl_gets(schema, "x-kubernetes-list-type")));
	st = add_keys(a, schema, &node->keys);
	a->depth++;
	if (st == PL_OK)
		st = add_parts(a, schema, node);
	a->depth--;
	return st;
}

static pl_status add_schema(struct adding *a, const pl_node *schema, uint32_t *out)
{
	struct type_node node;
	pl_status st = read_schema(a, schema, &node);

	*out = st == PL_OK ? add_node(a->t, node) : 0;
	return st;
}

/* ---- OpenAPI ---- */

static bool read_gvk(const pl_node *gvk, pl_str out[3])
{
	const pl_node *group = pl_gets(gvk, "group"), *version = pl_gets(gvk, "version"), *kind = pl_gets(gvk, "kind");

	out[0] = pl_text(group);
	out[1] = pl_text(version);
	out[2] = pl_text(kind);
	return pl_kind(version) == PL_STRING && pl_kind(kind) == PL_STRING && (!group || pl_kind(group) == PL_STRING);
}

static pl_status add_definition(struct adding *a, pl_str name, const pl_node *schema)
{
	const pl_node *gvks = pl_gets(schema, "x-kubernetes-group-version-kind");
	uint32_t type, number;
	pl_status st = add_schema(a, schema, &type);
	pl_str gvk[3];
	size_t i;

	if (st) {
		pl_err_in(a->e, "definition '%.*s'", name.n > SHOWN ? SHOWN : (int)name.n, name.p ? name.p : "");
		return st;
	}
	number = def_number(a->t, name); /* may move the definitions */
	a->t->defs[number].type = type;
	for (i = 0; i < pl_len(gvks); i++)
		if (read_gvk(pl_item(gvks, i), gvk))
			add_kind(a->t, gvk[0], gvk[1], gvk[2])->type = type;
	return PL_OK;
}

/* A kind that can be read below a namespace lives in one. */
static void add_path(pl_types *t, pl_str path, const pl_node *item)
{
	static const char in_namespace[] = "namespaces/{namespace}";
	struct type_kind *k;
	pl_str gvk[3];

	if (!read_gvk(pl_gets(pl_gets(item, "get"), "x-kubernetes-group-version-kind"), gvk))
		return;
	k = add_kind(t, gvk[0], gvk[1], gvk[2]);
	if (path.n && memmem(path.p, path.n, in_namespace, sizeof(in_namespace) - 1))
		k->scope = PL_SCOPE_NAMESPACED;
	else if (k->scope == PL_SCOPE_UNKNOWN)
		k->scope = PL_SCOPE_CLUSTER;
}

pl_status pl_types_add_openapi(pl_types *t, const pl_doc *d, const pl_node *root, pl_err *e)
{
	struct adding a = {.t = t, .d = d, .e = e};
	const pl_node *v2 = pl_gets(root, "definitions"), *v3 = pl_gets(pl_gets(root, "components"), "schemas"),
		      *definitions = v2 ? v2 : v3, *paths = pl_gets(root, "paths");
	pl_status st = PL_OK;
	size_t i;

	if (root && pl_kind(root) != PL_MAP && pl_kind(root) != PL_NULL)
		return pl_err_set(e, PL_EINVAL, pl_at(d, root), "an OpenAPI document must be a map");
	st = must_be(&a, definitions, v2 ? "definitions" : "schemas", PL_MAP);
	if (st == PL_OK)
		st = must_be(&a, paths, "paths", PL_MAP);
	for (i = 0; i < pl_len(definitions) && st == PL_OK; i++)
		st = add_definition(&a, pl_text(pl_key(definitions, i)), pl_value(definitions, i));
	for (i = 0; i < pl_len(paths) && st == PL_OK; i++)
		add_path(t, pl_text(pl_key(paths, i)), pl_value(paths, i));
	return st;
}

/* ---- CustomResourceDefinitions ---- */

/* The API server puts its own apiVersion, kind and metadata in place of what the schema says of them. */
static void add_object_fields(pl_types *t, struct type_node *node)
{
	static const pl_str names[] = {S_INIT("apiVersion"), S_INIT("kind"), S_INIT("metadata")};
	struct named *v = mem_alloc((node->n_fields + 3) * sizeof(*v));
	uint32_t string = add_node(t, (struct type_node){.bits = (PL_STRING + 1) << TYPE_KIND_SHIFT}), meta;
	size_t i, n = 0;

	meta = types_builtin_named(OBJECT_META) | TYPE_BUILTIN;
	meta = add_node(t, (struct type_node){.bits = TYPE_REF, .part = meta});
	for (i = 0; i < node->n_fields; i++) {
		struct type_field f = t->fields[node->fields + i];
		pl_str name = t->strings[f.name];

		if (!str_eq(name, names[0]) && !str_eq(name, names[1]) && !str_eq(name, names[2]))
			v[n++] = (struct named){name, f};
	}
	for (i = 0; i < 3; i++)
		v[n++] = (struct named){names[i], {add_string(t, names[i]), i < 2 ? string : meta}};
	put_fields(t, v, n, node);
	free(v);
}

static pl_status add_version(struct adding *a, const pl_node *crd, pl_str version, const pl_node *schema, int scope)
{
	const pl_node *spec = pl_gets(crd, "spec");
	struct type_node node;
	struct type_kind *k;
	uint32_t type = 0;
	pl_status st;

	if (schema) {
		st = read_schema(a, schema, &node);
		if (st) {
			pl_err_in(a->e, "version '%.*s'", version.n > SHOWN ? SHOWN : (int)version.n,
				  version.p ? version.p : "");
			return st;
		}
		if ((node.bits & TYPE_KIND) >> TYPE_KIND_SHIFT == PL_MAP + 1 && !(node.bits & TYPE_REF))
			add_object_fields(a->t, &node);
		type = add_node(a->t, node);
	}
	k = add_kind(a->t, pl_text(pl_gets(spec, "group")), version, pl_text(pl_gets(pl_gets(spec, "names"), "kind")));
	k->type = type;
	k->scope = scope;
	return PL_OK;
}

static pl_status not_crd(const struct adding *a, const pl_node *n, const char *what)
{
	return pl_err_set(a->e, PL_EINVAL, pl_at(a->d, n), "CustomResourceDefinition: %s", what);
}

static pl_status check_crd(const struct adding *a, const pl_node *crd)
{
	const pl_node *spec = pl_gets(crd, "spec");

	if (!str_eq(pl_text(pl_gets(crd, "kind")), S("CustomResourceDefinition")))
		return pl_err_set(a->e, PL_EINVAL, pl_at(a->d, crd), "this is no CustomResourceDefinition");
	if (pl_kind(spec) != PL_MAP)
		return not_crd(a, spec ? spec : crd, "it needs a map 'spec'");
	if (pl_kind(pl_gets(spec, "group")) != PL_STRING)
		return not_crd(a, spec, "it needs a text 'spec.group'");
	if (pl_kind(pl_gets(pl_gets(spec, "names"), "kind")) != PL_STRING)
		return not_crd(a, spec, "it needs a text 'spec.names.kind'");
	return PL_OK;
}

pl_status pl_types_add_crd(pl_types *t, const pl_doc *d, const pl_node *crd, pl_err *e)
{
	struct adding a = {.t = t, .d = d, .e = e};
	const pl_node *spec = pl_gets(crd, "spec"), *versions = pl_gets(spec, "versions"), *version,
		      *all = pl_gets(pl_gets(spec, "validation"), "openAPIV3Schema"), *own;
	pl_str scope = pl_text(pl_gets(spec, "scope"));
	int where = str_eq(scope, S("Cluster"))	     ? PL_SCOPE_CLUSTER
		    : str_eq(scope, S("Namespaced")) ? PL_SCOPE_NAMESPACED
						     : PL_SCOPE_UNKNOWN;
	pl_status st = check_crd(&a, crd);
	size_t i;

	if (st)
		return st;
	/* v1beta1 may have one version and one schema. */
	if (!pl_len(versions) && pl_kind(pl_gets(spec, "version")) == PL_STRING)
		return add_version(&a, crd, pl_text(pl_gets(spec, "version")), all, where);
	if (!pl_len(versions))
		return not_crd(&a, spec, "it needs a list 'spec.versions'");
	for (i = 0; i < pl_len(versions) && st == PL_OK; i++) {
		version = pl_gets(pl_item(versions, i), "name");
		if (pl_kind(version) != PL_STRING)
			return not_crd(&a, pl_item(versions, i), "a version needs a text 'name'");
		own = pl_gets(pl_gets(pl_item(versions, i), "schema"), "openAPIV3Schema");
		st = add_version(&a, crd, pl_text(version), own ? own : all, where);
	}
	return st;
}
