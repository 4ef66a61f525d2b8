/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_crd.c - crds: files: OpenAPI definitions by type name, whose properties say by extensions where names, labels
 * and annotations are. Only types that look like resources (kind, apiVersion, metadata) begin a walk; $ref leads on to
 * other types of the same file.
 */
#include "cfg.h"
#include "fieldspec.h"

enum { MAX_STEPS = 64 };

struct crd_walk {
	struct build *b;
	struct config *into;
	const pl_node *types;
	struct gvk gvk; /* of the type that the walk began with */
	pl_str steps[MAX_STEPS];
	const pl_node *seen[MAX_STEPS]; /* types on the way down */
	uint32_t n;
	uint32_t *budget; /* properties that may still be looked at, by all walks */
};

static const pl_node *properties_of(const pl_node *type)
{
	const pl_node *schema = pl_gets(type, "Schema");
	return pl_gets(schema ? schema : pl_gets(type, "schema"), "properties");
}

/* The steps so far, last and, when there is one, more. */
static pl_str join(struct crd_walk *w, pl_str last, pl_str more)
{
	size_t n = last.n + more.n + 2;
	for (uint32_t i = 0; i < w->n; i++)
		n += w->steps[i].n + 1;
	char *text = arena_alloc(w->b->mem, n);
	size_t len = 0;
	for (uint32_t i = 0; i < w->n + 2; i++) {
		pl_str s = i < w->n ? w->steps[i] : i == w->n ? last : more;
		if (i == w->n + 1 && !s.n)
			break;
		if (i)
			text[len++] = '/';
		if (s.n)
			memcpy(text + len, s.p, s.n);
		len += s.n;
	}
	return (pl_str){text, len};
}

static bool extension(const pl_node *property, const char *name, pl_str *out)
{
	const pl_node *n = pl_gets(property, name);
	if (pl_kind(n) != PL_STRING)
		return false;
	*out = pl_text(n);
	return true;
}

static pl_status add_reference(struct crd_walk *w, pl_str name, const pl_node *property)
{
	pl_str version, kind, key = S("name");
	if (!extension(property, "x-kubernetes-object-ref-api-version", &version) ||
	    !extension(property, "x-kubernetes-object-ref-kind", &kind))
		return PL_OK;
	extension(property, "x-kubernetes-object-ref-name-key", &key);
	struct fieldspec f = {.gvk = w->gvk, .path = join(w, name, key)};
	struct name_reference r = {.gvk = {.version = version, .kind = kind}, .referrers = {.v = &f, .n = 1}};
	struct fieldspec *own = arena_alloc(w->b->mem, sizeof(*own));
	*own = f;
	r.referrers.v = own;
	struct config one = {.references = &r, .n_references = 1};
	return config_merge(w->b, w->into, &one, property);
}

static pl_status add_places(struct crd_walk *w, pl_str name, const pl_node *property)
{
	const struct {
		const char *extension;
		struct fieldspecs *into;
	} marks[] = {
		{"x-kubernetes-annotation", &w->into->annotations},
		{"x-kubernetes-label-selector", &w->into->labels},
		{"x-kubernetes-identity", &w->into->name_prefix},
	};
	pl_str ignored;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!extension(property, marks[i].extension, &ignored))
			continue;
		struct fieldspec f = {.gvk = w->gvk, .path = join(w, name, S(""))};
		pl_status st = fieldspecs_add(w->b, marks[i].into, &f, property);
		if (st)
			return st;
	}
	return add_reference(w, name, property);
}

static pl_status walk_type(struct crd_walk *w, const pl_node *type);

static bool on_the_way(const struct crd_walk *w, const pl_node *type)
{
	for (uint32_t i = 0; i < w->n; i++) {
		if (w->seen[i] == type)
			return true;
	}
	return false;
}

/* A type that refers to itself is walked once on each way down; the reference never comes back from it. */
static pl_status walk_ref(struct crd_walk *w, pl_str name, const pl_node *property, const pl_node *type)
{
	pl_str ref;
	if (!extension(property, "$ref", &ref))
		return PL_OK;
	const pl_node *next = pl_get(w->types, ref);
	if (!next || next == type || on_the_way(w, next))
		return PL_OK;
	if (w->n == MAX_STEPS)
		return fail(w->b, PL_ETOOBIG, property, "types refer to each other more than %d deep", MAX_STEPS);
	w->seen[w->n] = type;
	w->steps[w->n++] = name;
	pl_status st = walk_type(w, next);
	w->n--;
	return st;
}

static pl_status walk_type(struct crd_walk *w, const pl_node *type)
{
	const pl_node *properties = properties_of(type);
	for (size_t i = 0; i < pl_len(properties); i++) {
		const pl_node *property = pl_value(properties, i);
		if (!(*w->budget)--)
			return fail(w->b, PL_ETOOBIG, property, "more than 200,000 properties to look at");
		pl_str name = pl_text(pl_key(properties, i));
		pl_status st = add_places(w, name, property);
		if (!st)
			st = walk_ref(w, name, property, type);
		if (st)
			return st;
	}
	return PL_OK;
}

static bool looks_like_resource(const pl_node *type)
{
	const pl_node *p = properties_of(type);
	return pl_gets(p, "kind") && pl_gets(p, "apiVersion") && pl_gets(p, "metadata");
}

/* The kind is what stands behind the last dot; group and version are not looked at. */
static pl_str kind_of(pl_str type)
{
	pl_str kind = {0};
	while (type.p)
		kind = str_cut(&type, '.');
	return kind;
}

static pl_status read_type(struct build *b, struct config *into, const pl_node *types, size_t i, uint32_t *budget)
{
	pl_str name = pl_text(pl_key(types, i));
	struct crd_walk *w = arena_alloc(b->mem, sizeof(*w));
	*w = (struct crd_walk){.b = b, .into = into, .types = types, .gvk = {.kind = kind_of(name)}, .budget = budget};
	pl_status st = walk_type(w, pl_value(types, i));
	return st ? pl_err_in(b->err, "type '%.*s' of a crds: file", F(name)) : PL_OK;
}

static pl_status no_definition(struct build *b, const pl_node *root, size_t i)
{
	fail(b, PL_EINVAL, pl_value(root, i),
	     "a crds: file must hold OpenAPI definitions by type name, but '%.*s' is %s", F(pl_text(pl_key(root, i))),
	     node_kind_name(pl_value(root, i)));
	if (str_is(pl_text(pl_gets(root, "kind")), "CustomResourceDefinition"))
		pl_err_hint(b->err, "a CustomResourceDefinition belongs into resources:");
	return PL_EINVAL;
}

pl_status config_read_crd(struct build *b, struct config *into, const pl_node *root)
{
	if (pl_kind(root) != PL_MAP)
		return fail(b, PL_EINVAL, root, "a crds: file must be a map of OpenAPI definitions, but it is %s",
			    node_kind_name(root));
	uint32_t budget = 200000;
	for (size_t i = 0; i < pl_len(root); i++) {
		int kind = pl_kind(pl_value(root, i));
		if (kind != PL_MAP && kind != PL_NULL)
			return no_definition(b, root, i);
		if (!looks_like_resource(pl_value(root, i)))
			continue;
		pl_status st = read_type(b, into, root, i, &budget);
		if (st)
			return st;
	}
	return PL_OK;
}
